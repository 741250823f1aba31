package oauth

import (
	"crypto/rand"
	"encoding/base64"

	"github.com/authctl/authctl/internal/secret"
)

// NewVerifier returns a code_verifier of 43 characters out of 256 random bits,
// as RFC 7636 §4.1 recommends. A new one is made for each login.
func NewVerifier() secret.Secret {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails; see crypto/rand
	return secret.New(base64.RawURLEncoding.EncodeToString(b[:]))
}

// S256Challenge returns the code_challenge of a verifier for the method S256
// (RFC 7636 §4.2). It is sent through the browser and gives nothing away.
func S256Challenge(verifier secret.Secret) string {
	sum := verifier.Sum()
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
