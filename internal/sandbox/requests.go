package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
)

// controlPrefix is where the sandbox itself answers, beside the services.
const controlPrefix = "/_sandbox/"

// Request is one logged request. Nothing in it is secret.
type Request struct {
	// Time is the arrival, by the sandbox's clock.
	Time time.Time `json:"time"`
	// Service is the service's name, empty for a path no service has.
	Service string `json:"service"`
	Method  string `json:"method"`
	Path    string `json:"path"`
	// Status is the HTTP status sent; 0 while there is none, or when the connection ended before.
	Status int `json:"status"`
	// Fault says that a fault had a part in the answer.
	Fault bool `json:"fault,omitzero"`
	// ClientID is the client the request claims to be, whether or not it proved it.
	ClientID  string `json:"client_id"`
	GrantType string `json:"grant_type"`
	Scope     string `json:"scope"`
	// Headers, Query and Form are what was sent, several values joined by ", ", each secret one replaced by
	// "[redacted]".
	Headers map[string]string `json:"headers"`
	Query   map[string]string `json:"query"`
	Form    map[string]string `json:"form"`
	// JSON are the members of a JSON body, those of an object in it by both names ("data.userName"), secret ones
	// replaced in the same way. What lies deeper is left out.
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
	l.entries = service.KeepLast(append(l.entries, &r))
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

// describe is the log entry of a request.
func (s *Server) describe(x *service.Exchange, f Fault) Request {
	redact, query := s.secrets.Redact, x.Request.URL.Query()
	return Request{
		Time:      x.Now,
		Service:   x.Name,
		Method:    x.Request.Method,
		Path:      redact(x.Request.URL.Path),
		Fault:     f.hasEffect(),
		ClientID:  redact(x.ClaimedClient()),
		GrantType: redact(x.Form.Get("grant_type")),
		Scope:     redact(cmp.Or(x.Form.Get("scope"), query.Get("scope"))),
		Headers:   s.redactAll(url.Values(x.Request.Header)),
		Query:     s.redactAll(query),
		Form:      s.redactAll(x.Form),
		JSON:      s.describeJSON(x.Body),
	}
}

// describeJSON is the log's view of a JSON body, nil when there is none.
func (s *Server) describeJSON(text []byte) map[string]string {
	var body map[string]any
	if len(text) == 0 || json.Unmarshal(text, &body) != nil {
		return nil
	}
	out := map[string]string{}
	for name, value := range body {
		inner, ok := value.(map[string]any)
		if !ok {
			out[name] = s.redacted(name, member(value))
		}
		for k, v := range inner {
			out[name+"."+k] = s.redacted(k, member(v))
		}
	}
	return out
}

// member is a member of a JSON body in text; what lies deeper is left out.
func member(value any) string {
	switch value.(type) {
	case map[string]any, []any:
		return "…"
	}
	return fmt.Sprint(value)
}

// redactAll joins each name's values and hides the secret ones.
func (s *Server) redactAll(values url.Values) map[string]string {
	out := make(map[string]string, len(values))
	for name, v := range values {
		out[name] = s.redacted(name, strings.Join(v, ", "))
	}
	return out
}

// redacted hides a text with a secret's name, and any that holds a secret the sandbox knows.
func (s *Server) redacted(name, text string) string {
	if isSecretName(name) {
		return service.Redacted
	}
	return s.secrets.Redact(text)
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

// control answers below /_sandbox/. Pages of other origins have no business here: a browser marks their calls with
// Origin or Sec-Fetch-Site.
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	site := r.Header.Get("Sec-Fetch-Site")
	if r.Header.Get("Origin") != "" || (site != "" && site != "none" && site != "same-origin") {
		writeError(w, http.StatusForbidden, "calls by web pages are refused")
		return
	}
	const requests, faults = controlPrefix + "requests", controlPrefix + "faults"
	allow := map[string]string{requests: "GET, DELETE", faults: "GET, POST, DELETE"}[r.URL.Path]
	switch r.Method + " " + r.URL.Path {
	case "DELETE " + requests:
		s.log.clear()
	case "DELETE " + faults:
		s.faults.clear()
	case "POST " + faults:
		if status, err := s.postFault(http.MaxBytesReader(w, r.Body, maxFaultJSON)); err != nil {
			writeError(w, status, err.Error())
			return
		}
	case "GET " + requests, "GET " + faults:
	default:
		if allow == "" {
			writeError(w, http.StatusNotFound, "no such path: there are "+requests+" and "+faults)
			return
		}
		w.Header().Set("Allow", allow)
		writeError(w, http.StatusMethodNotAllowed, "method not allowed: use "+allow)
		return
	}
	if r.URL.Path == faults {
		writeJSON(w, http.StatusOK, map[string]any{"faults": s.faults.all()})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"requests": s.log.list()})
}

func writeError(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, map[string]any{"error": text})
}

// writeJSON answers on behalf of the sandbox itself.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
