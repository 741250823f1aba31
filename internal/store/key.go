package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Key is everything that tells one stored token from another. The client secret
// is never part of it. Its fields are those of providers.Identity.
type Key struct {
	Provider   string   `json:"provider"`
	TokenURL   string   `json:"token_url"`
	Account    string   `json:"account,omitempty"`
	ClientID   string   `json:"client_id"`
	Grant      string   `json:"grant"`
	User       string   `json:"user,omitempty"`
	Audience   string   `json:"audience,omitempty"`
	AuthMethod string   `json:"auth_method"`
	Scopes     []string `json:"scopes,omitempty"`
}

// Text returns the canonical text of the key: a version, then each part as
// name, length in bytes and value, in a fixed order; scopes sorted and without
// repetition. Lengths keep "a"+"bc" apart from "ab"+"c".
func (k Key) Text() string {
	var b strings.Builder
	b.WriteString("authctl-key-v1\n")
	part := func(name, value string) { fmt.Fprintf(&b, "%s %d %s\n", name, len(value), value) }
	part("account", k.Account)
	part("audience", k.Audience)
	part("auth_method", k.AuthMethod)
	part("client_id", k.ClientID)
	part("grant", k.Grant)
	part("provider", k.Provider)
	for _, s := range k.sortedScopes() {
		part("scope", s)
	}
	part("token_url", k.TokenURL)
	part("user", k.User)
	return b.String()
}

// Digest is the SHA-256 of Text in lower-case hex, 64 characters: the account in
// the keyring and the stem of file names.
func (k Key) Digest() string {
	sum := sha256.Sum256([]byte(k.Text()))
	return hex.EncodeToString(sum[:])
}

// Equal reports whether two keys name the same token.
func (k Key) Equal(other Key) bool { return k.Text() == other.Text() }

func (k Key) sortedScopes() []string {
	s := slices.Clone(k.Scopes)
	slices.Sort(s)
	return slices.Compact(s)
}
