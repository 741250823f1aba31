package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/authctl/authctl/internal/sandbox/service"
)

const (
	maxFaultJSON = 8 << 20 // bytes; big replies are worth a test
	maxDelayMS   = 10 * 60 * 1000
)

// Fault is one way to misbehave. Of the faults added, the first that matches a request applies, and only that one. As
// JSON it is what POST /_sandbox/faults takes. A fault with Status from 300, Body or Redirect answers instead of the
// service; all others change what the service did and said.
type Fault struct {
	// Service and Path say whom it hits: a service's name and a whole path, either of them empty for any.
	Service string `json:"service,omitzero"`
	Path    string `json:"path,omitzero"`
	// Times is how many requests it hits; 0 means all until cleared.
	Times int `json:"times,omitzero"`
	// Status is the HTTP status, 200 to 599. Without Body, the service's usual error body for it is sent.
	Status int `json:"status,omitzero"`
	// DelayMS is how long the answer is held back, in milliseconds, up to ten minutes. The service has done its work
	// before.
	DelayMS int `json:"delay_ms,omitzero"`
	// Body replaces the reply's body; with an empty Status the status is 200.
	Body *string `json:"body,omitzero"`
	// ContentType replaces the reply's.
	ContentType string `json:"content_type,omitzero"`
	// Truncate cuts the connection after so many bytes of the body.
	Truncate *int `json:"truncate,omitzero"`
	// RetryAfter is the header: seconds or an HTTP date (RFC 9110 §10.2.3).
	RetryAfter string `json:"retry_after,omitzero"`
	// ExpiresIn replaces the field by any JSON value, as written; the text "missing" removes it. A whole number of
	// seconds up to a day is also the lifetime the token then really has.
	ExpiresIn json.RawMessage `json:"expires_in,omitzero"`
	// TokenType replaces the field.
	TokenType *string `json:"token_type,omitzero"`
	// ScopeEncoded percent-encodes the reply's scope field, as Talkdesk's page may be read.
	ScopeEncoded bool `json:"scope_encoded,omitzero"`
	// Drop closes the connection instead of answering. The service has done its work before.
	Drop bool `json:"drop,omitzero"`
	// Redirect is a Location; the status is 302 unless Status is another redirect.
	Redirect string `json:"redirect,omitzero"`
	// ScopePending are scopes that a service grants only after the fault is gone: it refuses them in its way, or with
	// Narrow leaves them out.
	ScopePending []string `json:"scope_pending,omitzero"`
	// ClientScopes are exactly the scopes that every client has: asking for another is refused in the service's way.
	// The standard scopes of Pexip's realm stay. It hits requests that ask for scopes: a refresh keeps what was
	// granted.
	ClientScopes []string `json:"client_scopes,omitzero"`
	// Narrow grants what the client has of the scopes asked for, and says so in the reply's scope, instead of refusing
	// (RFC 6749 §3.3). Where nothing is left, Pexip grants its default scopes; the others refuse.
	Narrow bool `json:"narrow,omitzero"`
	// RefreshToken makes token replies carry a refresh token for any grant.
	RefreshToken bool `json:"refresh_token,omitzero"`
	// Omit are fields and headers ("X-GWS-User") that successful replies lack. A refresh that omits the refresh token
	// does not spend the old one.
	Omit []string `json:"omit,omitzero"`
	// Extra are fields that successful replies, if they are JSON, have beside or instead of the usual.
	Extra map[string]json.RawMessage `json:"extra,omitzero"`
	// Callback are query parameters that the redirect back to the client has beside or instead of the usual: iss (RFC
	// 9207), another state, an error. An empty value removes one. The request that is answered so is the POST of the
	// sign-in page, /auth/v3/sign-in or /oauth/sign-in; Times counts the GET that shows the page as well.
	Callback map[string]string `json:"callback,omitzero"`
}

func (f Fault) hasEffect() bool {
	f.Service, f.Path, f.Times = "", "", 0
	return !reflect.ValueOf(f).IsZero()
}

// check returns what is wrong with a fault, nil when it can be used.
func (f Fault) check(services []*service.Service) error {
	if !f.hasEffect() {
		return errors.New("the fault does nothing")
	}
	return cmp.Or(f.checkTarget(services), f.checkNumbers(), f.checkTogether(), f.checkValues())
}

