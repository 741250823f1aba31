package oauth

import (
	"context"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/authctl/authctl/internal/secret"
)

// ClientAuth is a way for the client to say who it is (RFC 6749 §2.3). The
// credentials are sent once: in a header or in the form, never in both. The
// implementations are Basic, Post, SecretJWT, PrivateKeyJWT, ClientAssertion, TLS, None and Anonymous.
type ClientAuth interface {
	// Method is the name of OpenID Connect Core §9 ("client_secret_basic").
	Method() string
	// apply adds the credentials to a draft.
	apply(ctx context.Context, d *draft) error
}

// Encoding is how Basic writes id and secret before base64. The two agree for
// letters, digits and "-", ".", "_", "~" only.
type Encoding int

const (
	// Raw joins id and secret as they are (RFC 7617 §2).
	Raw Encoding = iota
	// FormEncoded encodes each as a form value first (RFC 6749 §2.3.1).
	FormEncoded
)

// CheckClientID returns a *RequestError for an id that the encoding cannot
// carry: raw, the first ":" ends the id (RFC 7617 §2). It needs no secret, so
// that a configuration can be checked before anything is asked.
func (e Encoding) CheckClientID(id string) error {
	switch {
	case id == "":
		return &RequestError{Problem: "the client id is empty"}
	case e == Raw && strings.Contains(id, ":"):
		return &RequestError{
			Problem: `the client id has a ":", which raw Basic authentication cannot carry`,
			Hint:    "use form-encoded Basic or client_secret_post, if the service takes it",
		}
	case e == Raw && hasControl(id):
		return &RequestError{Problem: "the client id has a control character"}
	}
	return nil
}

// Basic sends id and secret in the Authorization header: client_secret_basic.
type Basic struct {
	ClientID string
	Secret   secret.Func
	// Encoding is Raw unless set.
	Encoding Encoding
}

// Method returns "client_secret_basic".
func (Basic) Method() string { return "client_secret_basic" }

func (b Basic) apply(ctx context.Context, d *draft) error {
	if err := b.Encoding.CheckClientID(b.ClientID); err != nil {
		return err
	}
	sent, err := d.fetch(ctx, "client secret", b.Secret)
	if err != nil {
		return err
	}
	id, password := b.ClientID, sent.value
	if b.Encoding == FormEncoded {
		id, password = url.QueryEscape(id), url.QueryEscape(password)
	} else if hasControl(password) {
		return &RequestError{
			Problem: "the client secret has a control character",
			Hint:    "look for a line break in or after it",
		}
	}
	if err := d.onlyCredentials(); err != nil {
		return err
	}
	value := base64.StdEncoding.EncodeToString([]byte(id + ":" + password))
	d.sent = append(d.sent, value)
	return d.setSecretHeader("Authorization", "Basic "+value, func(words func(fetched) string) string {
		return "Basic [id " + secret.Printable(b.ClientID) + ", " + words(sent) + "]"
	})
}

// Post sends id and secret in the form: client_secret_post.
type Post struct {
	ClientID string
	Secret   secret.Func
}

// Method returns "client_secret_post".
func (Post) Method() string { return "client_secret_post" }

func (p Post) apply(ctx context.Context, d *draft) error {
	if err := d.onlyCredentials(); err != nil {
		return err
	}
	if err := d.setClientID(p.ClientID); err != nil {
		return err
	}
	sent, err := d.fetch(ctx, "client secret", p.Secret)
	if err != nil {
		return err
	}
	return d.setSecretParam("client_secret", sent.value, sent.mark())
}

// None is a public client (RFC 6749 §2.1): client_id in the form, no secret. Where the grant is
// an assertion, that names the client, and no client_id is sent (RFC 7521 §4.1).
type None struct{ ClientID string }

// Method returns "none".
func (None) Method() string { return "none" }

func (n None) apply(_ context.Context, d *draft) error {
	if err := d.onlyCredentials(); err != nil {
		return err
	}
	if d.form.Has("assertion") {
		return nil
	}
	return d.setClientID(n.ClientID)
}

// Anonymous is no client at all: who shows a token to be exchanged need not be one (RFC 8693 §2.1).
type Anonymous struct{}

// Method returns "none".
func (Anonymous) Method() string { return "none" }

func (Anonymous) apply(_ context.Context, d *draft) error { return d.onlyCredentials() }

// onlyCredentials refuses a request that carries other client credentials
// already: a service may prefer either of two (RFC 6749 §2.3).
func (d *draft) onlyCredentials() error {
	if d.header.Get("Authorization") != "" {
		return &RequestError{Problem: "header Authorization is set beside the client's own credentials"}
	}
	for _, name := range []string{"client_secret", "client_assertion"} {
		if d.form.Has(name) {
			return &RequestError{Problem: "parameter " + name + " is set beside the client's own credentials"}
		}
	}
	return nil
}

// hasControl reports whether s has a control character (RFC 7617 §2 forbids them).
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7F })
}
