package network

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptrace"
	"time"
)

// Times are the moments of an exchange, zero for what did not happen: on a connection that stood
// already nothing was looked up, dialled or agreed on.
type Times struct {
	Start                      time.Time
	DNSStart, DNSDone          time.Time
	ConnectStart, ConnectDone  time.Time
	TLSStart, TLSDone          time.Time
	Connection, Wrote, FirstIn time.Time
	// Head is when the reply's head was there, and End when its body was.
	Head, End time.Time
}

// traced returns a context under which the transport tells when what happens, and what it writes
// of the head (net/http/httptrace).
func (w *watched) traced(ctx context.Context) context.Context {
	t := &w.times
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:          func(httptrace.DNSStartInfo) { w.first(&t.DNSStart) },
		DNSDone:           func(httptrace.DNSDoneInfo) { w.last(&t.DNSDone) },
		ConnectStart:      func(string, string) { w.first(&t.ConnectStart) },
		ConnectDone:       func(string, string, error) { w.last(&t.ConnectDone) },
		TLSHandshakeStart: func() { w.first(&t.TLSStart) },
		TLSHandshakeDone:  func(tls.ConnectionState, error) { w.last(&t.TLSDone) },
		GotConn: func(info httptrace.GotConnInfo) {
			w.last(&t.Connection)
			w.connected(info)
		},
		WroteHeaderField:     w.wrote,
		WroteRequest:         func(httptrace.WroteRequestInfo) { w.last(&t.Wrote) },
		GotFirstResponseByte: func() { w.last(&t.FirstIn) },
	})
}

// first notes a moment, once: of two addresses that are tried at the same time the first counts.
func (w *watched) first(at *time.Time) {
	w.turn.Lock()
	defer w.turn.Unlock()
	if at.IsZero() {
		*at = w.observer.Now()
	}
}

// last notes a moment, in the place of an earlier one.
func (w *watched) last(at *time.Time) {
	w.turn.Lock()
	defer w.turn.Unlock()
	*at = w.observer.Now()
}

// connected begins the head anew: a request may be sent again on another connection.
func (w *watched) connected(info httptrace.GotConnInfo) {
	w.turn.Lock()
	defer w.turn.Unlock()
	w.header = http.Header{}
	if address := info.Conn.RemoteAddr(); address != nil {
		w.remote = address.String()
	}
}

// wrote notes a field of the head.
func (w *watched) wrote(name string, values []string) {
	w.turn.Lock()
	defer w.turn.Unlock()
	if w.header != nil && !w.over {
		w.header[name] = append(w.header[name], values...)
	}
}