func (f Fault) checkTarget(services []*service.Service) error {
	var names []string
	for _, svc := range services {
		names = append(names, svc.Name)
		if f.Service == svc.Name && svc.OneScope && (f.ClientScopes != nil || f.Narrow || f.ScopePending != nil) {
			return fmt.Errorf("client_scopes, narrow and scope_pending: %s has one scope, which every client has", svc.Name)
		}
	}
	if f.Service != "" && !slices.Contains(names, f.Service) {
		return fmt.Errorf("service: %q is not one of %s", f.Service, strings.Join(names, ", "))
	}
	if f.Path != "" && !strings.HasPrefix(f.Path, "/") {
		return fmt.Errorf("path: %q does not begin with a slash", f.Path)
	}
	return nil
}

func (f Fault) checkNumbers() error {
	switch {
	case f.Times < 0:
		return fmt.Errorf("times: %d is below zero", f.Times)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status: %d is not between 200 and 599", f.Status)
	case f.DelayMS < 0 || f.DelayMS > maxDelayMS:
		return fmt.Errorf("delay_ms: %d is not between 0 and %d", f.DelayMS, maxDelayMS)
	case f.Truncate != nil && *f.Truncate < 0:
		return fmt.Errorf("truncate: %d is below zero", *f.Truncate)
	}
	return nil
}

func (f Fault) checkTogether() error {
	switch {
	case f.Drop && f.Truncate != nil:
		return errors.New("drop: cannot go with truncate")
	case f.Redirect != "" && f.Status != 0 && !isRedirect(f.Status):
		return fmt.Errorf("redirect: status %d is not one of 301, 302, 303, 307, 308", f.Status)
	}
	return nil
}

// checkValues looks at what goes into headers and JSON as it is.
func (f Fault) checkValues() error {
	if !validRetryAfter(f.RetryAfter) {
		return fmt.Errorf("retry_after: %q is neither seconds nor an HTTP date", f.RetryAfter)
	}
	if service.HasControl(f.ContentType) || service.HasControl(f.Redirect) {
		return errors.New("content_type and redirect: control characters cannot be sent")
	}
	if f.ExpiresIn != nil && !json.Valid(f.ExpiresIn) {
		return errors.New("expires_in: not a JSON value")
	}
	for _, scope := range f.ClientScopes {
		if scope == "" || strings.ContainsFunc(scope, unicode.IsSpace) {
			return fmt.Errorf("client_scopes: %q is not one scope", scope)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Extra)) {
		if !json.Valid(f.Extra[name]) {
			return fmt.Errorf("extra: %q is not a JSON value", name)
		}
	}
	return nil
}

func isRedirect(status int) bool { return slices.Contains([]int{301, 302, 303, 307, 308}, status) }

func validRetryAfter(v string) bool {
	if v == "" {
		return true
	}
	if _, err := strconv.ParseUint(v, 10, 31); err == nil {
		return true
	}
	_, err := http.ParseTime(v)
	return err == nil
}

// orders are what the service is to do otherwise: by the options, and by the fault.
func (f Fault) orders(o Options, name string) service.Orders {
	orders := service.Orders{
		Lifetime:     cmp.Or(o.Lifetimes[name], o.Lifetime),
		ClientScopes: f.ClientScopes, Pending: f.ScopePending, Narrow: f.Narrow,
		RefreshToken: f.RefreshToken,
		// A reply that omits it leaves the old one in place, else nobody could go on.
		KeepRefresh: o.KeepRefreshTokens || slices.Contains(f.Omit, "refresh_token"),
		Callback:    f.Callback,
	}
	if n, err := strconv.Atoi(string(f.ExpiresIn)); err == nil && n > 0 && n <= 86400 {
		orders.Lifetime = time.Duration(n) * time.Second
	}
	return orders
}

// answer asks the service, unless the fault answers in its place.
func (f Fault) answer(x *service.Exchange, host *service.Host) service.Reply {
	switch {
	case f.Redirect != "":
		return f.apply(service.Reply{Status: cmp.Or(f.Status, http.StatusFound)}.With("Location", f.Redirect))
	case f.Body != nil:
		return f.apply(service.Reply{Status: cmp.Or(f.Status, http.StatusOK)})
	case f.Status >= http.StatusMultipleChoices:
		return f.apply(host.Refuse(f.Status, http.StatusText(f.Status)))
	}
	return f.apply(host.Answer(x))
}

