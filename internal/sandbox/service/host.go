// Package service is what the emulated services are built of: clients and how they authenticate, grants and their
// tokens, sign-in pages. It knows none of them, and neither faults nor the log of the requests.
package service

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Service is one emulated service as a plain value. New makes it ready.
type Service struct {
	Name string
	// Realm is what a challenge names (RFC 9110 §11.5), by default the service's name.
	Realm string
	// Hosts are the service's parts that answer in a way of their own; the first whose prefix fits has a path.
	Hosts   []Host
	Clients []Client
	// Profiles makes the ready profiles, without base_url: first the usual client, named as the service.
	Profiles func(*Service) []Profile
	// Signer signs the service's JWTs.
	Signer Signer
	// Secrets are what no profile holds: a password that is typed into a page.
	Secrets []string
	// FormBasic says that Basic credentials are form-decoded, as RFC 6749 §2.3.1 has it, FormSecret that client_id and
	// client_secret may be in the form, where they go before Basic.
	FormBasic, FormSecret bool
	// Assertions are the rules for client assertions; the zero value means that there are none.
	Assertions AssertionRules
	// Words are the problems of which the service speaks in words of its own.
	Words map[Problem]Words
	// OneScope says that there is one scope, which every client has: no fault takes it away.
	OneScope bool

	*memory
}

// New makes a service ready, with nothing issued.
func New(s Service) *Service {
	s.memory = &memory{tokens: map[string]Token{}, held: map[string]*Authorization{}, seen: map[string]time.Time{}}
	return &s
}

// Host is one part of a service.
type Host struct {
	// Prefix is what its paths begin with.
	Prefix string
	// Endpoints are what it answers: see Endpoints.
	Endpoints *http.ServeMux
	// Error is how it says an error. The code is OAuth's, empty where the status is the cause: a path that is not
	// there, a body that cannot be read, a failure.
	Error func(status int, code, text string) Reply
	// Admit refuses what does not even come to an endpoint; it may be nil.
	Admit func(*Exchange) *Reply
}

// Endpoint answers the requests of one pattern.
type Endpoint func(*Exchange) Reply

// ServeHTTP makes it something that a ServeMux finds; Host.Answer calls it.
func (Endpoint) ServeHTTP(http.ResponseWriter, *http.Request) {}

// Endpoints registers endpoints by the patterns of ServeMux, which begin with GET or POST.
func Endpoints(list map[string]Endpoint) *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, endpoint := range list {
		mux.Handle(pattern, endpoint)
	}
	return mux
}

// Answer finds the endpoint of a request and asks it. HEAD is no GET here: the services' pages have none.
func (h *Host) Answer(x *Exchange) Reply {
	if h.Admit != nil {
		if refused := h.Admit(x); refused != nil {
			return *refused
		}
	}
	var allow []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		asked := *x.Request
		asked.Method = method
		found, _ := h.Endpoints.Handler(&asked)
		endpoint, ok := found.(Endpoint)
		if ok && method == x.Request.Method {
			return endpoint(x)
		}
		if ok {
			allow = append(allow, method)
		}
	}
	if allow == nil {
		return h.Error(http.StatusNotFound, "", "the resource does not exist")
	}
	return h.Error(http.StatusMethodNotAllowed, "", "method not allowed").With("Allow", strings.Join(allow, ", "))
}

// Profile is a ready client of one of the services.
type Profile struct {
	Name string
	// Text are the settings with plain values: provider, base_url, client_id, …
	Text map[string]string
	// Scopes is the setting scopes; empty means that there is none.
	Scopes []string
	// Secrets are the settings that are secret references, with their values.
	Secrets map[string]string
}

// Profile makes a profile of a client. More are further settings, name and value by turns.
func (s *Service) Profile(name, client string, scopes []string, more ...string) Profile {
	c := s.Client(client)
	p := Profile{
		Name: name, Scopes: scopes, Text: map[string]string{"provider": s.Name, "client_id": c.ID, "key_id": c.KeyID},
		Secrets: map[string]string{"client_secret": c.Secret, "private_key": c.KeyText},
	}
	for setting := range slices.Chunk(more, 2) {
		p.Text[setting[0]] = setting[1]
	}
	for _, settings := range []map[string]string{p.Text, p.Secrets} {
		maps.DeleteFunc(settings, func(_, value string) bool { return value == "" })
	}
	return p
}
