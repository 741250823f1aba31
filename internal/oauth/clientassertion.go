package oauth

import (
	"context"
	"time"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/secret"
)

// assertionType is the client_assertion_type of RFC 7523 §2.2.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// minHMAC is how many octets RFC 7518 §3.2 wants of a key for HS256 at least.
const minHMAC = 32

// PrivateKeyJWT sends an assertion signed with the client's key:
// private_key_jwt (RFC 7523 §2.2, OpenID Connect Core §9).
type PrivateKeyJWT struct {
	// ClientID becomes iss and sub.
	ClientID string
	// KeyID, Key, Audience, Lifetime and Algorithm are those of Assertion.
	KeyID     string
	Key       secret.Func
	Audience  string
	Lifetime  time.Duration
	Algorithm string
}

// Method returns "private_key_jwt".
func (PrivateKeyJWT) Method() string { return "private_key_jwt" }

func (p PrivateKeyJWT) apply(ctx context.Context, d *draft) error {
	a := Assertion{
		Issuer: p.ClientID, Subject: p.ClientID, Audience: p.Audience, KeyID: p.KeyID,
		Algorithm: p.Algorithm, Key: p.Key, Lifetime: p.Lifetime,
	}
	return a.authenticate(ctx, d, a.sign)
}

// SecretJWT sends an assertion signed with the client secret, by HMAC with SHA-256:
// client_secret_jwt (OpenID Connect Core §9). RFC 7518 §3.2 wants a secret of 32 octets or
// more; with a shorter one, as many services give out, Client.Warn is told.
type SecretJWT struct {
	// ClientID becomes iss and sub.
	ClientID string
	Secret   secret.Func
	// Audience becomes aud, one string; empty means the endpoint's exact URL.
	Audience string
}

// Method returns "client_secret_jwt".
func (SecretJWT) Method() string { return "client_secret_jwt" }

func (s SecretJWT) apply(ctx context.Context, d *draft) error {
	a := Assertion{Issuer: s.ClientID, Subject: s.ClientID, Audience: s.Audience}
	return a.authenticate(ctx, d, s.sign)
}

func (s SecretJWT) sign(ctx context.Context, d *draft, claims []byte) (header jose.Header, jwt string, err error) {
	header = jose.Header{Algorithm: "HS256"}
	text, err := d.fetch(ctx, "client secret", s.Secret)
	switch {
	case err != nil:
		return header, "", err
	case text.lack != "":
		d.warn("client_secret is not fetched: " + text.lack + "; what is shown would be signed with it")
		return header, "", nil
	case len(text.value) < minHMAC:
		d.warn("client_secret is shorter than the 32 octets that HS256 wants (RFC 7518 §3.2): the service may refuse it")
	}
	return header, jose.SignHS256(text.value, header, claims), nil
}

// authenticate sends the assertion as the client's credentials.
func (a Assertion) authenticate(ctx context.Context, d *draft, sign signer) error {
	if a.Issuer == "" {
		return &RequestError{Problem: "the client id is empty"}
	}
	if err := d.onlyCredentials(); err != nil {
		return err
	}
	d.form.Set("client_assertion_type", assertionType)
	return a.put(ctx, d, "client_assertion", sign)
}

// ClientAssertion sends a token that somebody else has issued for the client, such as the
// identity token of a pipeline's job or of a Kubernetes pod (RFC 7523 §2.2): no name of OpenID
// Connect's, whose private_key_jwt it looks like to the service.
type ClientAssertion struct {
	// ClientID is sent too, because sub may name the job (RFC 7521 §4.2).
	ClientID string
	// Token fetches the assertion, for each request.
	Token secret.Func
}

// Method returns "client_assertion".
func (ClientAssertion) Method() string { return "client_assertion" }

func (c ClientAssertion) apply(ctx context.Context, d *draft) error {
	if err := d.onlyCredentials(); err != nil {
		return err
	}
	if err := d.setClientID(c.ClientID); err != nil {
		return err
	}
	token, err := d.fetch(ctx, "client assertion", c.Token)
	if err != nil {
		return err
	}
	if !secret.IsVisible(token.value) {
		return &RequestError{
			Problem: "the client assertion has blanks or bytes outside printable ASCII",
			Hint:    "give the token alone, as it was issued",
		}
	}
	m := token.mark()
	if jwt, err := jose.ParseJWT(secret.New(token.value)); err == nil {
		m = jwtMark(string(jwt.Header), string(jwt.Claims))
	}
	d.form.Set("client_assertion_type", assertionType)
	return d.setSecretParam("client_assertion", token.value, m)
}
