package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxForm is the largest request body the services read, in bytes.
const maxForm = 64 << 10

const formType = "application/x-www-form-urlencoded"

// exchange is one request on its way through a service.
type exchange struct {
	s   *Server
	svc service // nil when no service owns the path
	r   *http.Request
	now time.Time
	// form holds the body's parameters; bad says why there are none. The body
	// itself is kept for those endpoints that take JSON.
	form  url.Values
	body  []byte
	bad   *formError
	fault Fault
	entry *Request
}

// formError is why a body is not usable as parameters (RFC 6749 §3.2).
type formError struct {
	status int // the status that fits HTTP best; a service may use another
	text   string
}

// newExchange reads the request, matches it with the faults and logs it. It is
// logged before it is answered, so that a request in a long delay can be seen.
func (s *Server) newExchange(w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{s: s, svc: s.service(r.URL.Path), r: r, now: s.opts.Now(), form: url.Values{}}
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		x.readForm()
	}
	x.fault = s.faults.take(x.serviceName(), r.URL.Path)
	x.entry = s.log.begin(x.describe())
	return x
}

func (x *exchange) serviceName() string {
	if x.svc == nil {
		return ""
	}
	return x.svc.name()
}

func (x *exchange) readForm() {
	body, err := io.ReadAll(x.r.Body)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		x.bad = &formError{http.StatusRequestEntityTooLarge, "the request body is too large"}
		return
	}
	if err != nil {
		x.bad = &formError{http.StatusBadRequest, "the request body cannot be read"}
		return
	}
	x.body = body
	if t, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type")); err != nil || t != formType {
		x.bad = &formError{http.StatusUnsupportedMediaType, "the Content-Type must be " + formType}
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		x.bad = &formError{http.StatusBadRequest, "the request body is not form-encoded"}
		return
	}
	for _, values := range form {
		if len(values) > 1 {
			// RFC 6749 §3.2: parameters must not be included more than once.
			x.bad = &formError{http.StatusBadRequest, "duplicated parameter"}
		}
	}
	x.form = given(form)
}

// given returns the parameters that have a value: one without counts as omitted (RFC
// 6749 §3.1, §3.2). One that is repeated stays, to be refused.
func given(values url.Values) url.Values {
	maps.DeleteFunc(values, func(_ string, v []string) bool { return len(v) == 1 && v[0] == "" })
	return values
}

// takeQuery adds the parameters of the query to those of the body, which go first.
func (x *exchange) takeQuery() {
	for name, values := range given(x.r.URL.Query()) {
		switch {
		case len(values) > 1:
			x.bad = &formError{http.StatusBadRequest, "duplicated parameter"}
		case !x.form.Has(name):
			x.form[name] = values
		}
	}
}

// requestURL is the URL that was posted to, as the client wrote it.
func (x *exchange) requestURL() string { return x.origin() + x.r.URL.EscapedPath() }

func (x *exchange) origin() string {
	scheme := "http"
	if x.r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + x.r.Host
}

// lifetime is that of a token issued now: a fault's, the option's, the service's.
func (x *exchange) lifetime(usual time.Duration) time.Duration {
	if n, err := strconv.Atoi(string(x.fault.ExpiresIn)); err == nil && n > 0 && n <= 86400 {
		return time.Duration(n) * time.Second
	}
	d := cmp.Or(x.s.opts.Lifetimes[x.serviceName()], x.s.opts.Lifetime, usual)
	return max(d.Truncate(time.Second), time.Second)
}

// reply is what a service answers. Fields are the members of the body's object,
// nil when there is no body.
type reply struct {
	status int
	header map[string]string
	fields map[string]any
	// token says that this is a successful token reply, whose fields faults may change.
	token bool
	// form asks for form encoding instead of JSON.
	form bool
	// html is the body of an answer to a browser.
	html string
	// raw replaces the body when a fault says so.
	raw *string
}

func (r reply) with(name, value string) reply {
	h := map[string]string{name: value}
	maps.Copy(h, r.header)
	r.header = h
	return r
}

func oauthError(status int, code, description string) reply {
	fields := map[string]any{"error": code}
	if description != "" {
		fields["error_description"] = description
	}
	return reply{status: status, fields: fields}
}

