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
	"sync"
	"time"
	"unicode/utf8"

	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/secret"
)

// draft is one request while it is being built. A new one is made for each try,
// because a client assertion may be used once only (RFC 7523 §3, jti). It knows what in it
// is secret, and how a dry run shows that.
type draft struct {
	method   string
	endpoint *url.URL
	now      func() time.Time
	header   http.Header
	form     url.Values
	// json is the body in the form's place; its secrets are of type fetched.
	json map[string]any
	// markedHeader and markedParam are the values that hold a secret, by their names.
	markedHeader, markedParam map[string]mark
	sent                      secret.Redactor
	// certificate is shown on the request's own connection, nil when none is.
	certificate *shownCertificate
	// warn gets a line about what is odd.
	warn func(string)
	// dry takes the request in the service's place, nil where it is sent.
	dry *DryRun
}

// fetched is a secret in a draft.
type fetched struct {
	name, value string
	// lack says why a dry run does without the value; empty where it is there.
	lack string
}

// mark writes a value that holds a secret as a dry run shows it, with words in the place
// of the secret.
type mark func(words func(fetched) string) string

// mark is for a value that is the secret and nothing else.
func (f fetched) mark() mark {
	return func(words func(fetched) string) string { return "[" + words(f) + "]" }
}

// formType is the media type of a form (RFC 6749 appendix B).
const formType = "application/x-www-form-urlencoded"

// draft builds a request but for its context.
func (c *Client) draft(ctx context.Context, r CallRequest) (*draft, error) {
	d := &draft{
		method: cmp.Or(r.Method, http.MethodGet), endpoint: r.URL, now: c.now, header: http.Header{}, form: url.Values{},
		markedHeader: map[string]mark{}, markedParam: map[string]mark{}, dry: c.DryRun, warn: c.warn,
	}
	for _, put := range []func(context.Context, CallRequest) error{
		d.plain, d.secretHeaders, d.secretParams, d.setJSON, d.assert, d.setBearer, d.authenticate,
	} {
		if err := put(ctx, r); err != nil {
			return nil, err
		}
	}
	if c.UserAgent != "" {
		d.header.Set("User-Agent", c.UserAgent)
	}
	return d, d.setContentType()
}

// plain takes over what is not secret.
func (d *draft) plain(_ context.Context, r CallRequest) error {
	if err := CheckAddress(r.URL); err != nil {
		return err
	}
	for name, values := range r.Header {
		for _, v := range values {
			if err := checkHeaderValue(name, v); err != nil {
				return err
			}
			d.header.Add(name, v)
		}
	}
	d.header.Del("Content-Type") // it follows from the body
	d.header.Set("Accept", cmp.Or(r.Accept, "application/json"))
	for name, values := range r.Params {
		for _, v := range values {
			if v != "" {
				d.form.Add(name, v)
			}
		}
	}
	return nil
}

func (d *draft) secretHeaders(ctx context.Context, r CallRequest) error {
	return d.secrets(ctx, r.SecretHeader, func(f fetched) error { return d.setSecretHeader(f.name, f.value, f.mark()) })
}

func (d *draft) secretParams(ctx context.Context, r CallRequest) error {
	return d.secrets(ctx, r.Secrets, func(f fetched) error { return d.setSecretParam(f.name, f.value, f.mark()) })
}

func (d *draft) authenticate(ctx context.Context, r CallRequest) error {
	if r.Auth == nil {
		return nil
	}
	return r.Auth.apply(ctx, d)
}

// secrets fetches what is secret and sets it, in a fixed order because a person
// may be asked.
func (d *draft) secrets(ctx context.Context, from map[string]secret.Func, set func(fetched) error) error {
	for _, name := range slices.Sorted(maps.Keys(from)) {
		if from[name] == nil {
			continue
		}
		f, err := d.fetch(ctx, name, from[name])
		if err != nil {
			return err
		}
		if err := set(f); err != nil {
			return err
		}
	}
	return nil
}

// fetch gets a secret and remembers it for the redactor. Its error keeps the
// reference's own. A dry run goes on without what cannot be had.
func (d *draft) fetch(ctx context.Context, name string, from secret.Func) (fetched, error) {
	if from == nil {
		return fetched{}, &RequestError{Problem: "no " + name + " is set"}
	}
	got, err := from(ctx)
	switch {
	case err != nil && d.dry != nil && ctx.Err() == nil:
		return fetched{name: name, lack: err.Error()}, nil
	case err != nil:
		return fetched{}, fmt.Errorf("reading %s: %w", name, err)
	case got.IsZero():
		return fetched{}, &RequestError{Problem: "the " + name + " is empty"}
	}
	f := fetched{name: name, value: got.Reveal()}
	d.sent = append(d.sent, f.value)
	return f, nil
}

// setSecretHeader sets a header that may be set once only.
func (d *draft) setSecretHeader(name, value string, m mark) error {
	name = http.CanonicalHeaderKey(name)
	if d.header.Get(name) != "" || d.markedHeader[name] != nil {
		return &RequestError{Problem: name + " is set twice"}
	}
	if err := checkHeaderValue(name, value); err != nil {
		return err
	}
	d.header.Set(name, value)
	d.markedHeader[name] = m
	return nil
}

