// Package sandbox emulates the four services on loopback, with every endpoint of
// their pages: for people who want to try authctl without an account, and for its
// tests. It checks what the vendors' pages say they check and answers with their error
// bodies. It imports nothing of the client, so that a mistake in one is not
// mirrored in the other. Its credentials are fixed and fake; it must never be
// reachable from another machine.
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
	"strings"
	"sync"
	"time"
)

// Marker is part of every secret the sandbox knows and of every opaque token it
// issues, so that a test can search output and disks for leaks. JWTs are
// Base64url text and cannot show it: see Server.IssuedSecrets.
const Marker = "SANDBOX-CANARY"

// Options adjust a Server. The zero value emulates the services as their pages
// describe them.
type Options struct {
	// Now is the clock of tokens and rate limits; nil means time.Now. Delays of
	// faults always run in real time.
	Now func() time.Time
	// Lifetime replaces the lifetime of every service's access tokens. It is
	// told in whole seconds, at least one.
	Lifetime time.Duration
	// Lifetimes does the same for single services, by name ("qmatic"), and goes
	// before Lifetime.
	Lifetimes map[string]time.Duration
	// NoAPIKey makes Genesys accept requests whatever their x-api-key header.
	NoAPIKey bool
	// QmaticInterval is the least time between two token requests of one Qmatic
	// account: zero means the documented second, below zero no limit.
	QmaticInterval time.Duration
	// QmaticRetryAfter is the Retry-After header of Qmatic's 429; empty: none.
	QmaticRetryAfter string
	// KeepRefreshTokens makes a refresh leave the refresh token as it is and not
	// send it again, instead of replacing it (RFC 6749 §6 allows both).
	KeepRefreshTokens bool
	// Lenient takes what public clients do and the pages do not show: Talkdesk's
	// parameters in the query of the token request, and Genesys' ping by the cookie that
	// its sign-in page sets.
	Lenient bool
}

// ErrNotLoopback is wrapped by the error of Start for an address that other
// machines could reach.
var ErrNotLoopback = errors.New("it is not a loopback address")

// Server is the four services on one origin. It must be made with New; all
// methods may be called at the same time.
type Server struct {
	opts     Options
	services []service
	log      requestLog
	faults   faultList
	ledger   ledger
	tokens   register
	pexip    *pexip
	talkdesk *talkdesk
	qmatic   *qmatic
	genesys  *genesys

	mu   sync.Mutex // guards what follows
	http *http.Server
	url  string
	done chan struct{}
}

// service is one vendor's side of the sandbox. Each has a file of its own; more
// endpoints are more cases in its serve.
type service interface {
	name() string
	// owns reports whether a path is one of the service's.
	owns(path string) bool
	// serve answers as the service would.
	serve(x *exchange) reply
	// refusal is the service's error for a status whose cause is not its own.
	refusal(status int, text string) reply
}

// New makes a server with fresh keys. It listens nowhere until Start.
func New(opts Options) *Server {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Server{opts: opts}
	s.pexip, s.talkdesk, s.qmatic, s.genesys = newPexip(s), newTalkdesk(s), newQmatic(s), newGenesys(s)
	s.services = []service{s.pexip, s.talkdesk, talkdeskAPI{s.talkdesk}, s.qmatic, s.genesys}
	s.learnProfileSecrets()
	return s
}

// Handler is the whole sandbox. A fault that cuts the connection ends it with
// http.ErrAbortHandler, which net/http's server understands.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// Start listens on a loopback address and serves in the background until Close.
// The address is host:port; empty means 127.0.0.1 and a free port. Any address
// that other machines could reach is an error.
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

// URL is the origin the server listens on, http://127.0.0.1:PORT without a
// slash; empty before Start.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// Close ends all connections, those in the middle of a delay too, and frees the
// port. It may be called more than once, and before Start.
func (s *Server) Close() {
	s.mu.Lock()
	srv, done := s.http, s.done
	s.mu.Unlock()
	if srv != nil {
		_ = srv.Close()
		<-done
	}
}

// Requests are the requests to the services so far, oldest first, secrets
// redacted. Only the last 10,000 are kept.
func (s *Server) Requests() []Request { return s.log.list() }

// ClearRequests forgets the requests so far.
func (s *Server) ClearRequests() { s.log.clear() }

// AddFault makes the server misbehave. The error says what is wrong with f.
func (s *Server) AddFault(f Fault) error { return s.faults.add(f) }

// ClearFaults ends all misbehaviour.
func (s *Server) ClearFaults() { s.faults.clear() }

// IssuedSecrets are all secrets of the ready profiles, as they are and as Basic
// credentials, and the last 10,000 tokens issued: what must be found nowhere but
// where a token is meant to be.
func (s *Server) IssuedSecrets() []string { return s.ledger.list() }

// serve is the handler: guard, find the service, log, ask it, answer.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !isLoopback(hostname(r.Host)) {
		// A page of a foreign name that was re-pointed to loopback (DNS rebinding).
		writeJSON(w, http.StatusForbidden, map[string]any{"error": "the Host header does not name loopback"})
		return
	}
	if strings.HasPrefix(r.URL.Path, controlPrefix) {
		s.control(w, r)
		return
	}
	x := s.newExchange(w, r)
	x.deliver(w, x.answer())
}

// service returns who owns a path, nil when nobody does.
func (s *Server) service(path string) service {
	for _, v := range s.services {
		if v.owns(path) {
			return v
		}
	}
	return nil
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
