// Package service is what the emulated services are built of: clients and how they authenticate, grants and their
// tokens, sign-in pages, and the ways to misbehave. It knows none of the services.
package service

import (
	"cmp"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
)

// Service is one emulated service as data. New makes it ready.
type Service struct {
	Name  string
	Realm string // in a challenge (RFC 9110 §11.5), by default the name
	// Hosts are the service's parts that answer in a way of their own; the first whose prefix fits has a path.
	Hosts []Host
	// Clients are those that are registered, Scopes what each may ask for.
	Clients []Client
	Scopes  []string
	// Profiles are the ready clients: first the usual one, named as the service. Settings and Secrets are what all have.
	Profiles          []Profile
	Settings, Secrets map[string]string
	// Place fills in what a profile has of the sandbox's origin, once that is known; nil means base_url.
	Place func(origin string, now time.Time, p *Profile)
	// FormBasic says that Basic credentials are form-decoded, as RFC 6749 §2.3.1 has it, FormSecret that client_id and
	// client_secret may be in the form, where they go before Basic.
	FormBasic, FormSecret bool
	Assertions            AssertionRules // the zero value means that there are no assertions
	// Several are parameters that may be sent more than once, against RFC 6749 §3.2.
	Several []string
	// Words are those of the service for a problem, where they are not the usual.
	Words map[Problem]Problem
	// Signer signs JWTs, RSA those of clients that want RS256; its key is made when it is needed, which takes a while.
	Signer Signer
	RSA    func() Signer

	*memory
}

// New makes a service ready: with keys and filled-in profiles, and with nothing issued.
func New(s Service) *Service {
	s.memory = &memory{tokens: map[string]Token{}, held: map[string]*Authorization{}, seen: map[string]time.Time{}}
	if s.Place == nil {
		s.Place = func(origin string, _ time.Time, p *Profile) { p.Text["base_url"] = origin }
	}
	s.Signer = NewSigner("sandbox-" + s.Name + "-realm-key")
	s.RSA = sync.OnceValue(func() Signer { return newRSASigner("sandbox-" + s.Name + "-realm-rsa-key") })
	for i := range s.Clients {
		if s.Clients[i].Keyed {
			s.Clients[i].Key = NewSigner("sandbox-" + s.Name + "-key")
		}
	}
	for i := range s.Profiles {
		s.complete(&s.Profiles[i])
	}
	return &s
}

// Profile is a ready client of one of the services.
type Profile struct {
	Name, Client string
	Scopes       []string // the setting of that name, which may be empty
	// Text are the other settings with plain values, Secrets those that are secret references, with their values.
	Text, Secrets map[string]string
}

// complete fills in what a profile has of its service and its client.
func (s *Service) complete(p *Profile) {
	c := s.Client(p.Client)
	text := map[string]string{"provider": s.Name, "client_id": c.ID, "key_id": c.Key.KeyID}
	secrets := map[string]string{"client_secret": c.Secret}
	if c.Keyed {
		secrets["private_key"] = c.Key.pkcs8(!s.Assertions.BareKey)
	}
	if c.Certificate.Leaf != nil {
		secrets["tls_certificate"], secrets["tls_key"] = c.Certificate.PEM(), c.Certificate.KeyPEM()
	}
	p.Text, p.Secrets = merged(text, s.Settings, p.Text), merged(secrets, s.Secrets, p.Secrets)
}

// merged leaves out what is empty.
func merged(base map[string]string, more ...map[string]string) map[string]string {
	for _, m := range more {
		maps.Copy(base, m)
	}
	maps.DeleteFunc(base, func(_, value string) bool { return value == "" })
	return base
}

// Host is one part of a service.
type Host struct {
	Prefix string // what its paths begin with
	// Endpoints are what it answers, by method and path: "GET /users/me". The methods are GET and POST.
	Endpoints map[string]Endpoint
	// Error is how it says an error. The code is OAuth's, empty where the status is the cause: a path that is not
	// there, a body that cannot be read, a failure.
	Error func(status int, code, text string) Reply
	// Admit refuses what does not even come to an endpoint; it may be nil.
	Admit func(*Exchange) *Reply
}

// Endpoint answers the requests of one method and path.
type Endpoint func(*Exchange) Reply

// answer finds the endpoint of a request and asks it. HEAD is no GET here: the services' pages have none.
func (h *Host) answer(x *Exchange) Reply {
	if h.Admit != nil {
		if refused := h.Admit(x); refused != nil {
			return *refused
		}
	}
	var allow []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if endpoint := h.Endpoints[method+" "+x.Request.URL.Path]; endpoint != nil {
			if method == x.Request.Method {
				return endpoint(x)
			}
			allow = append(allow, method)
		}
	}
	if allow == nil {
		return h.Error(http.StatusNotFound, "", "the resource does not exist")
	}
	return h.Error(http.StatusMethodNotAllowed, "", "method not allowed").With("Allow", strings.Join(allow, ", "))
}

// FormType is the media type of parameters in a body.
const FormType = "application/x-www-form-urlencoded"

// Exchange is one request on its way through a service.
type Exchange struct {
	*Service
	Host    *Host
	Request *http.Request
	Now     time.Time
	// Form holds the body's parameters; Bad says why they cannot be used (RFC 6749 §3.2). Body is for endpoints of JSON.
	Form    url.Values
	Body    []byte
	Bad     Problem
	Fault   Fault
	Secrets *Ledger
	// Plain and Secure are where the sandbox listens, without and with TLS.
	Plain, Secure string
}

// Read reads the parameters of an exchange.
func (x *Exchange) Read() {
	x.Form = url.Values{}
	if x.Request.Method != http.MethodPost {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, x.Request.Body, 64<<10))
	form, unreadable := url.ParseQuery(string(body))
	media, _, _ := mime.ParseMediaType(x.Request.Header.Get("Content-Type"))
	x.Body = body
	switch {
	case media != FormType:
		x.Bad = NotForm
	case err != nil, unreadable != nil:
		x.Bad = Unreadable
	default:
		x.Form = x.given(form)
	}
}

// given returns the parameters that have a value: one without counts as omitted (RFC 6749 §3.1, §3.2). None may be
// included more than once; one that is stays, to be refused.
func (x *Exchange) given(values url.Values) url.Values {
	maps.DeleteFunc(values, func(_ string, v []string) bool { return len(v) == 1 && v[0] == "" })
	if x.repeated(values) {
		x.Bad = Repeated
	}
	return values
}

// TakeQuery adds the parameters of the query to those of the body, which go first.
func (x *Exchange) TakeQuery() {
	query := x.given(x.Request.URL.Query())
	maps.Copy(query, x.Form)
	x.Form = query
}

// repeated reports whether a parameter was sent more than once that must not be.
func (x *Exchange) repeated(values url.Values) bool {
	for name, v := range values {
		if len(v) > 1 && !slices.Contains(x.Several, name) {
			return true
		}
	}
	return false
}

// Origin is the sandbox as seen from where the request came in; from the TLS port, its plain one.
func (x *Exchange) Origin() string {
	if x.Request.TLS != nil {
		return x.Plain
	}
	return "http://" + x.Request.Host
}

// ClaimedClient is who the request says it is, by form, query, header or assertion; for the log, nothing is checked.
func (x *Exchange) ClaimedClient() string {
	var asserted jwt.Claims
	_, _ = ParseJWT(x.Form.Get("client_assertion"), &asserted, x.Assertions.Also...)
	id, _, _ := x.basic()
	return cmp.Or(x.Form.Get("client_id"), x.Request.URL.Query().Get("client_id"), id, asserted.Subject)
}
