package network

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
)

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
