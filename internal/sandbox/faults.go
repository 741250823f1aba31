package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

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
	// Service and Path say whom it hits: a service's name and a whole path, either of them empty for any; Times, how
	// many requests: 0 means all until cleared.
	Service string `json:"service,omitzero"`
	Path    string `json:"path,omitzero"`
	Times   int    `json:"times,omitzero"`
	// Status is the HTTP status, 200 to 599; without Body, the service's usual error body for it is sent. Body replaces
	// the reply's, by default with 200, and ContentType its type. RetryAfter is the header: seconds or an HTTP date (RFC
	// 9110 §10.2.3). Redirect is a Location; the status is 302 unless Status is another redirect.
	Status      int     `json:"status,omitzero"`
	Body        *string `json:"body,omitzero"`
	ContentType string  `json:"content_type,omitzero"`
	RetryAfter  string  `json:"retry_after,omitzero"`
	Redirect    string  `json:"redirect,omitzero"`
	// DelayMS is how long the answer is held back, in milliseconds, up to ten minutes. Truncate cuts the connection
	// after so many bytes of the body, Drop before the answer. The service has done its work before.
	DelayMS  int  `json:"delay_ms,omitzero"`
	Truncate *int `json:"truncate,omitzero"`
	Drop     bool `json:"drop,omitzero"`
	// ExpiresIn replaces the field by any JSON value, as written; the text "missing" removes it. A whole number of
	// seconds up to a day is also the lifetime the token then really has.
	ExpiresIn json.RawMessage `json:"expires_in,omitzero"`
	// TokenType replaces the field. ScopeEncoded percent-encodes the field scope, as Talkdesk's page may be read.
	// RefreshToken makes token replies carry a refresh token for any grant.
	TokenType    *string `json:"token_type,omitzero"`
	ScopeEncoded bool    `json:"scope_encoded,omitzero"`
	RefreshToken bool    `json:"refresh_token,omitzero"`
	// ScopePending are scopes that a service refuses in its way until the fault is gone. ClientScopes are exactly the
	// scopes that every client has, beside the standard ones of Pexip's realm; a refresh keeps what was granted. Narrow
	// grants what the client has of the scopes asked for, instead of refusing (RFC 6749 §3.3). Where nothing is left,
	// Pexip grants its default scopes; the others refuse.
	ScopePending []string `json:"scope_pending,omitzero"`
	ClientScopes []string `json:"client_scopes,omitzero"`
	Narrow       bool     `json:"narrow,omitzero"`
	// Omit are fields and headers ("X-GWS-User") that successful replies lack, Extra fields that those in JSON have
	// beside or instead of the usual. A refresh that omits the refresh token does not spend the old one.
	Omit  []string                   `json:"omit,omitzero"`
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
	var names []string
	oneScope := false
	for _, svc := range services {
		names = append(names, svc.Name)
		oneScope = oneScope || svc.Name == f.Service && svc.OneScope
	}
	cut := 0
	if f.Truncate != nil {
		cut = *f.Truncate
	}
	named := func(name string, value any) string { return fmt.Sprintf("%s: %#v is ", name, value) }
	redirects := []int{0, 301, 302, 303, 307, 308}
	for _, rule := range []struct {
		broken bool
		text   string
	}{
		{!f.hasEffect(), "the fault does nothing"},
		{
			f.Service != "" && !slices.Contains(names, f.Service),
			named("service", f.Service) + "not one of " + strings.Join(names, ", "),
		},
		{
			oneScope && (f.ClientScopes != nil || f.Narrow || f.ScopePending != nil),
			"client_scopes, narrow and scope_pending: " + f.Service + " has one scope, which every client has",
		},
		{f.Path != "" && !strings.HasPrefix(f.Path, "/"), named("path", f.Path) + "no path: it has no slash before it"},
		{f.Times < 0, named("times", f.Times) + "below zero"},
		{f.Status != 0 && (f.Status < 200 || f.Status > 599), named("status", f.Status) + "not between 200 and 599"},
		{f.DelayMS < 0 || f.DelayMS > maxDelayMS, named("delay_ms", f.DelayMS) + "not between 0 and 600000"},
		{cut < 0, named("truncate", cut) + "below zero"},
		{f.Drop && f.Truncate != nil, "drop: cannot go with truncate"},
		{
			f.Redirect != "" && !slices.Contains(redirects, f.Status),
			fmt.Sprintf("redirect: status %d is not one of %v", f.Status, redirects[1:]),
		},
		{!validRetryAfter(f.RetryAfter), named("retry_after", f.RetryAfter) + "neither seconds nor an HTTP date"},
	} {
		if rule.broken {
			return errors.New("fault: " + rule.text)
		}
	}
	return nil
}

func validRetryAfter(v string) bool {
	_, notSeconds := strconv.ParseUint(v, 10, 31)
	_, notDate := http.ParseTime(v)
	return v == "" || notSeconds == nil || notDate == nil
}

// parseFault reads a fault strictly: a misspelt field would make a test pass that tests nothing.
func parseFault(body []byte) (f Fault, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err = d.Decode(&f)
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return f, fmt.Errorf("fault: %s: a JSON %s does not fit here", cmp.Or(t.Field, "the body"), t.Value)
	}
	if errors.Is(err, io.EOF) {
		return f, errors.New("fault: the body is empty")
	}
	if err != nil {
		return f, fmt.Errorf("fault: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return f, errors.New("fault: there is more than one JSON value")
	}
	return f, nil
}

// orders are what the service is to do otherwise.
func (f Fault) orders() service.Orders {
	orders := service.Orders{
		ClientScopes: f.ClientScopes, Pending: f.ScopePending, Narrow: f.Narrow,
		RefreshToken: f.RefreshToken, Callback: f.Callback,
		// A reply that omits it leaves the old one in place, else nobody could go on.
		KeepRefresh: slices.Contains(f.Omit, "refresh_token"),
	}
	if n, err := strconv.Atoi(string(f.ExpiresIn)); err == nil && n > 0 && n <= 86400 {
		orders.Lifetime = time.Duration(n) * time.Second
	}
	return orders
}

// answer asks the service, unless the fault answers in its place.
func (f Fault) answer(x *service.Exchange) service.Reply {
	switch {
	case f.Redirect != "":
		return f.apply(service.Reply{Status: cmp.Or(f.Status, http.StatusFound)}.With("Location", f.Redirect))
	case f.Body != nil:
		return f.apply(service.Reply{Status: cmp.Or(f.Status, http.StatusOK)})
	case f.Status >= http.StatusMultipleChoices:
		return f.apply(x.Host.Error(f.Status, "", http.StatusText(f.Status)))
	}
	return f.apply(x.Host.Answer(x))
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
		f.applyToToken(rep.Fields)
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

// applyToToken changes the fields that only token replies have.
func (f Fault) applyToToken(fields map[string]any) {
	if f.ExpiresIn != nil {
		fields["expires_in"] = f.ExpiresIn
	}
	if string(f.ExpiresIn) == `"missing"` {
		delete(fields, "expires_in")
	}
	if f.TokenType != nil {
		fields["token_type"] = *f.TokenType
	}
	if scope, ok := fields["scope"].(string); ok && f.ScopeEncoded {
		fields["scope"] = strings.ReplaceAll(url.QueryEscape(scope), "+", "%20")
	}
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
	cut := f.Truncate != nil && *f.Truncate < len(body)
	if cut {
		body = body[:*f.Truncate]
	}
	_, _ = io.WriteString(w, body)
	if cut {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}