// apply changes a reply as the fault says.
func (f Fault) apply(rep service.Reply) service.Reply {
	rep.ContentType = cmp.Or(f.ContentType, rep.ContentType)
	if f.Body != nil {
		rep.Text = f.Body
	}
	if f.RetryAfter != "" {
		rep = rep.With("Retry-After", f.RetryAfter)
	}
	if rep.Status >= http.StatusMultipleChoices {
		return rep
	}
	rep.Status = cmp.Or(f.Status, rep.Status)
	if rep.Token {
		f.applyToToken(rep)
	}
	for _, name := range f.Omit {
		delete(rep.Fields, name)
		delete(rep.Header, http.CanonicalHeaderKey(name))
	}
	for name, value := range f.Extra {
		if rep.Fields != nil {
			rep.Fields[name] = value
		}
	}
	return rep
}

// wait sleeps through the delay and ends the connection that is to be dropped. The service has done its work by then:
// a client that hangs up has spent its refresh token.
func (f Fault) wait(ctx context.Context) {
	t := time.NewTimer(time.Duration(f.DelayMS) * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		panic(http.ErrAbortHandler)
	}
	if f.Drop {
		panic(http.ErrAbortHandler)
	}
}

// send writes a reply, or what the fault leaves of it.
func (f Fault) send(w http.ResponseWriter, rep service.Reply) {
	body := rep.Begin(w)
	if f.Truncate != nil && *f.Truncate < len(body) {
		_, _ = io.WriteString(w, body[:*f.Truncate]) //nolint:gosec // not a page: no browser gets past the Host check
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(w, body) //nolint:gosec // as above
}

// applyToToken changes the fields that only token replies have.
func (f Fault) applyToToken(rep service.Reply) {
	if f.ExpiresIn != nil {
		rep.Fields["expires_in"] = f.ExpiresIn
	}
	if string(f.ExpiresIn) == `"missing"` {
		delete(rep.Fields, "expires_in")
	}
	if f.TokenType != nil {
		rep.Fields["token_type"] = *f.TokenType
	}
	if scope, ok := rep.Fields["scope"].(string); ok && f.ScopeEncoded {
		rep.Fields["scope"] = strings.ReplaceAll(url.QueryEscape(scope), "+", "%20")
	}
}

// faultList holds the faults in the order added.
type faultList struct {
	services []*service.Service // whom they can hit

	mu   sync.Mutex
	list []Fault
}

func (l *faultList) add(f Fault) error {
	if err := f.check(l.services); err != nil {
		return fmt.Errorf("fault: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, f)
	return nil
}

func (l *faultList) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = nil
}

func (l *faultList) all() []Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Fault{}, l.list...)
}

// take returns the fault for a request, the zero Fault when there is none, and counts it down.
func (l *faultList) take(service, path string) Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.list, func(f Fault) bool {
		return (f.Service == "" || f.Service == service) && (f.Path == "" || f.Path == path)
	})
	if i < 0 {
		return Fault{}
	}
	f := l.list[i]
	switch f.Times {
	case 0:
	case 1:
		l.list = slices.Delete(l.list, i, i+1)
	default:
		l.list[i].Times--
	}
	return f
}

// parseFault reads a fault strictly: a misspelt field would make a test pass that tests nothing.
func parseFault(body []byte) (Fault, error) {
	var f Fault
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return Fault{}, fmt.Errorf("fault: %w", plainJSONError(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Fault{}, errors.New("fault: there is more than one JSON value")
	}
	return f, nil
}

// plainJSONError says in the fault's own words what encoding/json says in Go's.
func plainJSONError(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s: a JSON %s does not fit here", cmp.Or(t.Field, "the body"), t.Value)
	}
	if errors.Is(err, io.EOF) {
		return errors.New("the body is empty")
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}

// postFault adds a fault in JSON; with an error it returns the status too.
func (s *Server) postFault(body io.Reader) (int, error) {
	b, err := io.ReadAll(body)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge, fmt.Errorf("fault: larger than %d bytes", maxFaultJSON)
	}
	if err != nil {
		return http.StatusBadRequest, fmt.Errorf("fault: reading the body: %w", err)
	}
	f, err := parseFault(b)
	if err == nil {
		err = s.faults.add(f)
	}
	return http.StatusBadRequest, err
}
