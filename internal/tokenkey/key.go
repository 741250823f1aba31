// Package tokenkey says what tells one token from another: Key, which names it in every store.
package tokenkey

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
)

// Key is everything that tells one token from another: two clients with the same key may
// share a stored token. It is known without a network, a secret and a person, and the client
// secret is never part of it.
type Key struct {
	// Provider is the service's name in a profile.
	Provider string `json:"provider"`
	// TokenURL is the token endpoint, in full; empty where an issuer's document names it.
	TokenURL string `json:"token_url"`
	// Issuer is who names the token endpoint (RFC 8414 §2), in full; empty where the
	// endpoint is known.
	Issuer string `json:"issuer,omitempty"`
	// Account is the tenant where no address names it (Qmatic's X-ACCOUNT header), else empty.
	Account string `json:"account,omitempty"`
	// ClientID is the OAuth client identifier.
	ClientID string `json:"client_id"`
	// Grant is the grant_type.
	Grant oauth.Grant `json:"grant"`
	// User is the resource owner of the password grant, else empty.
	User string `json:"user,omitempty"`
	// Audience is the requested audience where the service has such a parameter, else empty.
	Audience string `json:"audience,omitempty"`
	// Params are what else the request says that decides on the token, as NAME=VALUE; their order
	// does not matter.
	Params []string `json:"params,omitempty"`
	// AuthMethod is the client authentication method in OpenID Connect's words
	// ("client_secret_basic", "private_key_jwt").
	AuthMethod string `json:"auth_method"`
	// Scopes are the requested scopes; their order does not matter.
	Scopes []string `json:"scopes,omitempty"`
}

// Text returns the canonical text of the key: a version, then each part as
// name, length in bytes and value, in a fixed order; scopes sorted and without
// repetition. Lengths keep "a"+"bc" apart from "ab"+"c". A part that came later is there
// only where it has a value, so that the keys of before stay what they are.
func (k Key) Text() string {
	var b strings.Builder
	b.WriteString("authctl-key-v1\n")
	part := func(name, value string) { fmt.Fprintf(&b, "%s %d %s\n", name, len(value), value) }
	part("account", k.Account)
	part("audience", k.Audience)
	part("auth_method", k.AuthMethod)
	part("client_id", k.ClientID)
	part("grant", string(k.Grant))
	if k.Issuer != "" {
		part("issuer", k.Issuer)
	}
	for _, s := range sortedSet(k.Params) {
		part("param", s)
	}
	part("provider", k.Provider)
	for _, s := range sortedSet(k.Scopes) {
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

// SameClient reports whether two keys are those of one client at one service, for one user.
func (k Key) SameClient(other Key) bool {
	return k.Provider == other.Provider && k.TokenURL == other.TokenURL && k.Issuer == other.Issuer &&
		k.Account == other.Account && k.ClientID == other.ClientID && k.User == other.User
}

// sortedSet returns a list in order and without repetition.
func sortedSet(list []string) []string {
	s := slices.Clone(list)
	slices.Sort(s)
	return slices.Compact(s)
}
