package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
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

// describe is the log entry of a request.
func (s *Server) describe(x *service.Exchange, f Fault) *Request {
	redact, query := s.secrets.Redact, x.Request.URL.Query()
	return &Request{
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
	const secret = `authorization proxy-authorization x-api-key x-gws-user cookie session client_secret client_assertion
		assertion code code_verifier password oldpassword newpassword token access_token refresh_token 
		id_token id_token_hint`
	if slices.Contains(strings.Fields(secret), strings.ToLower(name)) {
		return service.Redacted
	}
	return s.secrets.Redact(text)
}

// controls are what answers below /_sandbox/.
func (s *Server) controls() *http.ServeMux {
	requests := func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"requests": s.Requests()})
	}
	faults := func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"faults": s.faultsNow()})
	}
	after := func(act func(), show http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { act(); show(w, r) }
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+controlPrefix+"requests", requests)
	mux.HandleFunc("DELETE "+controlPrefix+"requests", after(s.ClearRequests, requests))
	mux.HandleFunc("GET "+controlPrefix+"faults", faults)
	mux.HandleFunc("DELETE "+controlPrefix+"faults", after(s.ClearFaults, faults))
	mux.HandleFunc("POST "+controlPrefix+"faults", func(w http.ResponseWriter, r *http.Request) {
		if status, err := s.postFault(http.MaxBytesReader(w, r.Body, maxFaultJSON)); err != nil {
			writeError(w, status, err.Error())
			return
		}
		faults(w, r)
	})
	return mux
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
		err = s.AddFault(f)
	}
	return http.StatusBadRequest, err
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
