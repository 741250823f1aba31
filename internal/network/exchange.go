package network

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/secret"
)

// Exchange is one request and what became of it. It holds secrets: who shows any of it takes them
// out first, but for Line.
type Exchange struct {
	// Request is the request as the transport got it. Its body has been read.
	Request *http.Request
	// Header is what was written of the request's head, with what the transport has added; empty
	// where no connection was had.
	Header http.Header
	// Response is the reply without its body, nil where there was none; then Err says why.
	Response *http.Response
	// Err is what ended the exchange too early, in the reply's body too.
	Err error
	// Sent and Received are the beginnings of the bodies.
	Sent, Received Beginning
	// Times are when what happened.
	Times Times
	// Remote is the address of whom the connection was to, a proxy where there is one; empty
	// where there was none.
	Remote string
	// Secrets are those that the request's context knows; see WithSecrets.
	Secrets secret.Redactor
}

// Beginning is what was kept of a body.
type Beginning struct {
	Text []byte
	// Size is how many bytes were read in all.
	Size int64
}

// Cut reports whether something of the body was not kept.
func (b Beginning) Cut() bool { return b.Size > int64(len(b.Text)) }

// Line tells of an exchange in one line: method, scheme, host and path, status, and the
// milliseconds until the reply's head. It shows no query, no header and no body.
func (e *Exchange) Line() string {
	result := "no reply"
	if e.Response != nil {
		result = fmt.Sprint(e.Response.StatusCode)
	}
	took := e.Times.Head.Sub(e.Times.Start).Milliseconds()
	return fmt.Sprintf("%s %s %s %dms", e.Request.Method, AddressText(e.Request.URL), result, took)
}

// secretsKey is the context key of WithSecrets.
type secretsKey struct{}

// WithSecrets returns a context that tells an Observer which secrets the request may hold and the
// reply repeat.
func WithSecrets(ctx context.Context, secrets secret.Redactor) context.Context {
	return context.WithValue(ctx, secretsKey{}, secrets)
}

// Observer is the one place that sees requests: an http.RoundTripper that tells of each when it is
// over, which is when the reply's body was read to its end or closed.
type Observer struct {
	// Base does the request.
	Base http.RoundTripper
	// Tell gets the exchange. It may be called by many goroutines at once.
	Tell func(*Exchange)
	// Keep is how many bytes of each body are kept.
	Keep int
	// Now is the clock.
	Now func() time.Time
}

// RoundTrip does the request with Base; see http.RoundTripper. Streams stay streams, and the
// connection of a reply 101 stays one that can be written to: nothing of it is kept.
func (o *Observer) RoundTrip(req *http.Request) (*http.Response, error) {
	w := &watched{observer: o, times: Times{Start: o.Now()}}
	secrets, _ := req.Context().Value(secretsKey{}).(secret.Redactor)
	w.exchange = Exchange{Request: req, Secrets: secrets}
	resp, err := o.Base.RoundTrip(w.watch(req))
	if err != nil {
		w.end(err)
		return resp, err
	}
	w.head(resp)
	if resp.StatusCode == http.StatusSwitchingProtocols {
		w.end(nil)
		return resp, nil
	}
	resp.Body = &copied{ReadCloser: resp.Body, into: &w.received, keep: o.Keep, turn: &w.turn, end: w.end}
	return resp, nil
}

// CloseIdleConnections closes those of Base; see http.Client.
func (o *Observer) CloseIdleConnections() {
	if base, ok := o.Base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// watched is an exchange that goes on. The transport's goroutines write into it, too.
type watched struct {
	observer *Observer

	turn           sync.Mutex
	exchange       Exchange
	times          Times
	header         http.Header
	remote         string
	sent, received Beginning
	over           bool
}

// watch returns the request as it is given to the transport.
func (w *watched) watch(req *http.Request) *http.Request {
	other := req.WithContext(w.traced(req.Context()))
	if req.Body == nil || req.Body == http.NoBody || w.observer.Keep == 0 {
		return other
	}
	other.Body = w.copySent(req.Body)
	if again := req.GetBody; again != nil {
		other.GetBody = func() (io.ReadCloser, error) {
			body, err := again()
			if err != nil {
				return nil, err
			}
			return w.copySent(body), nil
		}
	}
	return other
}

// copySent begins the copy of a request's body, anew for each time it is sent.
func (w *watched) copySent(body io.ReadCloser) io.ReadCloser {
	w.turn.Lock()
	defer w.turn.Unlock()
	w.sent = Beginning{}
	return &copied{ReadCloser: body, into: &w.sent, keep: w.observer.Keep, turn: &w.turn}
}

// head notes the reply.
func (w *watched) head(resp *http.Response) {
	w.turn.Lock()
	defer w.turn.Unlock()
	head := *resp
	head.Body = nil
	w.exchange.Response, w.times.Head = &head, w.observer.Now()
}

// end tells of the exchange, once.
func (w *watched) end(err error) {
	w.turn.Lock()
	if w.over {
		w.turn.Unlock()
		return
	}
	w.over = true
	w.times.End = w.observer.Now()
	if w.times.Head.IsZero() {
		w.times.Head = w.times.End
	}
	e := w.exchange
	e.Err, e.Header, e.Times, e.Remote, e.Sent, e.Received = err, w.header.Clone(), w.times, w.remote, w.sent, w.received
	w.turn.Unlock()
	w.observer.Tell(&e)
}

// copied is a body of which the beginning is kept.
type copied struct {
	io.ReadCloser
	into *Beginning
	keep int
	turn *sync.Mutex
	// end is told when the body is over, nil where nobody is.
	end func(error)
}

// Read keeps what is read; see io.Reader.
func (c *copied) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.turn.Lock()
	c.into.Text = append(c.into.Text, p[:min(n, max(0, c.keep-len(c.into.Text)))]...)
	c.into.Size += int64(n)
	c.turn.Unlock()
	switch {
	case err == nil || c.end == nil:
	case err == io.EOF:
		c.end(nil)
	default:
		c.end(err)
	}
	return n, err
}

// Close ends the exchange where the body was not read to its end; see io.Closer.
func (c *copied) Close() error {
	err := c.ReadCloser.Close()
	if c.end != nil {
		c.end(nil)
	}
	return err
}
