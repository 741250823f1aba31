package oauth

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/secret"
)

// assertionType is the client_assertion_type of RFC 7523 §2.2.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

const (
	defaultAssertionLifetime = time.Minute
	maxAssertionLifetime     = 5 * time.Minute
	// assertionAge is how old an assertion claims to be: a service whose clock is a
	// little behind would take it for one of the future (RFC 7523 §3, iat).
	assertionAge = 5 * time.Second
)

// PrivateKeyJWT sends an assertion signed with the client's key:
// private_key_jwt (RFC 7523 §2.2, OpenID Connect Core §9).
type PrivateKeyJWT struct {
	// ClientID becomes iss and sub.
	ClientID string
	// KeyID becomes the header's kid; left out when empty.
	KeyID string
	// Key fetches the private key: PKCS#8, as PEM or as the bare base64 between
	// its lines. A key that cannot be used is a *jose.KeyError.
	Key secret.Func
	// Audience becomes aud, one string; empty means the endpoint's exact URL.
	Audience string
	// Lifetime is how long the assertion is good; 0 means a minute, and more
	// than five minutes means five.
	Lifetime time.Duration
	// Algorithm is the JWS algorithm (RFC 7518 §3.1); empty means the key's
	// own: ES256, ES384, ES512, RS256 or EdDSA.
	Algorithm string
}

// assertionClaims are the claims of RFC 7523 §3. Times are seconds since 1970.
type assertionClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	ID       string `json:"jti"`
	IssuedAt int64  `json:"iat"`
	Expiry   int64  `json:"exp"`
}

// Method returns "private_key_jwt".
func (PrivateKeyJWT) Method() string { return "private_key_jwt" }

func (p PrivateKeyJWT) apply(ctx context.Context, d *draft) error {
	if p.ClientID == "" {
		return &RequestError{Problem: "the client id is empty"}
	}
	if err := d.onlyCredentials(); err != nil {
		return err
	}
	text, err := d.fetch(ctx, "private key", p.Key)
	if err != nil {
		return err
	}
	key, err := jose.ParseKey(text)
	if err != nil {
		return err
	}
	assertion, err := key.Sign(jose.SignHeader{Algorithm: p.Algorithm, KeyID: p.KeyID}, p.claims(d))
	if err != nil {
		return err
	}
	d.sent = append(d.sent, assertion)
	d.form.Set("client_assertion_type", assertionType)
	return d.setSecretParam("client_assertion", assertion)
}

// claims are new for each assertion.
func (p PrivateKeyJWT) claims(d *draft) assertionClaims {
	lifetime := p.Lifetime
	if lifetime <= 0 {
		lifetime = defaultAssertionLifetime
	}
	audience := p.Audience
	if audience == "" {
		audience = d.endpoint.String()
	}
	issued := d.now().Add(-assertionAge)
	return assertionClaims{
		Issuer: p.ClientID, Subject: p.ClientID, Audience: audience, ID: newID(),
		IssuedAt: issued.Unix(), Expiry: issued.Add(min(lifetime, maxAssertionLifetime)).Unix(),
	}
}

// newID returns 128 random bits in the usual grouping of a UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails; see crypto/rand
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
