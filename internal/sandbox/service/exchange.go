package service

import (
	"cmp"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// maxBody is the largest request body the services read, in bytes.
const maxBody = 64 << 10

// FormType is the media type of parameters in a body.
const FormType = "application/x-www-form-urlencoded"

// Exchange is one request on its way through a service.
type Exchange struct {
	*Service
	Host    *Host
	Request *http.Request
	Now     time.Time
	// Form holds the body's parameters; Bad says why there are none. The body itself is kept for those endpoints that
	// take JSON.
	Form    url.Values
	Body    []byte
	Bad     *BadBody
	Orders  Orders
	Secrets *Ledger
}

// BadBody is why a body is not usable as parameters (RFC 6749 §3.2).
type BadBody struct {
	Status int // the status that fits HTTP best; a service may use another
	Text   string
}

// Orders are what a service does otherwise than its page says, for one request.
type Orders struct {
	// Lifetime replaces that of an access token.
	Lifetime time.Duration
	// KeepRefresh makes a refresh leave the refresh token as it is, RefreshToken gives one for any grant.
	KeepRefresh, RefreshToken bool
	// ClientScopes, unless nil, are exactly the scopes that every client has. Pending ones are not granted to anyone.
	// Narrow leaves out what is refused otherwise.
	ClientScopes, Pending []string
	Narrow                bool
	// Callback are parameters of the redirect back to a client; an empty one is removed.
	Callback map[string]string
}

// Read begins an exchange.
func Read(w http.ResponseWriter, r *http.Request, s *Service, h *Host, secrets *Ledger, now time.Time) *Exchange {
	x := &Exchange{Service: s, Host: h, Request: r, Now: now, Form: url.Values{}, Secrets: secrets}
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		x.readForm()
	}
	return x
}

func (x *Exchange) readForm() {
	body, err := io.ReadAll(x.Request.Body)
	form, unreadable := url.ParseQuery(string(body))
	media, _, _ := mime.ParseMediaType(x.Request.Header.Get("Content-Type"))
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case tooLarge:
		x.Bad = &BadBody{http.StatusRequestEntityTooLarge, "the request body is too large"}
	case err != nil:
		x.Bad = &BadBody{http.StatusBadRequest, "the request body cannot be read"}
	case media != FormType:
		x.Body, x.Bad = body, &BadBody{http.StatusUnsupportedMediaType, "the Content-Type must be " + FormType}
	case unreadable != nil:
		x.Bad = &BadBody{http.StatusBadRequest, "the request body is not form-encoded"}
	default:
		x.Body, x.Form = body, x.given(form)
	}
}

// given returns the parameters that have a value: one without counts as omitted (RFC 6749 §3.1, §3.2). None may be
// included more than once; one that is stays, to be refused.
func (x *Exchange) given(values url.Values) url.Values {
	maps.DeleteFunc(values, func(_ string, v []string) bool { return len(v) == 1 && v[0] == "" })
	if repeated(values) {
		x.Bad = &BadBody{http.StatusBadRequest, "duplicated parameter"}
	}
	return values
}

// TakeQuery adds the parameters of the query to those of the body, which go first.
func (x *Exchange) TakeQuery() {
	for name, values := range x.given(x.Request.URL.Query()) {
		if !x.Form.Has(name) {
			x.Form[name] = values
		}
	}
}

// repeated reports whether a parameter was sent more than once.
func repeated(values url.Values) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(values)), func(v []string) bool { return len(v) > 1 })
}

// Origin is the sandbox as seen from where the request came in.
func (x *Exchange) Origin() string { return "http://" + x.Request.Host }

// ClaimedClient is who the request says it is, by form, query, header or assertion; for the log, nothing is checked.
func (x *Exchange) ClaimedClient() string {
	a, err := x.assertion()
	if err != nil {
		a = &assertion{}
	}
	return cmp.Or(x.Form.Get("client_id"), x.Request.URL.Query().Get("client_id"), x.basic().id, a.Subject)
}
