package har

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/secret"
)

// entry is what is shown of an exchange.
func (e *eraser) entry(x *network.Exchange) *entry {
	times, took := timed(x.Times)
	return &entry{
		Started: x.Times.Start.Truncate(time.Millisecond), Time: took, Timings: times,
		Request: e.request(x), Response: e.response(x), ServerIP: host(x.Remote),
	}
}

func (e *eraser) request(x *network.Exchange) request {
	head := x.Header
	if len(head) == 0 {
		head = x.Request.Header
	}
	r := request{
		Method: x.Request.Method, URL: e.address(x.Request.URL.String()), HTTPVersion: x.Request.Proto,
		Cookies: cookies(e, head, "Cookie"), Headers: e.head(head), Query: params(e, x.Request.URL.RawQuery),
		HeadersSize: -1, BodySize: x.Sent.Size,
	}
	if x.Response != nil {
		r.HTTPVersion = x.Response.Proto
	}
	if x.Sent.Size > 0 {
		shown := e.body(x.Request.Header, x.Sent)
		r.Body = &postData{
			MimeType: e.kept(x.Request.Header.Get("Content-Type")),
			Params:   shown.params, Text: shown.text, Comment: shown.comment,
		}
		if r.Body.Params == nil {
			r.Body.Params = []param{}
		}
	}
	return r
}

func (e *eraser) response(x *network.Exchange) response {
	r := response{Cookies: []pair{}, Headers: []pair{}, HeadersSize: -1, BodySize: -1, HTTPVersion: "unknown"}
	if x.Err != nil {
		r.Error = e.sentence(secret.CleanText(cause(x.Err)), true)
	}
	if x.Response == nil {
		return r
	}
	head := x.Response.Header
	shown := e.body(head, x.Received)
	r.Status, r.StatusText, r.HTTPVersion = x.Response.StatusCode, http.StatusText(x.Response.StatusCode), x.Response.Proto
	r.Cookies, r.Headers = cookies(e, head, "Set-Cookie"), e.head(head)
	r.Content = content{
		Size: x.Received.Size, MimeType: e.kept(head.Get("Content-Type")), Text: shown.text, Comment: shown.comment,
	}
	if !x.Response.Uncompressed {
		r.BodySize = x.Received.Size
	}
	if location := head.Get("Location"); location != "" {
		r.RedirectURL = e.address(location)
	}
	return r
}

// cause is why there was no reply, without the URL that net/http puts before it.
func cause(err error) string {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	case errors.Is(err, context.Canceled):
		return "interrupted"
	}
	return err.Error()
}

// host is an address without its port.
func host(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

// timed says how long each part of an exchange took, and all of it, in milliseconds. What was not
// reached did not happen; the time until the end is then that of what was going on.
func timed(t network.Times) (timings, float64) {
	var parts timings
	parts.DNS = between(t.DNSStart, t.DNSDone)
	parts.Connect = between(t.ConnectStart, later(t.ConnectDone, t.TLSDone))
	parts.SSL = between(t.TLSStart, t.TLSDone)
	wrote := t.Wrote
	if !t.FirstIn.IsZero() && t.FirstIn.Before(wrote) {
		wrote = t.FirstIn // the transport tells of it late
	}
	parts.Send = max(0, between(t.Connection, wrote))
	parts.Wait = max(0, between(wrote, t.FirstIn))
	parts.Receive = max(0, between(t.FirstIn, t.End))
	took := max(0, between(t.Start, t.End))
	rest := took - max(0, parts.DNS) - max(0, parts.Connect) - parts.Send - parts.Wait - parts.Receive
	switch {
	case !t.Wrote.IsZero() && t.FirstIn.IsZero():
		parts.Wait, rest = rounded(max(0, rest)), 0
	case !t.Connection.IsZero() && t.Wrote.IsZero():
		parts.Send, rest = rounded(max(0, rest)), 0
	}
	parts.Blocked = rounded(max(0, rest))
	// The specification has the whole be the sum of its parts.
	sum := parts.Blocked + max(0, parts.DNS) + max(0, parts.Connect) + parts.Send + parts.Wait + parts.Receive
	return parts, rounded(sum)
}

func rounded(milliseconds float64) float64 { return math.Round(milliseconds*1000) / 1000 }

// between is a time in milliseconds, -1 where one of its ends is missing.
func between(from, to time.Time) float64 {
	if from.IsZero() || to.IsZero() {
		return -1
	}
	return max(0, float64(to.Sub(from).Microseconds())/1000)
}

func later(a, b time.Time) time.Time {
	return cmp.Or(map[bool]time.Time{true: b}[b.After(a)], a)
}
