package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// carrier is an http.RoundTripper that shows the token, and asks once more with another where the
// upstream does not take it.
type carrier struct {
	tokens   *tokens
	upstream http.RoundTripper
}

// RoundTrip sends a request with the token; see http.RoundTripper. An error of the token's source
// stays one.
func (c *carrier) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := c.tokens.get(req.Context())
	if err != nil {
		return nil, err
	}
	again := repeats(req)
	resp, err := c.upstream.RoundTrip(shown(req, token))
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	repeated, ok := again()
	if !ok {
		c.tokens.renewSoon(token)
		return resp, nil
	}
	other, ok := c.tokens.instead(req.Context(), token)
	if !ok {
		return resp, nil
	}
	drain(resp.Body)
	resp, err = c.upstream.RoundTrip(shown(repeated, other))
	if err == nil {
		c.tokens.helped(resp.StatusCode != http.StatusUnauthorized)
	}
	return resp, err
}

// shown is a request with a token.
func shown(req *http.Request, token Token) *http.Request {
	out := req.WithContext(req.Context())
	out.Header = req.Header.Clone()
	out.Header.Set("Authorization", "Bearer "+token.Access.Reveal())
	for name, value := range token.Headers {
		out.Header.Set(name, value.Reveal())
	}
	return out
}

// repeats prepares a request for being sent again, and returns what makes it the one to be sent then:
// false where its body is too large.
func repeats(req *http.Request) (again func() (*http.Request, bool)) {
	if req.Body == nil || req.Body == http.NoBody {
		return func() (*http.Request, bool) { return req, true }
	}
	if req.ContentLength > maxKept {
		return func() (*http.Request, bool) { return nil, false }
	}
	kept := newBody(req.Body)
	req.Body, _ = kept.begin()
	// Where a connection has been closed before anything was sent on it, net/http takes another one.
	req.GetBody = func() (io.ReadCloser, error) {
		if next, ok := kept.begin(); ok {
			return next, nil
		}
		return nil, errTooLarge
	}
	return func() (*http.Request, bool) {
		next, ok := kept.begin()
		if !ok {
			return nil, false
		}
		repeated := req.WithContext(req.Context())
		repeated.Body = next
		return repeated, true
	}
}

var errTooLarge = errors.New("what was sent is too large to be sent again")

// drain reads what is left of a short body, so that its connection can be used again.
func drain(b io.ReadCloser) {
	const short = 64 << 10
	_, _ = io.CopyN(io.Discard, b, short)
	_ = b.Close()
}

// isGone reports whether a request has ended because who asked has gone, or the proxy has.
func isGone(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }
