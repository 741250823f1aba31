package oauth

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/authctl/authctl/internal/secret"
)

// CallRequest is one request to an endpoint that is no token endpoint: one that
// takes an access token (RFC 6750 §2.1), one that takes the client's own
// credentials (RFC 7009, RFC 7662), or one that takes neither.
type CallRequest struct {
	// Method is the HTTP method, GET when empty.
	Method string
	// URL is checked like CheckEndpoint, but may have a query. The query is no
	// place for secrets.
	URL *url.URL
	// Auth is how the client authenticates; nil means not at all.
	Auth ClientAuth
	// Bearer fetches the access token for the Authorization header; nil means none.
	Bearer secret.Func
	// Scheme is written before the token, "Bearer" when empty. It is compared
	// without case (RFC 9110 §11.1), but not every service does so.
	Scheme string
	// Params are form parameters that are no secret; empty values are not sent.
	Params url.Values
	// Secrets are the secret form parameters; see TokenRequest.Secrets.
	Secrets map[string]secret.Func
	// JSON is the body in the form's place, sent when it is not nil. Members are
	// string, bool, int, nil, a map like this one, and Secret or SecretFunc for
	// what is secret, which is revealed in the request alone; nil functions are
	// left out. Anything else is a *RequestError.
	JSON map[string]any
	// Header holds further request headers.
	Header http.Header
	// SecretHeader holds further headers whose values are secret.
	SecretHeader map[string]secret.Func
	// Accept is the Accept header, "application/json" when empty.
	Accept string
	// Success is what the reply has to look like.
	Success Success
	// RedirectTo is the one address that 301, 302, 303, 307 and 308 may lead to and be a
	// success, which is not followed; with the empty one they never are.
	RedirectTo string
	// Idempotent allows one more try after 429 or 503.
	Idempotent bool
}

// Reply is the answer to a Call, a success.
type Reply struct {
	// StatusCode is 2xx, or a redirect's where the request allowed that.
	StatusCode int
	// Header is as it came; it may hold secrets, and never is to be shown.
	Header http.Header
	// Body is at most 1 MiB, as it came.
	Body []byte
	// ContentType is the media type in lower case without parameters, empty when none came.
	ContentType string
	// Location is where a redirect leads, made absolute; nil when it is none or
	// names no URL. It is remote text: clean it before it is shown.
	Location *url.URL

	from *reply
}

