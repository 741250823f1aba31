package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// controlPrefix is where the sandbox itself answers, beside the services.
	controlPrefix = "/_sandbox/"
	redacted      = "[redacted]"
	// maxKept bounds the log and the list of issued tokens.
	maxKept = 10_000
)

// Request is one logged request. Nothing in it is secret.
type Request struct {
	// Time is the arrival, by the sandbox's clock.
	Time time.Time `json:"time"`
	// Service is the service's name, empty for a path no service has.
	Service string `json:"service"`
	Method  string `json:"method"`
	Path    string `json:"path"`
	// Status is the HTTP status sent; 0 while there is none, or when the
	// connection ended before.
	Status int `json:"status"`
	// Fault says that a fault had a part in the answer.
	Fault bool `json:"fault,omitzero"`
	// ClientID is the client the request claims to be, whether or not it proved it.
	ClientID  string `json:"client_id"`
	GrantType string `json:"grant_type"`
	Scope     string `json:"scope"`
	// Headers, Query and Form are what was sent, several values joined by ", ",
	// each secret one replaced by "[redacted]".
	Headers map[string]string `json:"headers"`
	Query   map[string]string `json:"query"`
	Form    map[string]string `json:"form"`
	// JSON are the members of a JSON body, those of an object in it by both names
	// ("data.userName"), secret ones replaced in the same way. What lies deeper
	// is left out.
	JSON map[string]string `json:"json,omitzero"`
}

// requestLog holds pointers, so that a status can be filled in after clear.
type requestLog struct {
	mu      sync.Mutex
	entries []*Request
}

func (l *requestLog) begin(r Request) *Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = keepLast(append(l.entries, &r))
	return &r
}

func (l *requestLog) finish(r *Request, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Status = status
}

func (l *requestLog) list() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Request, len(l.entries))
	for i, r := range l.entries {
		out[i] = *r
	}
	return out
}

func (l *requestLog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = nil
}

// keepLast drops the oldest when there are too many. It lets the list grow a
// little beyond, so that not every addition moves all of it.
func keepLast[T any](list []T) []T {
	if len(list) < maxKept+maxKept/10 {
		return list
	}
	return slices.Delete(list, 0, len(list)-maxKept)
}

// describe is the log entry of a request.
func (x *exchange) describe() Request {
	return Request{
		Time:      x.now,
		Service:   x.serviceName(),
		Method:    x.r.Method,
		Path:      x.s.ledger.redact(x.r.URL.Path),
		Fault:     x.fault.hasEffect(),
		ClientID:  x.s.ledger.redact(x.claimedClient()),
		GrantType: x.s.ledger.redact(x.form.Get("grant_type")),
		Scope:     x.s.ledger.redact(cmp.Or(x.form.Get("scope"), x.r.URL.Query().Get("scope"))),
		Headers:   x.s.redactAll(url.Values(x.r.Header)),
		Query:     x.s.redactAll(x.r.URL.Query()),
		Form:      x.s.redactAll(x.form),
		JSON:      x.describeJSON(),
	}
}

// describeJSON is the log's view of a JSON body, nil when there is none.
func (x *exchange) describeJSON() map[string]string {
	var body map[string]any
	if len(x.body) == 0 || json.Unmarshal(x.body, &body) != nil {
		return nil
	}
	out := map[string]string{}
	for name, value := range body {
		inner, ok := value.(map[string]any)
		if !ok {
			x.describeMember(out, name, name, value)
		}
		for k, v := range inner {
			x.describeMember(out, name+"."+k, k, v)
		}
	}
	return out
}

func (x *exchange) describeMember(out map[string]string, path, name string, value any) {
	text := fmt.Sprint(value)
	switch value.(type) {
	case map[string]any, []any:
		text = "…"
	}
	if text = x.s.ledger.redact(text); isSecretName(name) {
		text = redacted
	}
	out[path] = text
}

// redactAll joins each name's values and hides the secret ones: those with a
// secret's name, and any that hold a secret the sandbox knows.
func (s *Server) redactAll(values url.Values) map[string]string {
	out := make(map[string]string, len(values))
	for name, v := range values {
		text := s.ledger.redact(strings.Join(v, ", "))
		if isSecretName(name) {
			text = redacted
		}
		out[name] = text
	}
	return out
}

func isSecretName(name string) bool {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization", "x-api-key", "x-gws-user", "cookie", "session",
		"client_secret", "client_assertion", "assertion", "code", "code_verifier",
		"password", "oldpassword", "newpassword",
		"token", "access_token", "refresh_token", "id_token", "id_token_hint":
		return true
	}
	return false
}

// ledger knows every secret there is, to find leaks and to keep the log clean.
type ledger struct {
	mu     sync.Mutex
	fixed  []string
	tokens []string
}

func (l *ledger) learn(secret string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.fixed, secret) {
		l.fixed = append(l.fixed, secret)
	}
}

func (l *ledger) add(token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens = keepLast(append(l.tokens, token))
}

func (l *ledger) list() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Concat(l.fixed, l.tokens)
}

// redact replaces a text that holds a fixed secret, the marker, or what may be a
// JWT, as a whole.
func (l *ledger) redact(text string) string {
	if text == "" {
		return text
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	jwt := strings.Contains(text, "eyJ") && strings.Count(text, ".") >= 2
	if jwt || strings.Contains(text, Marker) ||
		slices.ContainsFunc(l.fixed, func(secret string) bool { return strings.Contains(text, secret) }) {
		return redacted
	}
	return text
}

// control answers below /_sandbox/. Pages of other origins have no business
// here: a browser marks their calls with Origin or Sec-Fetch-Site.
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	site := r.Header.Get("Sec-Fetch-Site")
	if r.Header.Get("Origin") != "" || (site != "" && site != "none" && site != "same-origin") {
		writeJSON(w, http.StatusForbidden, map[string]any{"error": "calls by web pages are refused"})
		return
	}
	switch r.URL.Path {
	case controlPrefix + "requests":
		s.controlRequests(w, r)
	case controlPrefix + "faults":
		s.controlFaults(w, r)
	default:
		writeJSON(w, http.StatusNotFound, map[string]any{
			"error": "no such path: there are " + controlPrefix + "requests and " + controlPrefix + "faults",
		})
	}
}

func (s *Server) controlRequests(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
	case http.MethodDelete:
		s.log.clear()
	default:
		refuseMethod(w, "GET, DELETE")
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"requests": s.log.list()})
}

func refuseMethod(w http.ResponseWriter, allow string) {
	w.Header().Set("Allow", allow)
	writeJSON(w, http.StatusMethodNotAllowed, map[string]any{"error": "method not allowed: use " + allow})
}