// setSecretParam sets a form parameter that may be set once only (RFC 6749 §3.2).
func (d *draft) setSecretParam(name, value string, m mark) error {
	if d.form.Has(name) {
		return &RequestError{Problem: "parameter " + name + " is set twice"}
	}
	d.form.Set(name, value)
	d.markedParam[name] = m
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

// setBearer sets the Authorization header (RFC 6750 §2.1).
func (d *draft) setBearer(ctx context.Context, r CallRequest) error {
	if r.Bearer == nil {
		return nil
	}
	if d.header.Get("Authorization") != "" {
		return &RequestError{Problem: "header Authorization is set beside the access token"}
	}
	token, err := d.fetch(ctx, "access token", r.Bearer)
	if err != nil {
		return err
	}
	if !secret.IsVisible(token.value) {
		return &RequestError{
			Problem: "the access token has blanks or bytes outside printable ASCII",
			Hint:    "give the token alone, without the word Bearer",
		}
	}
	scheme := cmp.Or(r.Scheme, "Bearer") + " "
	return d.setSecretHeader("Authorization", scheme+token.value, func(words func(fetched) string) string {
		return scheme + "[" + words(token) + "]"
	})
}

// setContentType names the body there is, and refuses one where none can be.
func (d *draft) setContentType() error {
	bare := d.method == http.MethodGet || d.method == http.MethodHead
	switch {
	case bare && (len(d.form) > 0 || d.json != nil):
		return &RequestError{
			Problem: "a " + d.method + " request has no room for form parameters or JSON",
			Hint:    "let the client authenticate in the header",
		}
	case len(d.form) > 0 && d.json != nil:
		return &RequestError{Problem: "form parameters are set beside a JSON body"}
	case d.json != nil:
		d.header.Set("Content-Type", "application/json")
	case len(d.form) > 0:
		d.header.Set("Content-Type", formType)
	}
	return nil
}

// setJSON fetches the secrets of a JSON body.
func (d *draft) setJSON(ctx context.Context, r CallRequest) (err error) {
	if r.JSON != nil {
		d.json, err = d.jsonMembers(ctx, "", r.JSON)
	}
	return err
}

// jsonMembers are the members with their secrets fetched, in a fixed order. Only what is
// written as it is meant is let through: a secret deeper in some other type would be sent as
// the word [redacted], and bytes that are not UTF-8 would be sent as others.
func (d *draft) jsonMembers(ctx context.Context, path string, from map[string]any) (map[string]any, error) {
	members := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(from)) {
		at, valid := strings.TrimPrefix(path+"."+name, "."), true
		var err error
		switch v := from[name].(type) {
		case map[string]any:
			members[name], err = d.jsonMembers(ctx, at, v)
		case string:
			members[name], valid = v, utf8.ValidString(v)
		case nil, bool, int:
			members[name] = v
		default:
			from, ok := asSecretFunc(v)
			if !ok {
				return nil, &RequestError{Problem: "the " + at + " is of a kind that is not written as JSON"}
			}
			if from == nil {
				continue
			}
			var f fetched
			f, err = d.fetch(ctx, at, from)
			members[name], valid = f, utf8.ValidString(f.value)
		}
		if err != nil {
			return nil, err
		}
		if !valid {
			return nil, &RequestError{Problem: "the " + at + " is not UTF-8"}
		}
	}
	return members, nil
}

// asSecretFunc returns the function that a secret member stands for.
func asSecretFunc(value any) (secret.Func, bool) {
	switch v := value.(type) {
	case secret.Secret:
		return secret.Known(v), true
	case secret.Func:
		return v, true
	case func(context.Context) (secret.Secret, error):
		return v, true
	}
	return nil, false
}

// jsonText writes a JSON body with words in the place of its secrets.
func (d *draft) jsonText(words func(fetched) string) string {
	text, _ := secret.JSON(worded(d.json, words)) // of what jsonMembers lets through nothing fails
	return text
}

func worded(members map[string]any, words func(fetched) string) map[string]any {
	all := maps.Clone(members)
	for name, value := range all {
		switch v := value.(type) {
		case fetched:
			all[name] = words(v)
		case map[string]any:
			all[name] = worded(v, words)
		}
	}
	return all
}

// request is the finished request.
func (d *draft) request(ctx context.Context) (*http.Request, error) {
	body := d.form.Encode()
	if d.json != nil {
		body = d.jsonText(func(f fetched) string { return f.value })
	}
	req, err := http.NewRequestWithContext(ctx, d.method, d.endpoint.String(), strings.NewReader(body))
	if err != nil {
		return nil, &RequestError{Problem: "the endpoint is not a URL: " + network.AddressText(d.endpoint)}
	}
	req.Header = d.header
	// What a service says behind its answer is nobody's: net/http would print it.
	req.Close = true
	return req, nil
}

// checkHeaderValue refuses what cannot stand in a header (RFC 9110 §5.5); most
// often it is the line break at the end of a file.
func checkHeaderValue(name, value string) error {
	if hasControl(strings.ReplaceAll(value, "\t", " ")) {
		return &RequestError{
			Problem: "the value of header " + name + " has a control character",
			Hint:    "look for a line break in or after it",
		}
	}
	return nil
}

// sentSecrets are the secrets of all requests so far: a service can repeat one that it was
// sent before.
type sentSecrets struct {
	mu  sync.Mutex
	all secret.Redactor
}

// and adds those of one more request, and returns all.
func (s *sentSecrets) and(more secret.Redactor) secret.Redactor {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range more {
		if !slices.Contains(s.all, secret) {
			s.all = append(s.all, secret)
		}
	}
	return slices.Clone(s.all)
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
