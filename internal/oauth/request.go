package oauth

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/secret"
)

// TokenRequest is what is asked of a token endpoint (RFC 6749 §3.2).
type TokenRequest struct {
	// Endpoint is the token URL; see CheckEndpoint for what is accepted.
	Endpoint *url.URL
	// Auth is how the client authenticates, None for a public client.
	Auth ClientAuth
	// Params are form parameters that are no secret (grant_type, scope).
	// Empty values are not sent (RFC 6749 §3.2).
	Params url.Values
	// Secrets are the secret form parameters (password, refresh_token, code).
	// They are fetched when the request is built; a nil function is not sent,
	// an empty secret is a *RequestError.
	Secrets map[string]secret.Func
	// Header holds further request headers.
	Header http.Header
	// SecretHeader holds further headers whose values are secret (x-api-key),
	// fetched like Secrets.
	SecretHeader map[string]secret.Func
	// Accept is the Accept header, "application/json" when empty.
	Accept string
	// Repeatable allows one more try after 429 or 503. Only a grant that spends
	// nothing may set it: client_credentials.
	Repeatable bool
	// MinRetryWait is the shortest pause before that second try.
	MinRetryWait time.Duration
}

// draft is one request while it is being built. A new one is made for each try,
// because a client assertion may be used once only (RFC 7523 §3, jti).
type draft struct {
	method   string
	endpoint *url.URL
	now      func() time.Time
	header   http.Header
	form     url.Values
	body     []byte // JSON, in the form's place
	secret   sensitive
	sent     secret.Redactor
}

// sensitive says which parts of a request are secret. It travels in the
// request's context, so that WriteRequest need not guess from names.
type sensitive struct {
	header map[string]bool
	param  map[string]bool
	member map[string]bool // JSON members by path, nil without a JSON body
	basic  Encoding
}

// sensitiveKey is the context key of sensitive.
type sensitiveKey struct{}

// draft builds the request but for its context.
func (r TokenRequest) draft(ctx context.Context, now func() time.Time) (*draft, error) {
	if err := CheckEndpoint(r.Endpoint); err != nil {
		return nil, err
	}
	if r.Auth == nil {
		return nil, &RequestError{Problem: "no client authentication is set"}
	}
	d := newDraft(http.MethodPost, r.Endpoint, now)
	if err := d.plain(r.Header, r.Accept, r.Params); err != nil {
		return nil, err
	}
	d.header.Set("Content-Type", formType)
	if err := d.secrets(ctx, r.SecretHeader, d.setSecretHeader); err != nil {
		return nil, err
	}
	if err := d.secrets(ctx, r.Secrets, d.setSecretParam); err != nil {
		return nil, err
	}
	if err := r.Auth.apply(ctx, d); err != nil {
		return nil, err
	}
	return d, nil
}

// formType is the media type of a form (RFC 6749 appendix B).
const formType = "application/x-www-form-urlencoded"

func newDraft(method string, endpoint *url.URL, now func() time.Time) *draft {
	return &draft{
		method: method, endpoint: endpoint, now: now, header: http.Header{}, form: url.Values{},
		secret: sensitive{header: map[string]bool{}, param: map[string]bool{}},
	}
}

// plain takes over what is not secret.
func (d *draft) plain(header http.Header, accept string, params url.Values) error {
	for name, values := range header {
		for _, v := range values {
			if err := checkHeaderValue(name, v); err != nil {
				return err
			}
			d.header.Add(name, v)
		}
	}
	d.header.Del("Content-Type") // it follows from the body
	d.header.Set("Accept", cmp.Or(accept, "application/json"))
	for name, values := range params {
		for _, v := range values {
			if v != "" {
				d.form.Add(name, v)
			}
		}
	}
	return nil
}

// secrets fetches what is secret and sets it, in a fixed order because a person
// may be asked.
func (d *draft) secrets(ctx context.Context, from map[string]secret.Func, set func(name, value string) error) error {
	for _, name := range slices.Sorted(maps.Keys(from)) {
		if from[name] == nil {
			continue
		}
		value, err := d.fetch(ctx, name, from[name])
		if err != nil {
			return err
		}
		if err := set(name, value); err != nil {
			return err
		}
	}
	return nil
}

// fetch gets a secret and remembers it for the redactor. Its error keeps the
// reference's own.
func (d *draft) fetch(ctx context.Context, name string, f secret.Func) (string, error) {
	if f == nil {
		return "", &RequestError{Problem: "no " + name + " is set"}
	}
	secret, err := f(ctx)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", name, err)
	}
	if secret.IsZero() {
		return "", &RequestError{Problem: "the " + name + " is empty"}
	}
	value := secret.Reveal()
	d.sent = append(d.sent, value)
	return value, nil
}

// Withhold names secrets that a service's words must not repeat although this client has
// not sent them: another process may have.
func (c *Client) Withhold(secrets []secret.Secret) {
	for _, s := range secrets {
		if text := s.Reveal(); text != "" {
			c.sent.and(secret.Redactor{text})
		}
	}
}

// setSecretHeader sets a header that may be set once only.
func (d *draft) setSecretHeader(name, value string) error {
	if d.header.Get(name) != "" {
		return &RequestError{Problem: name + " is set twice"}
	}
	if err := checkHeaderValue(name, value); err != nil {
		return err
	}
	d.header.Set(name, value)
	d.secret.header[http.CanonicalHeaderKey(name)] = true
	return nil
}

// setSecretParam sets a form parameter that may be set once only (RFC 6749 §3.2).
func (d *draft) setSecretParam(name, value string) error {
	if d.form.Has(name) {
		return &RequestError{Problem: "parameter " + name + " is set twice"}
	}
	d.form.Set(name, value)
	d.secret.param[name] = true
	return nil
}

// setClientID puts client_id into the form. The same value may be there already.
func (d *draft) setClientID(id string) error {
	if id == "" {
		return &RequestError{Problem: "the client id is empty"}
	}
	if d.form.Has("client_id") && !slices.Equal(d.form["client_id"], []string{id}) {
		return &RequestError{Problem: "parameter client_id differs from the client's id"}
	}
	d.form.Set("client_id", id)
	return nil
}

// request is the finished request.
func (d *draft) request(ctx context.Context, userAgent string) (*http.Request, error) {
	ctx = context.WithValue(ctx, sensitiveKey{}, d.secret)
	text := string(d.body)
	if d.body == nil {
		text = d.form.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, d.method, d.endpoint.String(), strings.NewReader(text))
	if err != nil {
		return nil, &RequestError{Problem: "the endpoint is not a URL: " + endpointText(d.endpoint)}
	}
	req.Header = d.header
	// What a service says behind its answer is nobody's: net/http would print it.
	req.Close = true
	if userAgent != "" {
		req.Header.Set("User-Agent", userAgent)
	}
	return req, nil
}

// checkHeaderValue refuses what cannot stand in a header (RFC 9110 §5.5); most
// often it is the line break at the end of a file.
func checkHeaderValue(name, value string) error {
	for i := range len(value) {
		if b := value[i]; b < ' ' && b != '\t' || b == 0x7F {
			return &RequestError{
				Problem: "the value of header " + name + " has a control character",
				Hint:    "look for a line break in or after it",
			}
		}
	}
	return nil
}