// Call sends one request and returns the answer when it is the Success that was asked
// for. The errors are those of Token. A status of 400 or more is an *Error, and so is
// a success with an error inside: a non-empty error or errors member, or a
// status.code other than 0. What else came is a *ReplyError.
func (c *Client) Call(ctx context.Context, r CallRequest) (*Reply, error) {
	var answer *Reply
	err := c.exchange(ctx, r.draft, repeating{allowed: r.Idempotent}, func(rep *reply, _ time.Time) (err error) {
		answer, err = rep.answer(r, c.now())
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// Object returns the body when it is one JSON object, without a byte order mark
// and white space around it, else a *ReplyError. The strings in it are remote text.
func (r *Reply) Object() (json.RawMessage, error) {
	if _, problem := r.from.object(); problem != "" {
		return nil, r.from.unusable(problem)
	}
	return trimmed(r.Body), nil
}

// members are the members of Object.
func (r *Reply) members() (members, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	m, _ := parseObject(body)
	return m, nil
}

func (r *Reply) unusable(problem string) *ReplyError { return r.from.unusable(problem) }

// answer tells success from error.
func (r *reply) answer(asked CallRequest, now time.Time) (*Reply, error) {
	if r.status >= http.StatusBadRequest {
		return nil, r.serviceError(r.membersIfAny(), now)
	}
	answer := &Reply{
		StatusCode: r.status, Header: r.header, Body: r.body, ContentType: mediaType(r.header.Get("Content-Type")), from: r,
	}
	if isRedirect(r.status) {
		to, err := asked.URL.Parse(r.header.Get("Location"))
		if err != nil || r.header.Get("Location") == "" || !leadsTo(to, asked.RedirectTo) {
			return nil, r.unusable(r.redirectText())
		}
		answer.Location = to
		return answer, nil
	}
	if len(r.body) > maxReply {
		return nil, r.unusable("it is larger than 1 MiB")
	}
	if m := r.membersIfAny(); m.hasError() {
		return nil, r.serviceError(m, now)
	}
	if problem := r.lacks(asked.Success); problem != "" {
		return nil, r.unusable(problem)
	}
	return answer, nil
}

// leadsTo reports whether a redirect goes where it was asked to, whatever query the
// service adds: a sign-in page is somewhere else.
func leadsTo(to *url.URL, asked string) bool {
	want, err := url.Parse(asked)
	return err == nil && asked != "" && to.Scheme == want.Scheme && strings.EqualFold(to.Host, want.Host) &&
		strings.TrimSuffix(to.Path, "/") == strings.TrimSuffix(want.Path, "/")
}

// isRedirect reports the statuses of RFC 9110 §15.4 that name another address.
func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// draft builds the request but for its context.
func (r CallRequest) draft(ctx context.Context, now func() time.Time) (*draft, error) {
	if err := checkAddress(r.URL); err != nil {
		return nil, err
	}
	d := newDraft(cmp.Or(r.Method, http.MethodGet), r.URL, now)
	if err := d.plain(r.Header, r.Accept, r.Params); err != nil {
		return nil, err
	}
	if err := d.secrets(ctx, r.SecretHeader, d.setSecretHeader); err != nil {
		return nil, err
	}
	if err := d.secrets(ctx, r.Secrets, d.setSecretParam); err != nil {
		return nil, err
	}
	if r.JSON != nil {
		if err := d.setJSON(ctx, r.JSON); err != nil {
			return nil, err
		}
	}
	if r.Bearer != nil {
		if err := d.setBearer(ctx, cmp.Or(r.Scheme, "Bearer"), r.Bearer); err != nil {
			return nil, err
		}
	}
	if r.Auth != nil {
		if err := r.Auth.apply(ctx, d); err != nil {
			return nil, err
		}
	}
	return d, d.setContentType()
}

// setBearer sets the Authorization header (RFC 6750 §2.1).
func (d *draft) setBearer(ctx context.Context, scheme string, token secret.Func) error {
	if d.header.Get("Authorization") != "" {
		return &RequestError{Problem: "header Authorization is set beside the access token"}
	}
	value, err := d.fetch(ctx, "access token", token)
	if err != nil {
		return err
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return &RequestError{
			Problem: "the access token has blanks or bytes outside printable ASCII",
			Hint:    "give the token alone, without the word Bearer",
		}
	}
	return d.setSecretHeader("Authorization", scheme+" "+value)
}

// setContentType names the body there is, and refuses one where none can be.
func (d *draft) setContentType() error {
	bare := d.method == http.MethodGet || d.method == http.MethodHead
	switch {
	case bare && (len(d.form) > 0 || d.body != nil):
		return &RequestError{
			Problem: "a " + d.method + " request has no room for form parameters or JSON",
			Hint:    "let the client authenticate in the header",
		}
	case len(d.form) > 0 && d.body != nil:
		return &RequestError{Problem: "form parameters are set beside a JSON body"}
	case d.body != nil:
		d.header.Set("Content-Type", "application/json")
	case len(d.form) > 0:
		d.header.Set("Content-Type", formType)
	}
	return nil
}

// setJSON writes the body and remembers which of its members are secret.
func (d *draft) setJSON(ctx context.Context, from map[string]any) error {
	d.secret.member = map[string]bool{}
	members, err := d.jsonMembers(ctx, "", from)
	if err != nil {
		return err
	}
	if d.body, err = encodeJSON(members); err != nil {
		return &RequestError{Problem: "the JSON body cannot be written"}
	}
	return nil
}

// jsonMembers are the members with their secrets fetched, in a fixed order.
func (d *draft) jsonMembers(ctx context.Context, path string, from map[string]any) (map[string]any, error) {
	members := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(from)) {
		value, at := from[name], memberPath(path, name)
		if f, ok := asSecretFunc(value); ok {
			if f == nil {
				continue
			}
			d.secret.member[at] = true
			secret, err := d.fetch(ctx, at, f)
			if err != nil {
				return nil, err
			}
			value = secret
		}
		written, err := d.jsonValue(ctx, at, value)
		if err != nil {
			return nil, err
		}
		members[name] = written
	}
	return members, nil
}

// jsonValue lets through only what is written as it is meant: a Secret deeper
// in some other type would be sent as the word [redacted], and bytes that are
// not UTF-8 would be sent as others.
func (d *draft) jsonValue(ctx context.Context, at string, value any) (any, error) {
	switch v := value.(type) {
	case map[string]any:
		return d.jsonMembers(ctx, at, v)
	case string:
		if !utf8.ValidString(v) {
			return nil, &RequestError{Problem: "the " + at + " is not UTF-8"}
		}
		return v, nil
	case nil, bool, int:
		return v, nil
	}
	return nil, &RequestError{Problem: "the " + at + " is of a kind that is not written as JSON"}
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

// memberPath names a member within others: data.newPassword.
func memberPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// encodeJSON is json.Marshal without the escapes that are for HTML.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
