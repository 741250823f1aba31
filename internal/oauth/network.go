package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptrace"
	"strings"
	"sync/atomic"

	"github.com/authctl/authctl/internal/network"
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
	Obstacle *network.Obstacle
	// Certificate says that the client's own certificate was shown, and is what was refused.
	Certificate bool
	// Err is the cause, never a *url.Error. Print the NetworkError, not the
	// cause: only the former's text has been cleaned.
	Err error
}

// Error names the endpoint and the cause, without query and headers.
func (e *NetworkError) Error() string {
	switch {
	case e.Certificate:
		return e.Endpoint + ": " + causeText(e)
	case !e.Sent:
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
type connWatch struct {
	wanted, connected atomic.Bool
	// certificate is the one to show, nil when there is none.
	certificate *shownCertificate
}

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
	if !connecting && network.IsNotHTTP(err) {
		return &ReplyError{Endpoint: endpoint, Problem: notHTTP}
	}
	sent := !connecting && !network.IsDial(err) && !network.RefusedHandshake(err)
	e := &NetworkError{Endpoint: endpoint, Sent: sent, Err: network.NameProxy(endpoint, err)}
	if timeout, ok := errors.AsType[net.Error](err); ok {
		e.Timeout = timeout.Timeout()
	}
	e.Timeout = e.Timeout || errors.Is(err, context.DeadlineExceeded)
	e.Obstacle = network.ObstacleIn(err)
	if w.certificate.wasAsked() && network.RefusedHandshake(err) {
		e.Certificate, e.Obstacle = true, network.CertificateRefused(err)
	}
	if secrets.Holds(err.Error()) {
		e.Err = errors.New(secret.Redacted)
		if e.Obstacle != nil {
			e.Obstacle.Problem = secret.Redacted
		}
	}
	return e
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

// notHTTP is the problem of a reply of which the transport's own words quote lines.
const notHTTP = "it is not valid HTTP"
