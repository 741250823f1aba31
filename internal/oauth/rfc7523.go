package oauth

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/secret"
)

const (
	defaultAssertionLifetime = time.Minute
	maxAssertionLifetime     = 5 * time.Minute
	// assertionAge is how old an assertion claims to be: a service whose clock is a
	// little behind would take it for one of the future (RFC 7523 §3, iat).
	assertionAge = 5 * time.Second
)

// Assertion is a JWT that says who its issuer is and for whom it speaks (RFC 7523 §3). As
// TokenRequest.Assertion it is the grant of §2.1; PrivateKeyJWT sends one as the client's
// credentials. It is written and signed anew for each try.
type Assertion struct {
	// Issuer becomes iss.
	Issuer string
	// Subject becomes sub. RFC 7523 §3 wants one; empty leaves it out, as Google has it for an
	// account that speaks for itself.
	Subject string
	// Audience becomes aud, one string; empty means the endpoint's exact URL.
	Audience string
	// KeyID becomes the header's kid; left out when empty.
	KeyID string
	// Algorithm is the JWS algorithm (RFC 7518 §3.1, RFC 8037 §3.1); empty means the key's own:
	// RS256, ES256, ES384, ES512 or EdDSA. One that the key cannot sign with is a *jose.KeyError.
	Algorithm string
	// Key fetches the private key in one of the forms of jose.ParseKey, whose errors it has.
	Key secret.Func
	// Claims are further claims. One that stands here by itself (iss, sub, aud, jti, iat, exp, and
	// scope beside Scope) is a *RequestError: nobody would see which of the two was signed.
	Claims map[string]any
	// Scope becomes the claim scope, where a service reads it there (Google); left out when empty.
	Scope string
	// Lifetime is how long the assertion is good; 0 means a minute, and more
	// than five minutes means five.
	Lifetime time.Duration
}

// assertionClaims are the claims of RFC 7523 §3. Times are seconds since 1970.
type assertionClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub,omitempty"`
	Audience string `json:"aud"`
	ID       string `json:"jti"`
	IssuedAt int64  `json:"iat"`
	Expiry   int64  `json:"exp"`
	Scope    string `json:"scope,omitempty"`
}

// signer signs claims. A dry run without the key returns the header alone.
type signer func(ctx context.Context, d *draft, claims []byte) (header jose.Header, jwt string, err error)

// assert sends the assertion that is the grant (RFC 7523 §2.1).
func (d *draft) assert(ctx context.Context, r CallRequest) error {
	if r.Assertion == nil {
		return nil
	}
	return r.Assertion.put(ctx, d, "assertion", r.Assertion.sign)
}

// put sets the signed assertion as a parameter.
func (a Assertion) put(ctx context.Context, d *draft, param string, sign signer) error {
	claims, err := a.claims(d)
	if err != nil {
		return err
	}
	header, jwt, err := sign(ctx, d, []byte(claims))
	if err != nil {
		return err
	}
	if jwt != "" {
		d.sent = append(d.sent, jwt)
	}
	return d.setSecretParam(param, jwt, jwtMark(header.String(), claims))
}

// jwtMark shows a JWT without what makes it one.
func jwtMark(header, claims string) mark {
	return func(func(fetched) string) string {
		return "[" + jose.Shown(secret.Printable(header), secret.Printable(claims), "withheld") + "]"
	}
}

// sign is the signer with the assertion's private key.
func (a Assertion) sign(ctx context.Context, d *draft, claims []byte) (header jose.Header, jwt string, err error) {
	header = jose.Header{Algorithm: a.Algorithm, KeyID: a.KeyID}
	text, err := d.fetch(ctx, "private key", a.Key)
	if err != nil {
		return header, "", err
	}
	if text.lack != "" {
		header.Algorithm = cmp.Or(a.Algorithm, "ES256")
		d.warn("private_key is not fetched: " + text.lack + "; what is shown would be signed with it")
		return header, "", nil
	}
	key, err := jose.ParseKey(text.value)
	if err != nil {
		return header, "", err
	}
	if header.Algorithm, err = key.Algorithm(a.Algorithm); err != nil {
		return header, "", err
	}
	jwt, err = key.Sign(header, claims)
	return header, jwt, err
}

// claims are new for each try. The further ones stand behind those of the RFC.
func (a Assertion) claims(d *draft) (string, error) {
	issued := d.now().Add(-assertionAge)
	lifetime := min(cmp.Or(max(a.Lifetime, 0), defaultAssertionLifetime), maxAssertionLifetime)
	own, err := secret.JSON(assertionClaims{
		Issuer: a.Issuer, Subject: a.Subject, Audience: cmp.Or(a.Audience, d.endpoint.String()), ID: newID(),
		IssuedAt: issued.Unix(), Expiry: issued.Add(lifetime).Unix(), Scope: a.Scope,
	})
	if err != nil || len(a.Claims) == 0 {
		return own, err
	}
	for _, name := range []string{"iss", "sub", "aud", "jti", "iat", "exp", "scope"} {
		if _, twice := a.Claims[name]; twice && (name != "scope" || a.Scope != "") {
			return "", &RequestError{Problem: "the claim " + name + " is given beside the assertion's own"}
		}
	}
	more, err := secret.JSON(a.Claims)
	if err != nil {
		return "", &RequestError{Problem: "a claim of the assertion cannot be written as JSON"}
	}
	return strings.TrimSuffix(own, "}") + "," + strings.TrimPrefix(more, "{"), nil
}

// newID returns 128 random bits in the usual grouping of a UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails; see crypto/rand
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
