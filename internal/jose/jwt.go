// Package jose reads, checks and signs JSON Web Tokens (RFC 7515 to RFC 7519): what a token
// says, a service's public keys, a client's private key. What a signature is for is not
// its matter.
package jose

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/authctl/authctl/internal/secret"
	"github.com/go-jose/go-jose/v4"
)

// maxSize is how many bytes of a token are read: more than any header could carry.
const maxSize = 64 << 10

// object holds the members of a JSON object as they are written.
type object map[string]json.RawMessage

// ErrNotJWT says that a token is not a signed JWT in the compact form of
// RFC 7515 §7.1. For an access token that is no mistake: it may be opaque.
var ErrNotJWT = errors.New("the token is not a JWT")

// JWTError says why a JWT is not believed. It holds no part of the token but
// quoted, cleaned words.
type JWTError struct {
	// Problem is a whole clause: "the token's signature is wrong".
	Problem string
}

// Error returns the problem.
func (e *JWTError) Error() string { return e.Problem }

// JWT is what a JSON Web Token says (RFC 7519). None of it is verified, and all
// of it is remote text, until KeySet.Verify has said otherwise.
type JWT struct {
	// Header is the JOSE header, a JSON object with its members in their order.
	Header json.RawMessage
	// Claims is the claims set, a JSON object with its members in their order.
	Claims json.RawMessage

	token          secret.Secret
	header, claims object
}

// ParseJWT takes a token apart without verifying it. What is not a JWT, larger
// than 64 KiB, or encrypted gives ErrNotJWT.
func ParseJWT(token secret.Secret) (*JWT, error) {
	text := strings.TrimSpace(token.Reveal())
	parts := strings.Split(text, ".")
	if len(text) > maxSize || len(parts) != 3 {
		return nil, ErrNotJWT
	}
	j := &JWT{token: secret.New(text)}
	for i, to := range []*json.RawMessage{&j.Header, &j.Claims} {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(parts[i])
		if err != nil || len(raw) == 0 || raw[0] != '{' || !utf8.Valid(raw) {
			return nil, ErrNotJWT
		}
		*to = raw
	}
	if json.Unmarshal(j.Header, &j.header) != nil || json.Unmarshal(j.Claims, &j.claims) != nil {
		return nil, ErrNotJWT
	}
	if j.Algorithm() == "" { // RFC 7515 §4.1.1 requires it
		return nil, ErrNotJWT
	}
	return j, nil
}

// Shown is how a JWT is shown without what makes it one: header and claims as JSON, and words in the
// place of the signature.
func Shown(header, claims, signature string) string {
	return "jwt " + header + " " + claims + ", signature " + signature
}

// ParseJWE returns the header of an encrypted token in the compact form of RFC 7516 §7.1,
// a JSON object of remote text; ok is false when it is none. Nothing else of it can be
// read by others than the one whom it is for.
func ParseJWE(token secret.Secret) (header json.RawMessage, ok bool) {
	text := strings.TrimSpace(token.Reveal())
	parts := strings.Split(text, ".")
	if len(text) > maxSize || len(parts) != 5 {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	var named object
	if err != nil || !utf8.Valid(raw) || json.Unmarshal(raw, &named) != nil {
		return nil, false
	}
	return raw, named.word("enc") != "" // RFC 7516 §4.1.2 requires it
}

// signed is the token as the signature check wants it.
func (j *JWT) signed() (*jose.JSONWebSignature, error) {
	return jose.ParseSignedCompact(j.token.Reveal(), publicAlgorithms())
}

// Algorithm is the header's alg (RFC 7515 §4.1.1), remote text.
func (j *JWT) Algorithm() string { return j.header.word("alg") }

// KeyID is the header's kid (RFC 7515 §4.1.4), remote text; empty when there is none.
func (j *JWT) KeyID() string { return j.header.word("kid") }

// Text returns a claim that is a string, else nothing. It is remote text.
func (j *JWT) Text(claim string) string { return j.claims.word(claim) }

// word is a member that is a string, else nothing.
func (o object) word(name string) string {
	var s string
	if json.Unmarshal(o[name], &s) != nil {
		return ""
	}
	return s
}
