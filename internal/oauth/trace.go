package oauth

import (
	"fmt"
	"net/http"
	"time"
)

// Trace is an http.RoundTripper that tells of each request in one line: method,
// scheme, host and path, status, and the milliseconds until the reply's head.
// It never shows a query, a header or a body.
type Trace struct {
	// Base does the request; nil means http.DefaultTransport.
	Base http.RoundTripper
	// Log gets the line, without a line break. It may be called by many
	// goroutines at once.
	Log func(line string)
	// Now is the clock, time.Now when nil.
	Now func() time.Time
}

// RoundTrip does the request with Base and logs it; see http.RoundTripper.
func (t *Trace) RoundTrip(req *http.Request) (*http.Response, error) {
	base, now := t.Base, t.Now
	if base == nil {
		base = http.DefaultTransport
	}
	if now == nil {
		now = time.Now
	}
	start := now()
	resp, err := base.RoundTrip(req)
	if t.Log == nil {
		return resp, err
	}
	result := "no reply"
	if err == nil {
		result = fmt.Sprint(resp.StatusCode)
	}
	t.Log(fmt.Sprintf("%s %s %s %dms", req.Method, endpointText(req.URL), result, now().Sub(start).Milliseconds()))
	return resp, err
}
