// Package loopback receives the redirect that ends a login in the browser: a
// web server on 127.0.0.1 for one answer (RFC 8252 §7.3). It refuses everything
// else, repeats nothing of a request on its pages, and leaves it to the caller
// what an answer means.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// path is the redirect URI's.
	path = "/callback"
	// maxQuery is how many bytes of a query are looked at: a code of a few
	// kilobytes with room to spare.
	maxQuery = 16 << 10
	// maxHeader bounds request line and headers together.
	maxHeader = 64 << 10
	// headerTimeout ends clients that connect and say nothing, or say it slowly.
	headerTimeout = 5 * time.Second
	// pageTimeout is how long a client may take to read a page.
	pageTimeout = 5 * time.Second
	// lingerTime is how long the end waits for pages that are still being written.
	lingerTime = time.Second
)

// ListenError says that the port cannot be listened on, most often because
// another program does.
type ListenError struct {
	// Address is host and port.
	Address string
	// Err is the operating system's answer.
	Err error
}

// Error names address and cause.
func (e *ListenError) Error() string {
	cause := e.Err
	if op, ok := errors.AsType[*net.OpError](cause); ok {
		cause = op.Err
	}
	return fmt.Sprintf("cannot listen on %s for the redirect: %v", e.Address, cause)
}

// Unwrap returns the cause.
func (e *ListenError) Unwrap() error { return e.Err }

// Receiver is a listening server for one login. Make it with Listen.
type Receiver struct {
	listener net.Listener
	host     string // what the Host header must be

	// headerTimeout and lingerTime, but in tests
	slow, linger time.Duration

	accept  func(url.Values) error
	turn    chan struct{} // held while one redirect is being judged
	outcome chan error    // what ended the wait

	used  atomic.Bool // no redirect is judged any more
	mu    sync.Mutex
	ended bool          // the wait is over
	open  int           // requests that are being answered
	empty chan struct{} // closed when the wait is over and open is 0
}

// Listen opens the port on 127.0.0.1 and nowhere else; 0 means a free one, but a service may
// want it fixed, because redirect URIs are registered. Browsers that come before Wait are
// kept waiting. The errors are *ListenError, and one that names a port
// which no redirect URI can have. The caller must end it with Wait or Close.
func Listen(port int) (*Receiver, error) {
	if port < 0 || port > 65535 {
		return nil, fmt.Errorf("the redirect port %d is not between 0 and 65535", port)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	listener, err := net.Listen("tcp4", address)
	if err != nil {
		return nil, &ListenError{Address: address, Err: err}
	}
	return &Receiver{
		listener: listener, host: listener.Addr().String(), slow: headerTimeout, linger: lingerTime,
		turn: make(chan struct{}, 1), outcome: make(chan error, 1), empty: make(chan struct{}),
	}, nil
}

// RedirectURI is http://127.0.0.1:PORT/callback, as it is sent to the service and
// registered there.
func (r *Receiver) RedirectURI() string {
	return (&url.URL{Scheme: "http", Host: r.host, Path: path}).String()
}

// Close stops listening. It is for a login that never came to Wait, and does no
// harm after it.
func (r *Receiver) Close() error {
	err := r.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Wait answers browsers until accept has judged a redirect, or ctx ends. It is
// called once.
//
// Accept gets the query of each redirect, one at a time, and may take its time
// to exchange the code: the page waits for it, and so says what really happened.
// If accept returns nil, Wait does. If the error has a method Foreign() bool
// that returns true, the redirect belonged to no login of ours: it is answered
// with 400 and the wait goes on. Any other error is shown as a failed login,
// without its text, and returned by Wait as it is.
//
// The browser has the last page when Wait returns, and accept is not running.
// When ctx ends the error wraps its cause; accept should end with ctx too.
func (r *Receiver) Wait(ctx context.Context, accept func(query url.Values) error) error {
	r.accept = accept
	server := &http.Server{
		Handler:           http.HandlerFunc(r.answer),
		ReadHeaderTimeout: r.slow, // and no ReadTimeout: it would run on while accept works
		IdleTimeout:       r.slow,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          log.New(io.Discard, "", 0), // it quotes what clients send
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(r.listener) }()
	defer func() { _ = server.Close() }()
	select {
	case err := <-r.outcome:
		r.drain()
		return err
	case err := <-failed:
		return fmt.Errorf("listening on %s for the redirect: %w", r.host, err)
	case <-ctx.Done():
	}
	r.stopJudging()
	r.drain()
	select {
	case err := <-r.outcome: // it came at the last moment
		return err
	default:
		return fmt.Errorf("waiting for the browser: %w", context.Cause(ctx))
	}
}

// stopJudging waits for the accept that is running, and lets no other begin.
func (r *Receiver) stopJudging() {
	r.used.Store(true)
	r.turn <- struct{}{}
	<-r.turn
}

// drain stops listening and lets the pages that are being written get out.
func (r *Receiver) drain() {
	_ = r.listener.Close()
	r.mu.Lock()
	if r.ended = true; r.open == 0 {
		close(r.empty)
	}
	r.mu.Unlock()
	select {
	case <-r.empty:
	case <-time.After(r.linger):
	}
}

// answer is the handler of every request.
func (r *Receiver) answer(w http.ResponseWriter, req *http.Request) {
	if !r.enter() {
		pageUsed.write(w)
		return
	}
	defer r.leave()
	if p, ok := r.refusal(req); ok {
		p.write(w)
		return
	}
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-req.Context().Done():
		return
	}
	r.judge(w, req)
}

// refusal is the page for what cannot be a redirect.
func (r *Receiver) refusal(req *http.Request) (page, bool) {
	switch {
	case req.Host != r.host && req.Host+":80" != r.host:
		// Another name for this address means that a web page asks (DNS rebinding).
		return pageWrongHost, true
	case req.URL.Path != path:
		return pageNotFound, true
	case req.Method != http.MethodGet:
		return pageWrongMethod, true
	case req.ContentLength != 0:
		return pageUnreadable, true
	case len(req.URL.RawQuery) > maxQuery:
		return pageTooLong, true
	}
	return 0, false
}

// judge asks accept, and ends the wait once the browser has its page.
func (r *Receiver) judge(w http.ResponseWriter, req *http.Request) {
	query, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		pageUnreadable.write(w)
		return
	}
	if r.used.Load() {
		pageUsed.write(w)
		return
	}
	err = r.accept(query)
	if isForeign(err) {
		pageForeign.write(w)
		return
	}
	r.used.Store(true)
	if err == nil {
		pageLoggedIn.write(w)
	} else {
		pageFailed.write(w)
	}
	r.outcome <- err
}

// isForeign reports an error that says so itself.
func isForeign(err error) bool {
	e, ok := errors.AsType[interface {
		error
		Foreign() bool
	}](err)
	return ok && e.Foreign()
}

// enter counts a request, unless the end has come and nobody waits for it.
func (r *Receiver) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended && r.open == 0 {
		return false
	}
	r.open++
	return true
}

func (r *Receiver) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open--; r.ended && r.open == 0 {
		close(r.empty)
	}
}
