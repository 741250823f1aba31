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
	"strings"
	"time"
)

// maxBody is the largest request body the services read, in bytes.
const maxBody = 64 << 10

// FormType is the media type of parameters in a body.
const FormType = "application/x-www-form-urlencoded"

// Exchange is one request on its way through a service.
type Exchange struct {
	*Service
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
func Read(w http.ResponseWriter, r *http.Request, s *Service, secrets *Ledger, now time.Time) *Exchange {
	x := &Exchange{Service: s, Request: r, Now: now, Form: url.Values{}, Secrets: secrets}
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		x.readForm()
	}
	return x
}

func (x *Exchange) readForm() {
	body, err := io.ReadAll(x.Request.Body)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		x.Bad = &BadBody{http.StatusRequestEntityTooLarge, "the request body is too large"}
		return
	}
	if err != nil {
		x.Bad = &BadBody{http.StatusBadRequest, "the request body cannot be read"}
		return
	}
	x.Body = body
	if t, _, err := mime.ParseMediaType(x.Request.Header.Get("Content-Type")); err != nil || t != FormType {
		x.Bad = &BadBody{http.StatusUnsupportedMediaType, "the Content-Type must be " + FormType}
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		x.Bad = &BadBody{http.StatusBadRequest, "the request body is not form-encoded"}
		return
	}
	x.Form = x.given(form)
}

// given returns the parameters that have a value: one without counts as omitted (RFC 6749 §3.1, §3.2). None may be
// included more than once.
func (x *Exchange) given(values url.Values) url.Values {
	values = Given(values)
	if Repeated(values) {
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

// Given leaves parameters without a value out. One that is repeated stays, to be refused.
func Given(values url.Values) url.Values {
	maps.DeleteFunc(values, func(_ string, v []string) bool { return len(v) == 1 && v[0] == "" })
	return values
}

// Repeated reports whether a parameter was sent more than once.
func Repeated(values url.Values) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(values)), func(v []string) bool { return len(v) > 1 })
}

// URL is what was posted to, as the client wrote it.
func (x *Exchange) URL() string { return x.Origin() + x.Request.URL.EscapedPath() }

// Origin is the sandbox as seen from where the request came in.
func (x *Exchange) Origin() string {
	scheme := "http"
	if x.Request.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + x.Request.Host
}

// Lifetime is that of a token issued now, in whole seconds, at least one.
func (x *Exchange) Lifetime(usual time.Duration) time.Duration {
	return max(cmp.Or(x.Orders.Lifetime, usual).Truncate(time.Second), time.Second)
}

// ScopesOf returns the scopes that a client has now.
func (x *Exchange) ScopesOf(c *Client) []string {
	scopes := c.Scopes
	if x.Orders.ClientScopes != nil {
		scopes = x.Orders.ClientScopes
	}
	return slices.DeleteFunc(slices.Clone(scopes), x.pending)
}

func (x *Exchange) pending(scope string) bool { return slices.Contains(x.Orders.Pending, scope) }

// Granted returns what a client gets of the scopes it asks for: all of them, or with the order Narrow those that it
// has. It is not ok when the service is to refuse. Standard are scopes that every client of the service has.
func (x *Exchange) Granted(c *Client, asked string, standard ...string) (scopes []string, ok bool) {
	words, has := strings.Fields(asked), append(x.ScopesOf(c), standard...)
	for _, scope := range words {
		if slices.Contains(has, scope) && !x.pending(scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes, len(scopes) == len(words) || x.Orders.Narrow
}

// Basic reads the header Authorization as the service does.
func (x *Exchange) Basic() Basic { return parseBasic(x.Request.Header, x.FormBasic) }

// ClaimedClient is who the request says it is, by form, query, header or assertion; for the log, nothing is checked.
func (x *Exchange) ClaimedClient() string {
	a, err := parseAssertion(x.Form.Get("client_assertion"))
	if err != nil {
		a = &Assertion{}
	}
	return cmp.Or(x.Form.Get("client_id"), x.Request.URL.Query().Get("client_id"), x.Basic().ID, a.Subject)
}
