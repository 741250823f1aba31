package oauth

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
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
	claims, err := json.Marshal(p.claims(d))
	if err != nil {
		return fmt.Errorf("writing the claims of the client assertion: %w", err)
	}
	header, assertion, err := p.sign(ctx, d, claims)
	if err != nil {
		return err
	}
	d.form.Set("client_assertion_type", assertionType)
	return d.setSecretParam("client_assertion", assertion, func(func(fetched) string) string {
		return "[jwt " + secret.Printable(header.String()) + " " + secret.Printable(string(claims)) + ", signature withheld]"
	})
}

// sign returns the assertion and its header. A dry run without the key has the header alone.
func (p PrivateKeyJWT) sign(ctx context.Context, d *draft, claims []byte) (header jose.Header, jwt string, err error) {
	header = jose.Header{Algorithm: p.Algorithm, KeyID: p.KeyID}
	text, err := d.fetch(ctx, "private key", p.Key)
	if err != nil {
		return header, "", err
	}
	if text.lack != "" {
		header.Algorithm = cmp.Or(p.Algorithm, "ES256")
		d.dry.warn("private_key is not fetched: " + text.lack + "; what is shown would be signed with it")
		return header, "", nil
	}
	key, err := jose.ParseKey(text.value)
	if err != nil {
		return header, "", err
	}
	if header.Algorithm, err = key.Algorithm(p.Algorithm); err != nil {
		return header, "", err
	}
	jwt, err = key.Sign(header, claims)
	d.sent = append(d.sent, jwt)
	return header, jwt, err
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
