package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
)

const (
	maxFaultJSON  = 8 << 20      // bytes; big replies are worth a test
	controlPrefix = "/_sandbox/" // where the sandbox itself answers, beside the services
)

// Request is one logged request. Nothing in it is secret.
type Request struct {
	// Time is the arrival, by the sandbox's clock. Service is empty for a path that no service has.
	Time    time.Time `json:"time"`
	Service string    `json:"service"`
	Method  string    `json:"method"`
	Path    string    `json:"path"`
	// Status is the HTTP status sent; 0 while there is none, or when the connection ended before.
	Status int `json:"status"`
	// Fault says that a fault had a part in the answer.
	Fault bool `json:"fault,omitzero"`
	// ClientID is the client the request claims to be, whether or not it proved it.
	ClientID  string `json:"client_id"`
	GrantType string `json:"grant_type"`
	Scope     string `json:"scope"`
	// Headers, Query and Form are what was sent, several values joined by ", ", each secret one "[redacted]".
	Headers map[string]string `json:"headers"`
	Query   map[string]string `json:"query"`
	Form    map[string]string `json:"form"`
	// JSON are the members of a JSON body in the same way, those of an object in it by both names ("data.userName");
	// lists are left out.
	JSON map[string]string `json:"json,omitempty"`
}

// Requests are the requests to the services so far, oldest first, secrets redacted. Only the last 10,000 are kept.
func (s *Server) Requests() []Request {
	out := []Request{}
	s.locked(func() {
		for _, r := range s.log {
			out = append(out, *r)
		}
	})
	return out
}

// clearRequests forgets the requests so far.
func (s *Server) clearRequests() { s.locked(func() { s.log = nil }) }

// describe is the log entry of a request.
func (s *Server) describe(x *service.Exchange) *Request {
	redact, query := s.secrets.Redact, x.Request.URL.Query()
	var body map[string]any
	_ = json.Unmarshal(x.Body, &body)
	members := url.Values{}
	addMembers(members, "", body)
	return &Request{
		Time:      x.Now,
		Service:   x.Name,
		Method:    x.Request.Method,
		Path:      redact(x.Request.URL.Path),
		Fault:     x.Fault.HasEffect(),
		ClientID:  redact(x.ClaimedClient()),
		GrantType: redact(x.Form.Get("grant_type")),
		Scope:     redact(cmp.Or(x.Form.Get("scope"), query.Get("scope"))),
		Headers:   s.redacted(url.Values(x.Request.Header)),
		Query:     s.redacted(query),
		Form:      s.redacted(x.Form),
		JSON:      s.redacted(members),
	}
}

// addMembers adds those of a JSON value by their names and those of the objects around them; lists are left out.
func addMembers(to url.Values, name string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for member, inner := range value {
			addMembers(to, name+"."+member, inner)
		}
	case []any:
	default:
		to.Set(strings.TrimPrefix(name, "."), fmt.Sprint(value))
	}
}

// redacted joins each name's values and hides those with a secret's name, and any that holds a known secret.
func (s *Server) redacted(values url.Values) map[string]string {
	const secret = `authorization proxy-authorization x-api-key x-gws-user cookie session client_secret client_assertion
		assertion code code_verifier password oldpassword newpassword token subject_token
		actor_token device_code access_token refresh_token id_token id_token_hint`
	out := make(map[string]string, len(values))
	for name, v := range values {
		last := name[strings.LastIndex(name, ".")+1:]
		out[name] = s.secrets.Redact(strings.Join(v, ", "))
		if slices.Contains(strings.Fields(secret), strings.ToLower(last)) {
			out[name] = service.Redacted
		}
	}
	return out
}

// controls are what answers below /_sandbox/.
func (s *Server) controls() *http.ServeMux {
	requests := func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "requests", s.Requests()) }
	faults := func(w http.ResponseWriter, _ *http.Request) {
		list := []Fault{}
		s.locked(func() { list = append(list, s.faults...) })
		say(w, http.StatusOK, "faults", list)
	}
	mux := http.NewServeMux()
	for path, act := range map[string]struct {
		show  http.HandlerFunc
		clear func()
	}{"requests": {requests, s.clearRequests}, "faults": {faults, s.ClearFaults}} {
		mux.Handle("GET "+controlPrefix+path, act.show)
		mux.HandleFunc("DELETE "+controlPrefix+path, func(w http.ResponseWriter, r *http.Request) {
			act.clear()
			act.show(w, r)
		})
	}
	mux.HandleFunc("POST "+controlPrefix+"faults", func(w http.ResponseWriter, r *http.Request) {
		var f Fault
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxFaultJSON))
		d.DisallowUnknownFields() // a misspelt field would make a test pass that tests nothing
		err := d.Decode(&f)
		if err == nil {
			err = s.AddFault(f)
		}
		if err != nil {
			say(w, http.StatusBadRequest, "error", "fault: "+err.Error())
			return
		}
		faults(w, r)
	})
	return mux
}

// say answers on behalf of the sandbox itself, with a line: people ask with curl in a shell.
func say(w http.ResponseWriter, status int, name string, value any) {
	text, _ := json.Marshal(map[string]any{name: value}) // strings, faults and entries always encode
	line := string(text) + "\n"
	Fault{}.Send(w, service.Reply{Status: status, Text: &line})
}
