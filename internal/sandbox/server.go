// Package sandbox emulates the five services on loopback, with every endpoint of their pages: for people who want to
// try authctl without an account, and for its tests. It checks what the vendors' pages say they check and answers with
// their error bodies. It imports nothing of the client, so that a mistake in one is not mirrored in the other. Its
// credentials are fixed and fake; it must never be reachable from another machine.
package sandbox

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/sandbox/genesys"
	"github.com/authctl/authctl/internal/sandbox/oauth2"
	"github.com/authctl/authctl/internal/sandbox/pexip"
	"github.com/authctl/authctl/internal/sandbox/qmatic"
	"github.com/authctl/authctl/internal/sandbox/service"
	"github.com/authctl/authctl/internal/sandbox/talkdesk"
)

// Marker is part of every secret the sandbox knows and of every opaque token; JWTs cannot show it: see IssuedSecrets.
const Marker = service.Marker

// Who can sign in: Jane, everywhere. She can change her password at Genesys.
const (
	GenesysTenant    = genesys.Tenant
	GenesysUser      = genesys.User
	GenesysPassword  = genesys.Password
	TalkdeskUser     = talkdesk.User
	TalkdeskPassword = talkdesk.Password
	OAuth2User       = oauth2.User
	OAuth2Password   = oauth2.Password
)

// JobRequestToken is the right of an emulated job to ask for its identity. GitHubPath and AzurePath are where it asks:
// what ACTIONS_ID_TOKEN_REQUEST_URL and SYSTEM_OIDCREQUESTURI have behind the origin.
const (
	JobRequestToken = oauth2.RequestToken
	GitHubPath      = oauth2.GitHubPath
	AzurePath       = oauth2.AzurePath
)

// Profile is a ready client of one of the services.
type Profile = service.Profile

// Fault is one way to misbehave.
type Fault = service.Fault

// Options adjust a Server. The zero value emulates the services as their pages describe them.
type Options struct {
	// Now is the clock of tokens and rate limits; nil means time.Now. Delays of faults always run in real time.
	Now func() time.Time
	// QmaticInterval is the least time between two token requests of Qmatic: 0 means the documented second, -1 none.
	QmaticInterval time.Duration
	// Lenient takes what public clients do and the pages do not show: Talkdesk's parameters in the query of the token
	// request, and Genesys' ping by the cookie that its sign-in page sets.
	Lenient bool
	// Job adds the profiles that ask for a job's identity, which only a job can use: who has the variables of one.
	Job bool
}

// ErrNotLoopback is wrapped by the error of Start for an address that other machines could reach.
var ErrNotLoopback = errors.New("it is not a loopback address")

// Server is the five services on one origin. All methods but Start may be called at the same time.
type Server struct {
	now      func() time.Time
	services []*service.Service
	control  http.Handler
	secrets  service.Ledger
	http     http.Server
	listener net.Listener
	url      string

	// The second port: with TLS, for clients with a certificate.
	authority *service.Authority
	secure    net.Listener
	secureURL string

	mu     sync.Mutex // guards what follows
	log    []*Request // pointers, so that a status can be filled in after clearRequests
	faults []Fault    // in the order added
}

// New makes a server with fresh keys. It listens nowhere until Start. A new service is a folder and a line here.
func New(o Options) *Server {
	authority := service.NewAuthority()
	s := &Server{now: o.Now, authority: authority, services: []*service.Service{
		pexip.New(),
		talkdesk.New(o.Lenient),
		qmatic.New(o.QmaticInterval),
		genesys.New(o.Lenient),
		oauth2.New(authority, o.Job),
	}}
	if s.now == nil {
		s.now = time.Now
	}
	s.control = s.controls()
	s.http.Handler = http.HandlerFunc(s.serve)
	s.http.ReadHeaderTimeout = 10 * time.Second
	s.http.ErrorLog = log.New(io.Discard, "", 0)
	return s
}

// Start listens on a loopback address, host:port, and serves in the background until Close; it is called once. Empty
// means 127.0.0.1 and a free port. Any address that other machines could reach is an error.
func (s *Server) Start(listen string) error {
	address, err := net.ResolveTCPAddr("tcp", cmp.Or(listen, "127.0.0.1:0"))
	if err != nil {
		return fmt.Errorf("sandbox: reading the listen address: %w", err)
	}
	if !address.IP.IsLoopback() { // the name localhost is whatever the hosts file says
		return fmt.Errorf("sandbox: refusing to listen on %q: %w", listen, ErrNotLoopback)
	}
	if s.listener, err = net.ListenTCP("tcp", address); err != nil {
		return fmt.Errorf("sandbox: listening: %w", err)
	}
	s.url = "http://" + s.listener.Addr().String()
	if err := s.listenTLS(address.IP); err != nil {
		s.Close()
		return err
	}
	for _, svc := range s.services {
		for i := range svc.Profiles {
			svc.Place(s.url, s.now(), &svc.Profiles[i])
		}
	}
	s.learnSecrets()
	go func() { _ = s.http.Serve(s.listener) }()
	go func() { _ = s.http.Serve(s.secure) }()
	return nil
}

// listenTLS opens the second port, where a client may show any certificate: who it is then is the service's business.
func (s *Server) listenTLS(ip net.IP) error {
	plain, err := net.ListenTCP("tcp", &net.TCPAddr{IP: ip})
	if err != nil {
		return fmt.Errorf("sandbox: listening with TLS: %w", err)
	}
	s.secure = tls.NewListener(plain, &tls.Config{
		Certificates: []tls.Certificate{s.authority.Server()}, MinVersion: tls.VersionTLS12,
		ClientAuth: tls.RequestClientCert,
	})
	s.secureURL = "https://" + plain.Addr().String()
	return nil
}

// SecureURL is the origin of the port with TLS, https://127.0.0.1:PORT; empty before Start.
func (s *Server) SecureURL() string { return s.secureURL }

// CA is the certificate that clients of that port have to trust, in PEM.
func (s *Server) CA() string { return s.authority.PEM() }

// URL is the origin the server listens on, http://127.0.0.1:PORT without a slash; empty before Start.
func (s *Server) URL() string { return s.url }

// Close ends all connections, those in a delay too, and frees the port. It may be called twice, and before Start.
func (s *Server) Close() {
	_ = s.http.Close()
	for _, l := range []net.Listener{s.listener, s.secure} { // Serve may not have begun
		if l != nil {
			_ = l.Close()
		}
	}
}

// Service returns an emulated service by its name, for those who check what it signs; nil when there is none.
func (s *Server) Service(name string) *service.Service {
	if i := slices.IndexFunc(s.services, func(svc *service.Service) bool { return svc.Name == name }); i >= 0 {
		return s.services[i]
	}
	return nil
}

// IssuedSecrets are the profiles' secrets, as they are and as Basic credentials, and the last 10,000 tokens issued.
func (s *Server) IssuedSecrets() []string { return s.secrets.List() }

// serve is the handler: guard, find the service, log, ask it, answer. A request is logged before it is answered, so
// that one in a long delay can be seen. A fault that cuts the connection ends it with http.ErrAbortHandler.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	site, control := r.Header.Get("Sec-Fetch-Site"), strings.HasPrefix(r.URL.Path, controlPrefix)
	switch {
	case !isLoopback((&url.URL{Host: r.Host}).Hostname()):
		// A page of a foreign name that was re-pointed to loopback (DNS rebinding).
		say(w, http.StatusForbidden, "error", "the Host header does not name loopback")
		return
	case control && (r.Header.Get("Origin") != "" || site != "" && site != "none" && site != "same-origin"):
		// A browser marks the calls of other origins' pages, which have no business here.
		say(w, http.StatusForbidden, "error", "calls by web pages are refused")
		return
	case control:
		s.control.ServeHTTP(w, r)
		return
	}
	svc, host := s.find(r.URL.Path)
	x := &service.Exchange{
		Service: svc, Host: host, Request: r, Now: s.now(), Secrets: &s.secrets, Fault: s.takeFault(svc.Name, r.URL.Path),
		Plain: s.url, Secure: s.secureURL,
	}
	x.Read()
	entry := s.describe(x)
	s.locked(func() { s.log = service.KeepLast(append(s.log, entry)) })
	rep := x.Answer()
	x.Fault.Wait(r.Context())
	s.locked(func() { entry.Status = rep.Status })
	x.Fault.Send(w, rep)
}

// find returns whose path it is; that nobody has it is said by a service without a name.
func (s *Server) find(path string) (*service.Service, *service.Host) {
	for _, svc := range s.services {
		for i, host := range svc.Hosts {
			if strings.HasPrefix(path, host.Prefix) {
				return svc, &svc.Hosts[i]
			}
		}
	}
	return &service.Service{}, &service.Host{Error: func(status int, _, text string) service.Reply {
		return service.Reply{Status: status, Fields: map[string]any{"error": text}}
	}}
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// AddFault makes the server misbehave. The error says what is wrong with f.
func (s *Server) AddFault(f Fault) error {
	if f.Service != "" && s.Service(f.Service) == nil {
		return fmt.Errorf("service: there is no %q", f.Service)
	}
	if err := f.Check(); err != nil {
		return err
	}
	s.locked(func() { s.faults = append(s.faults, f) })
	return nil
}

// ClearFaults ends all misbehaviour.
func (s *Server) ClearFaults() { s.locked(func() { s.faults = nil }) }

// takeFault returns the first fault for a request, the zero Fault when there is none, and counts it down.
func (s *Server) takeFault(service, path string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.Service != "" && f.Service != service || f.Path != "" && f.Path != path {
			continue
		}
		s.faults[i].Times = max(0, f.Times-1)
		if f.Times == 1 {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		return f
	}
	return Fault{}
}

// locked does something with the log or the faults.
func (s *Server) locked(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}
