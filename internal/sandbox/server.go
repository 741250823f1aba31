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
	// Lifetime replaces the lifetime of every service's access tokens. It is told in whole seconds, at least one.
	Lifetime time.Duration
	// Lifetimes does the same for single services, by name ("qmatic"), and goes before Lifetime.
	Lifetimes map[string]time.Duration
	// NoAPIKey makes Genesys accept requests whatever their x-api-key header.
	NoAPIKey bool
	// QmaticInterval is the least time between two token requests of one Qmatic account: zero means the documented
	// second, below zero no limit.
	QmaticInterval time.Duration
	// QmaticRetryAfter is the Retry-After header of Qmatic's 429; empty: none.
	QmaticRetryAfter string
	// KeepRefreshTokens makes a refresh leave the refresh token as it is and not send it again, instead of replacing
	// it (RFC 6749 §6 allows both).
	KeepRefreshTokens bool
	// Lenient takes what public clients do and the pages do not show: Talkdesk's parameters in the query of the token
	// request, and Genesys' ping by the cookie that its sign-in page sets.
	Lenient bool
}

// ErrNotLoopback is wrapped by the error of Start for an address that other machines could reach.
var ErrNotLoopback = errors.New("it is not a loopback address")

// Server is the four services on one origin. It must be made with New; all methods may be called at the same time.
type Server struct {
	opts     Options
	services []*service.Service
	log      requestLog
	faults   faultList
	secrets  service.Ledger

	mu   sync.Mutex // guards what follows
	http *http.Server
	url  string
	done chan struct{}
}

// services makes every service there is, with the options that are its own. A new one is a folder and a line here.
func services(o Options) []*service.Service {
	return []*service.Service{
		pexip.New(),
		talkdesk.New(o.Lenient),
		qmatic.New(o.QmaticInterval, o.QmaticRetryAfter),
		genesys.New(o.NoAPIKey, o.Lenient),
	}
}

// New makes a server with fresh keys. It listens nowhere until Start.
func New(opts Options) *Server {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Server{opts: opts, services: services(opts)}
	s.faults.services = s.services
	s.learnSecrets()
	return s
}

// Handler is the whole sandbox. A fault that cuts the connection ends it with http.ErrAbortHandler, which net/http's
// server understands.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

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
		Handler:           s.Handler(),
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
func (s *Server) Requests() []Request { return s.log.list() }

// ClearRequests forgets the requests so far.
func (s *Server) ClearRequests() { s.log.clear() }

// AddFault makes the server misbehave. The error says what is wrong with f.
func (s *Server) AddFault(f Fault) error { return s.faults.add(f) }

// ClearFaults ends all misbehaviour.
func (s *Server) ClearFaults() { s.faults.clear() }

// IssuedSecrets are all secrets of the ready profiles, as they are and as Basic credentials, and the last 10,000
// tokens issued: what must be found nowhere but where a token is meant to be.
func (s *Server) IssuedSecrets() []string { return s.secrets.List() }

// serve is the handler: guard, find the service, log, ask it, answer. A request is logged before it is answered, so
// that one in a long delay can be seen.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !isLoopback(hostname(r.Host)) {
		// A page of a foreign name that was re-pointed to loopback (DNS rebinding).
		writeError(w, http.StatusForbidden, "the Host header does not name loopback")
		return
	}
	if strings.HasPrefix(r.URL.Path, controlPrefix) {
		s.control(w, r)
		return
	}
	svc, host := s.find(r.URL.Path)
	x := service.Read(w, r, svc, &s.secrets, s.opts.Now())
	fault := s.faults.take(svc.Name, r.URL.Path)
	x.Orders = fault.orders(s.opts, svc.Name)
	entry := s.log.begin(s.describe(x, fault))
	rep := fault.answer(x, host)
	fault.wait(r.Context())
	s.log.finish(entry, rep.Status)
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
	refuse := func(status int, text string) service.Reply {
		return service.Reply{Status: status, Fields: map[string]any{"error": text}}
	}
	nobody := func(*service.Exchange) *service.Reply {
		rep := refuse(http.StatusNotFound, "no service has this path")
		return &rep
	}
	return &service.Service{}, &service.Host{Refuse: refuse, Admit: nobody}
}

// hostname strips port and brackets off a Host header.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
