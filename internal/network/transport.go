package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// Trace is an http.RoundTripper that tells of each request in one line: method,
// scheme, host and path, status, and the milliseconds until the reply's head.
// It never shows a query, a header or a body.
type Trace struct {
	// Base does the request.
	Base http.RoundTripper
	// Log gets the line, without a line break. It may be called by many
	// goroutines at once.
	Log func(line string)
	// Now is the clock.
	Now func() time.Time
}

// RoundTrip does the request with Base and logs it; see http.RoundTripper.
func (t *Trace) RoundTrip(req *http.Request) (*http.Response, error) {
	start := t.Now()
	resp, err := t.Base.RoundTrip(req)
	result := "no reply"
	if err == nil {
		result = fmt.Sprint(resp.StatusCode)
	}
	t.Log(fmt.Sprintf("%s %s %s %dms", req.Method, AddressText(req.URL), result, t.Now().Sub(start).Milliseconds()))
	return resp, err
}

// Dialer makes a connection, as http.Transport.DialContext does.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Orderly returns a dialer of connections on which this side speaks first and hears the
// other side out.
//
// What comes before this side has said anything is an answer to nothing; net/http would
// print it. And where the other side has ended the connection, what it said last tells
// why, such as the alert of a service that wants a client certificate: a write that fails
// for that would hide it, so it is passed over, and the next read tells.
func Orderly(dial Dialer) Dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &orderly{Conn: conn, spoken: make(chan struct{})}, nil
	}
}

type orderly struct {
	net.Conn
	once sync.Once
	// spoken is closed when something was written, or nothing will be.
	spoken chan struct{}
}

// Read waits until something was written; see net.Conn.
func (c *orderly) Read(p []byte) (int, error) {
	<-c.spoken
	return c.Conn.Read(p)
}

// Write takes what nobody reads any more as written; see net.Conn.
func (c *orderly) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.speak()
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return len(p), nil
	}
	return n, err
}

// Close ends a Read that waits, too; see net.Conn.
func (c *orderly) Close() error {
	c.speak()
	return c.Conn.Close()
}

func (c *orderly) speak() { c.once.Do(func() { close(c.spoken) }) }
