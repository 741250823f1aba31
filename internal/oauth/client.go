// Package oauth is the protocol in the RFCs' words: asking a token endpoint
// (RFC 6749 §3.2), authenticating the client (§2.3, RFC 7617, RFC 7523), reading
// the reply (§5), the authorization code (§4.1, RFC 7636, RFC 9207) and calls
// with the token (RFC 6750, RFC 7009, RFC 7662). It knows no service, no store and no
// command line.
package oauth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/authctl/authctl/internal/network"
)

const (
	// defaultTimeout bounds one try when Client.HTTP is nil.
	defaultTimeout = 30 * time.Second
	// maxReply is how many bytes of a reply are read.
	maxReply = 1 << 20
)

// Client sends one request at a time, each the same way: authenticated as asked
// and never by trial, no redirects, no cookies, a limit on the reply. The zero
// value is ready to use, and a Client may be used by many goroutines at once.
type Client struct {
	// HTTP lends its Transport and its Timeout, which bounds each try; nil means
	// http.DefaultTransport and 30 seconds. The request goes to the Transport
	// itself, so that CheckRedirect and Jar have no say: a redirect is an error.
	HTTP *http.Client
	// Now is the clock, time.Now when nil.
	Now func() time.Time
	// UserAgent is the User-Agent header, Go's own when empty.
	UserAgent string
	// Tell gets the whole text of an error that is cut in Error.Description, in one
	// line made fit to be shown; nil means nobody does.
	Tell func(text string)
	// Warn gets a line about what is odd, or cannot be shown as it would be sent; nil means
	// nobody does.
	Warn func(text string)
	// WithCertificate returns what requests go through that the client authenticates with a
	// certificate; nil means that there are none. It shows the certificate to the host of the
	// request alone, and to no proxy.
	WithCertificate func(Presenter) http.RoundTripper
	// DryRun takes every request in the service's place; nil means that they are sent.
	DryRun *DryRun
	// Sleep waits between two tries and returns early with an error when ctx
	// ends; nil means a timer.
	Sleep func(ctx context.Context, d time.Duration) error

	sent sentSecrets
}

// Token asks for a token. The errors are *RequestError and *jose.KeyError (nothing
// was sent), *NetworkError, *Error, *ReplyError, what a SecretFunc returned, and
// ErrDryRun. It repeats at most once, and only what is safe to repeat.
func (c *Client) Token(ctx context.Context, r TokenRequest) (Token, error) {
	call, err := r.call()
	if err != nil {
		return Token{}, err
	}
	var token Token
	err = c.exchange(ctx, call, c.into(&token, r))
	return token, err
}

// into returns what reads the reply to a token request.
func (c *Client) into(token *Token, r TokenRequest) func(*Reply, time.Time) error {
	return func(rep *Reply, at time.Time) error {
		t, err := rep.token(at, c.now())
		if err != nil {
			return err
		}
		if t.IssuedTokenType == "" && r.Params.Get("grant_type") == TokenExchange.Type() {
			return rep.Unusable("it has no issued_token_type (RFC 8693 §2.2.1)")
		}
		if t.Lifetime == 0 && r.AssumedLifetime > 0 {
			t.Lifetime, t.LifetimeAssumed = r.AssumedLifetime, true
		}
		*token = t
		return nil
	}
}

// Call sends one request and returns the answer when it is the Success that was asked
// for. The errors are those of Token. A status of 400 or more is an *Error, and so is
// a success with an error inside: a non-empty error or errors member, or a
// status.code other than 0. What else came is a *ReplyError.
func (c *Client) Call(ctx context.Context, r CallRequest) (*Reply, error) {
	var answer *Reply
	err := c.exchange(ctx, r, func(rep *Reply, _ time.Time) (err error) {
		answer, err = rep.answer(r, c.now())
		return err
	})
	return answer, err
}

// exchange is the one way a request is sent, whatever it asks for: built, sent, its
// reply read by read; all of it once more where the request allows that.
func (c *Client) exchange(ctx context.Context, r CallRequest, read func(rep *Reply, at time.Time) error) error {
	err := c.attempt(ctx, r, read)
	wait, again := r.again(ctx, err)
	if !again {
		return err
	}
	if waitErr := c.sleep(ctx, wait); waitErr != nil {
		return &interruptedError{err, waitErr}
	}
	return c.attempt(ctx, r, read)
}

// attempt builds and sends one request and reads the reply.
func (c *Client) attempt(ctx context.Context, r CallRequest, read func(rep *Reply, at time.Time) error) error {
	d, err := c.draft(ctx, r)
	if err != nil {
		return err
	}
	if c.DryRun != nil {
		c.DryRun.keep(d)
		return ErrDryRun
	}
	timeout := defaultTimeout
	if c.HTTP != nil {
		timeout = c.HTTP.Timeout
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	req, err := d.request(ctx)
	if err != nil {
		return err
	}
	at := c.now()
	rep, err := c.send(req, d)
	if err != nil {
		return err
	}
	return read(rep, at)
}

// send does the request. For an error status the body is a bonus: what of it could
// not be read does not hide the status.
func (c *Client) send(req *http.Request, d *draft) (*Reply, error) {
	watch := connWatch{certificate: d.certificate}
	endpoint, secrets := network.AddressText(req.URL), c.sent.and(d.sent)
	req = req.WithContext(network.WithSecrets(httptrace.WithClientTrace(req.Context(), watch.trace()), secrets))
	if err := context.Cause(req.Context()); err != nil {
		// The time was up before anything was sent.
		return nil, &NetworkError{Endpoint: endpoint, Timeout: errors.Is(err, context.DeadlineExceeded), Err: err}
	}
	transport, err := c.transport(d)
	if err != nil {
		return nil, err
	}
	body := announceBody(req, d)
	resp, err := transport.RoundTrip(req)
	if refused := body.end(); refused != nil {
		if err == nil {
			_ = resp.Body.Close()
		}
		return nil, refused
	}
	if err != nil {
		return nil, watch.failure(endpoint, secrets, err)
	}
	defer func() { _ = resp.Body.Close() }()
	rep := &Reply{
		StatusCode: resp.StatusCode, Header: resp.Header,
		endpoint: endpoint, secrets: secrets, certificate: d.certificate, tell: c.Tell,
	}
	rep.Body, err = io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err != nil && rep.StatusCode < http.StatusMultipleChoices {
		watch.connected.Store(true)
		if !network.IsBroken(err) {
			return nil, rep.Unusable(notHTTP)
		}
		return nil, watch.failure(endpoint, secrets, err)
	}
	return rep, nil
}

func (c *Client) warn(text string) {
	if c.Warn != nil {
		c.Warn(text)
	}
}

func (c *Client) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}
