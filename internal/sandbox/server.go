// Package sandbox emulates the four services on loopback, with every endpoint of their pages: for people who want to
// try authctl without an account, and for its tests. It checks what the vendors' pages say they check and answers with
// their error bodies. It imports nothing of the client, so that a mistake in one is not mirrored in the other. Its
// credentials are fixed and fake; it must never be reachable from another machine.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/sandbox/genesys"
	"github.com/authctl/authctl/internal/sandbox/pexip"
	"github.com/authctl/authctl/internal/sandbox/qmatic"
	"github.com/authctl/authctl/internal/sandbox/service"
	"github.com/authctl/authctl/internal/sandbox/talkdesk"
)

// Marker is part of every secret the sandbox knows and of every opaque token it issues, so that a test can search
// output and disks for leaks. JWTs are Base64url text and cannot show it: see Server.IssuedSecrets.
const Marker = service.Marker

// Who can sign in: Jane, at either service. She can change her password at Genesys.
const (
	GenesysTenant    = genesys.Tenant
	GenesysUser      = genesys.User
	GenesysPassword  = genesys.Password
	TalkdeskUser     = talkdesk.User
	TalkdeskPassword = talkdesk.Password
)

// Options adjust a Server. The zero value emulates the services as their pages describe them.
type Options struct {
	// Now is the clock of tokens and rate limits; nil means time.Now. Delays of faults always run in real time.
	Now func() time.Time
	// QmaticInterval is the least time between two token requests of one Qmatic account: zero means the documented
	// second, below zero no limit.
	QmaticInterval time.Duration
	// Lenient takes what public clients do and the pages do not show: Talkdesk's parameters in the query of the token
	// request, and Genesys' ping by the cookie that its sign-in page sets.
	Lenient bool
}

// ErrNotLoopback is wrapped by the error of Start for an address that other machines could reach.
var ErrNotLoopback = errors.New("it is not a loopback address")

// Server is the four services on one origin. It must be made with New; all methods may be called at the same time.
type Server struct {
	now      func() time.Time
	services []*service.Service
	control  http.Handler
	secrets  service.Ledger

	mu     sync.Mutex // guards what follows
	log    []*Request // pointers, so that a status can be filled in after ClearRequests
	faults []Fault    // in the order added
	http   *http.Server
	url    string
	done   chan struct{}
}

// New makes a server with fresh keys. It listens nowhere until Start. A new service is a folder and a line here.
func New(o Options) *Server {
	s := &Server{now: o.Now, services: []*service.Service{
		pexip.New(),
		talkdesk.New(o.Lenient),
		qmatic.New(o.QmaticInterval),
		genesys.New(o.Lenient),
	}}
	if s.now == nil {
		s.now = time.Now
	}
	s.control = s.controls()
	s.learnSecrets()
	return s
}

// Start listens on a loopback address and serves in the background until Close. The address is host:port; empty means
// 127.0.0.1 and a free port. Any address that other machines could reach is an error.
func (s *Server) Start(listen string) error {
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("sandbox: reading the listen address: %w", err)
	}
	if !isLoopback(host) {
		return fmt.Errorf("sandbox: refusing to listen on %q: %w", listen, ErrNotLoopback)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http != nil {
		return errors.New("sandbox: already started")
	}
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", listen)
	if err != nil {
		return fmt.Errorf("sandbox: listening: %w", err)
	}
	// The name localhost is whatever the hosts file says.
	if a, ok := ln.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		_ = ln.Close()
		return fmt.Errorf("sandbox: refusing to listen on %q: it resolves to %s", listen, ln.Addr())
	}
	s.url, s.done = "http://"+ln.Addr().String(), make(chan struct{})
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	go func(srv *http.Server, done chan struct{}) {
		defer close(done)
		_ = srv.Serve(ln)
	}(s.http, s.done)
	return nil
}

// URL is the origin the server listens on, http://127.0.0.1:PORT without a slash; empty before Start.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// Close ends all connections, those in the middle of a delay too, and frees the port. It may be called more than once,
// and before Start.
func (s *Server) Close() {
	s.mu.Lock()
	srv, done := s.http, s.done
	s.mu.Unlock()
	if srv != nil {
		_ = srv.Close()
		<-done
	}
}

// Requests are the requests to the services so far, oldest first, secrets redacted. Only the last 10,000 are kept.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Request, len(s.log))
	for i, r := range s.log {
		out[i] = *r
	}
	return out
}

// ClearRequests forgets the requests so far.
func (s *Server) ClearRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = nil
}

// AddFault makes the server misbehave. The error says what is wrong with f.
func (s *Server) AddFault(f Fault) error {
	if err := f.check(s.services); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
	return nil
}

// ClearFaults ends all misbehaviour.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

func (s *Server) faultsNow() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Fault{}, s.faults...)
}

// takeFault returns the fault for a request, the zero Fault when there is none, and counts it down.
func (s *Server) takeFault(service, path string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.faults, func(f Fault) bool {
		return (f.Service == "" || f.Service == service) && (f.Path == "" || f.Path == path)
	})
	if i < 0 {
		return Fault{}
	}
	f := s.faults[i]
	switch f.Times {
	case 0:
	case 1:
		s.faults = slices.Delete(s.faults, i, i+1)
	default:
		s.faults[i].Times--
	}
	return f
}

// IssuedSecrets are all secrets of the ready profiles, as they are and as Basic credentials, and the last 10,000
// tokens issued: what must be found nowhere but where a token is meant to be.
func (s *Server) IssuedSecrets() []string { return s.secrets.List() }

// serve is the handler: guard, find the service, log, ask it, answer. A request is logged before it is answered, so
// that one in a long delay can be seen. A fault that cuts the connection ends it with http.ErrAbortHandler.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	site, control := r.Header.Get("Sec-Fetch-Site"), strings.HasPrefix(r.URL.Path, controlPrefix)
	switch {
	case !isLoopback(hostname(r.Host)):
		// A page of a foreign name that was re-pointed to loopback (DNS rebinding).
		writeError(w, http.StatusForbidden, "the Host header does not name loopback")
		return
	case control && (r.Header.Get("Origin") != "" || site != "" && site != "none" && site != "same-origin"):
		// A browser marks the calls of other origins' pages, which have no business here.
		writeError(w, http.StatusForbidden, "calls by web pages are refused")
		return
	case control:
		s.control.ServeHTTP(w, r)
		return
	}
	svc, host := s.find(r.URL.Path)
	x := service.Read(w, r, svc, host, &s.secrets, s.now())
	fault := s.takeFault(svc.Name, r.URL.Path)
	x.Orders = fault.orders()
	entry := s.describe(x, fault)
	s.mu.Lock()
	s.log = service.KeepLast(append(s.log, entry))
	s.mu.Unlock()
	rep := fault.answer(x)
	fault.wait(r.Context())
	s.mu.Lock()
	entry.Status = rep.Status
	s.mu.Unlock()
	fault.send(w, rep)
}

// Service returns an emulated service by its name, for those who check what it signs.
func (s *Server) Service(name string) *service.Service {
	i := slices.IndexFunc(s.services, func(svc *service.Service) bool { return svc.Name == name })
	return s.services[i]
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
	refuse := func(status int, _, text string) service.Reply {
		return service.Reply{Status: status, Fields: map[string]any{"error": text}}
	}
	return &service.Service{}, &service.Host{Error: refuse, Endpoints: http.NewServeMux()}
}

// hostname strips port and brackets off a Host header.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return strings.Trim(host, "[]")
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}
