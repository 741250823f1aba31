package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync/atomic"

	"github.com/authctl/authctl/internal/secret"
)

// NetworkError says that no whole reply came: no connection, none in time, or
// one that broke off.
type NetworkError struct {
	// Endpoint is scheme, host and path of what was asked.
	Endpoint string
	// Sent is false only when surely nothing of the request left: the name was
	// not found, or the connection or its TLS handshake failed.
	Sent bool
	// Timeout says that a deadline ended the exchange.
	Timeout bool
	// Obstacle is what waiting does not mend, nil when it may.
	Obstacle *Obstacle
	// Err is the cause, never a *url.Error. Print the NetworkError, not the
	// cause: only the former's text has been cleaned.
	Err error
}

// Error names the endpoint and the cause, without query and headers.
func (e *NetworkError) Error() string {
	if !e.Sent {
		return fmt.Sprintf("cannot reach %s: %s", e.Endpoint, causeText(e))
	}
	return fmt.Sprintf("no complete reply from %s: %s", e.Endpoint, causeText(e))
}

// Unwrap returns the cause.
func (e *NetworkError) Unwrap() error { return e.Err }

// Ambiguous reports whether the service may have carried the request out.
func (e *NetworkError) Ambiguous() bool { return e.Sent }

// connWatch learns from the transport whether a connection stood, which is the
// only sure sign that nothing was sent.
type connWatch struct{ wanted, connected atomic.Bool }

func (w *connWatch) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { w.wanted.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { w.connected.Store(true) },
	}
}

// failure turns a transport's error into one of ours. A transport that does not
// report its connections is believed only when the dial itself failed.
func (w *connWatch) failure(endpoint string, secrets secret.Redactor, err error) error {
	connecting := w.wanted.Load() && !w.connected.Load()
	if !w.wanted.Load() && strings.Contains(err.Error(), "invalid proxy address") {
		return &RequestError{
			Problem: "the proxy address in the environment is not a URL",
			Hint:    "look at HTTPS_PROXY and HTTP_PROXY",
		}
	}
	if !connecting && IsNotHTTP(err) {
		return &ReplyError{Endpoint: endpoint, Problem: notHTTP}
	}
	sent := !connecting && !isDialError(err) && !refusedHandshake(err)
	e := &NetworkError{Endpoint: endpoint, Sent: sent, Err: newDeadProxy(endpoint, err)}
	if timeout, ok := errors.AsType[net.Error](err); ok {
		e.Timeout = timeout.Timeout()
	}
	e.Timeout = e.Timeout || errors.Is(err, context.DeadlineExceeded)
	e.Obstacle = ObstacleIn(err)
	if secrets.Holds(err.Error()) {
		e.Err = errors.New(secret.Redacted)
		if e.Obstacle != nil {
			e.Obstacle.Problem = secret.Redacted
		}
	}
	return e
}

// isDialError reports whether no connection could be made, to the service or to
// the proxy before it.
func isDialError(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect")
}

// notHTTP is the problem of a reply of which the transport's own words quote lines.
const notHTTP = "it is not valid HTTP"

// IsNotHTTP reports whether a transport's error is about a reply that cannot be read,
// however often it is asked for: its first line or its header is not HTTP.
func IsNotHTTP(err error) bool {
	if isNetwork(err) {
		return false
	}
	_, quotes := errors.AsType[textproto.ProtocolError](err)
	text := err.Error()
	return quotes || strings.Contains(text, "transport connection broken") ||
		strings.Contains(text, "server response headers exceeded")
}

// isNetwork reports an error of a connection, or of one that was ended from this side: time
// may mend it.
func isNetwork(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, context.Canceled, http.ErrBodyReadAfterClose} {
		if errors.Is(err, end) {
			return true
		}
	}
	_, ok := errors.AsType[net.Error](err)
	return ok || strings.Contains(err.Error(), "unexpected EOF")
}

// causeText is a network error's cause in few words. Transports quote what a
// broken service sent, so it is cleaned like remote text.
func causeText(e *NetworkError) string {
	switch {
	case e.Timeout:
		return "timed out"
	case e.Obstacle != nil:
		return e.Obstacle.Problem
	case e.Err == nil:
		return "no cause is known"
	case errors.Is(e.Err, io.EOF), errors.Is(e.Err, io.ErrUnexpectedEOF):
		return "the connection was closed early"
	}
	return cmp.Or(secret.CleanText(e.Err.Error()), "no cause is known")
}

// isUnknownHost reports a name that the resolver says does not exist.
func isUnknownHost(err error) bool {
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound
}