// answer asks the service, unless the fault answers in its place.
func (x *exchange) answer() reply {
	var rep reply
	switch f := x.fault; {
	case f.Redirect != "":
		rep = reply{status: cmp.Or(f.Status, http.StatusFound)}.with("Location", f.Redirect)
	case f.Body != nil:
		rep = reply{status: cmp.Or(f.Status, http.StatusOK)}
	case f.Status >= 300:
		rep = x.refusal(f.Status, http.StatusText(f.Status))
	case x.svc == nil:
		rep = x.refusal(http.StatusNotFound, "no service has this path")
	default:
		rep = x.svc.serve(x)
	}
	return x.fault.apply(rep)
}

func (x *exchange) refusal(status int, text string) reply {
	if x.svc == nil {
		return reply{status: status, fields: map[string]any{"error": text}}
	}
	return x.svc.refusal(status, text)
}

// issued adds what every service's token reply shares. A refresh token is added
// when one is given.
func (x *exchange) issued(g *grant, access, tokenType string, lifetime time.Duration, refresh string) reply {
	x.remember(g, access, accessToken, lifetime)
	fields := map[string]any{
		"access_token": access,
		"token_type":   tokenType,
		"expires_in":   int(lifetime / time.Second),
	}
	if refresh != "" {
		x.s.ledger.add(refresh)
		fields["refresh_token"] = refresh
	}
	return reply{status: http.StatusOK, fields: fields, token: true}
}

// remember makes a token known: as good, and as secret.
func (x *exchange) remember(g *grant, token string, kind tokenKind, lifetime time.Duration) {
	x.s.tokens.remember(token, issuedToken{grant: g, kind: kind, issued: x.now, expires: x.now.Add(lifetime)})
	x.s.ledger.add(token)
}

// rotates reports whether a refresh replaces the refresh token. A reply that
// omits it by fault leaves the old one in place, else nobody could go on.
func (x *exchange) rotates() bool {
	return !x.s.opts.KeepRefreshTokens && !x.fault.omits("refresh_token")
}

// deliver writes a reply, late or cut short if the fault says so. The service
// has done its work by then: a client that hangs up has spent its refresh token.
func (x *exchange) deliver(w http.ResponseWriter, rep reply) {
	if !x.wait() {
		return
	}
	if x.fault.Drop {
		panic(http.ErrAbortHandler)
	}
	body, contentType := rep.encode()
	h := w.Header()
	// RFC 6749 §5.1 asks for both.
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	if t := cmp.Or(x.fault.ContentType, contentType); t != "" {
		h.Set("Content-Type", t)
	} else {
		h["Content-Type"] = nil // else net/http guesses one
	}
	for name, value := range rep.header {
		h.Set(name, value)
	}
	if rep.status != http.StatusNoContent { // RFC 9110 §8.6
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	x.s.log.finish(x.entry, rep.status)
	w.WriteHeader(rep.status)
	if cut := x.fault.Truncate; cut != nil && *cut < len(body) {
		_, _ = io.WriteString(w, body[:*cut]) //nolint:gosec // not a page: no browser gets past the Host check
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(w, body) //nolint:gosec // as above
}

// wait sleeps through the fault's delay and reports whether the client is still
// there.
func (x *exchange) wait() bool {
	if x.fault.DelayMS == 0 {
		return true
	}
	t := time.NewTimer(time.Duration(x.fault.DelayMS) * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-x.r.Context().Done():
		return false
	}
}

// encode returns body and content type.
func (r reply) encode() (body, contentType string) {
	switch {
	case r.raw != nil:
		return *r.raw, "application/json"
	case r.html != "":
		return r.html, "text/html; charset=utf-8"
	case r.fields == nil:
		return "", ""
	case r.form:
		return formEncode(r.fields), formType
	}
	b, err := json.Marshal(r.fields)
	if err != nil {
		return `{"error":"the sandbox could not encode its reply"}`, "application/json"
	}
	return string(b), "application/json"
}

// formEncode writes an object of scalars as parameters.
func formEncode(fields map[string]any) string {
	form := url.Values{}
	for name, value := range fields {
		text := fmt.Sprint(value)
		if raw, ok := value.(json.RawMessage); ok {
			text = strings.Trim(string(raw), `"`)
		}
		form.Set(name, text)
	}
	return form.Encode()
}

// writeJSON answers on behalf of the sandbox itself.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
