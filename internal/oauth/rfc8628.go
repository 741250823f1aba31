package oauth

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/secret"
)

// DeviceAuthorization is how a person can be sent to log in on another device (RFC 8628 §3.2).
// All of it but DeviceCode is for that person's eyes, and fit to be shown as it is.
type DeviceAuthorization struct {
	// DeviceCode is what the token endpoint is asked with.
	DeviceCode secret.Secret
	// UserCode is what the person types at VerificationURI: printable ASCII, at most 64 bytes.
	UserCode string
	// VerificationURI is https, or http on loopback. VerificationURIComplete has the code in it;
	// nil where the service gave none.
	VerificationURI, VerificationURIComplete *url.URL
	// RequestedAt is the moment before the request was sent, Lifetime how long the codes are
	// good from then on.
	RequestedAt time.Time
	Lifetime    time.Duration
	// Interval is the least time between two requests, a second or more.
	Interval time.Duration
}

// Expiry returns the moment from which the codes are good for nothing.
func (d DeviceAuthorization) Expiry() time.Time { return d.RequestedAt.Add(d.Lifetime) }

// ErrDeviceCodeExpired says that nobody had logged in when the codes' time was up; a service
// that is asked then says expired_token (RFC 8628 §3.5).
var ErrDeviceCodeExpired = errors.New("the code has expired")

const (
	// defaultInterval is RFC 8628 §3.2's, where the reply has none.
	defaultInterval = 5 * time.Second
	// maxInterval is more than any service means.
	maxInterval = 5 * time.Minute
	// slowDown is added to the interval at each slow_down (RFC 8628 §3.5).
	slowDown = 5 * time.Second
	// maxBackOff bounds the pause after a request without an answer.
	maxBackOff = time.Minute

	maxUserCode = 64
	maxAddress  = 2048
)

// Device asks for a device code (RFC 8628 §3.1), by POST. The errors are those of Call; a reply
// with a member that cannot be used is a *ReplyError.
func (c *Client) Device(ctx context.Context, r CallRequest) (DeviceAuthorization, error) {
	r.Method, r.Success = http.MethodPost, Success{}
	var d DeviceAuthorization
	err := c.exchange(ctx, r, func(rep *Reply, at time.Time) error {
		rep, err := rep.answer(r, c.now())
		if err != nil {
			return err
		}
		m, problem := rep.object()
		if problem == "" {
			d, problem = m.device(r.URL.Scheme)
		}
		if problem != "" {
			return rep.Unusable(problem)
		}
		d.RequestedAt = at
		return nil
	})
	return d, err
}

// AwaitDevice asks for the token until the person has logged in or refused, the codes have
// expired, or ctx ends (RFC 8628 §3.4, §3.5): never sooner than the interval after the last
// request. A service that does not answer for a while is asked less and less often. grant_type and
// device_code are set here. The errors are those of Token, ErrDeviceCodeExpired and Sleep's.
func (c *Client) AwaitDevice(ctx context.Context, r TokenRequest, d DeviceAuthorization) (Token, error) {
	r = r.forDevice(d)
	if c.DryRun != nil {
		return c.Token(ctx, r)
	}
	call, err := r.call()
	if err != nil {
		return Token{}, err
	}
	p := polling{interval: d.Interval, pause: d.Interval}
	for {
		if c.now().Add(p.pause).After(d.Expiry()) {
			return Token{}, p.end(ErrDeviceCodeExpired)
		}
		if err := c.sleep(ctx, p.pause); err != nil {
			return Token{}, p.end(err)
		}
		var token Token
		err := c.poll(ctx, call, c.into(&token, r))
		switch {
		case err == nil:
			return token, nil
		case ctx.Err() != nil:
			return Token{}, p.end(context.Cause(ctx))
		case !p.goesOn(err):
			return Token{}, err
		}
	}
}

// poll sends one request. Nobody waits for its answer longer than for that of any other.
func (c *Client) poll(ctx context.Context, r CallRequest, read func(*Reply, time.Time) error) error {
	ctx, cancel := context.WithTimeout(ctx, defaultTimeout)
	defer cancel()
	return c.attempt(ctx, r, read)
}

// forDevice is the request with the grant's parameters (RFC 8628 §3.4).
func (r TokenRequest) forDevice(d DeviceAuthorization) TokenRequest {
	r.Params, r.Secrets, r.Repeatable = maps.Clone(r.Params), maps.Clone(r.Secrets), false
	if r.Params == nil {
		r.Params = url.Values{}
	}
	if r.Secrets == nil {
		r.Secrets = map[string]secret.Func{}
	}
	r.Params.Set("grant_type", DeviceCode.Type())
	r.Secrets["device_code"] = func(context.Context) (secret.Secret, error) {
		if d.DeviceCode.IsZero() {
			return secret.Secret{}, errors.New("it is in the answer to the request before")
		}
		return d.DeviceCode, nil
	}
	return r
}

// polling is how long to wait before the next request.
type polling struct {
	// interval is what the service wants, pause what it gets: longer while it does not answer.
	interval, pause time.Duration
	// failed is why the last request got no answer, nil when it did.
	failed error
}

// goesOn reports whether an error is no end, and sets the pause after it.
func (p *polling) goesOn(err error) bool {
	answered, ok := errors.AsType[*Error](err)
	switch {
	case ok && answered.Code == "authorization_pending":
		p.pause, p.failed = p.interval, nil
	case ok && answered.Code == "slow_down":
		p.interval += slowDown
		p.pause, p.failed = p.interval, nil
	case passes(err):
		p.pause, p.failed = max(p.interval, min(2*p.pause, maxBackOff)), err
	default:
		return false
	}
	if ok {
		p.pause = max(p.pause, answered.RetryAfter)
	}
	return true
}

// end is why nothing is asked any more; where the service did not answer last, that is what
// went wrong.
func (p *polling) end(why error) error {
	if p.failed == nil {
		return why
	}
	return &interruptedError{p.failed, why}
}

// passes reports whether time may mend an error.
func passes(err error) bool {
	if network, ok := errors.AsType[*NetworkError](err); ok {
		return network.Obstacle == nil
	}
	answered, ok := errors.AsType[*Error](err)
	return ok && (answered.StatusCode >= http.StatusInternalServerError ||
		answered.StatusCode == http.StatusRequestTimeout ||
		answered.Throttled() || answered.Code == "temporarily_unavailable")
}

// device reads the reply of RFC 8628 §3.2; a page has to be https where scheme is. The second
// result is the problem, and quotes nothing that may be a secret.
func (m members) device(scheme string) (d DeviceAuthorization, problem string) {
	code, problem := m.tokenText("device_code")
	if code == "" {
		return d, cmp.Or(problem, "it has no device_code")
	}
	d.DeviceCode = secret.New(code)
	if d.UserCode, problem = m.userCode(); problem != "" {
		return d, problem
	}
	if d.VerificationURI, problem = m.page(scheme, "verification_uri", "verification_url"); problem != "" {
		return d, problem
	}
	if d.VerificationURI == nil {
		return d, "it has no verification_uri"
	}
	if d.VerificationURIComplete, problem = m.page(scheme, "verification_uri_complete"); problem != "" {
		return d, problem
	}
	if shown := (secret.Redactor{code}); shown.Holds(d.UserCode) || shown.Holds(d.VerificationURI.String()) ||
		d.VerificationURIComplete != nil && shown.Holds(d.VerificationURIComplete.String()) {
		return d, "it has device_code, which is secret, among what is for the person"
	}
	return d, d.readTimes(m)
}

// userCode reads what a person has to type.
func (m members) userCode() (code, problem string) {
	code, ok := m.text("user_code")
	switch {
	case !ok:
		return "", "user_code is not a string"
	case code == "":
		return "", "it has no user_code"
	case len(code) > maxUserCode:
		return "", "user_code is longer than 64 characters"
	case !isVisible(strings.ReplaceAll(code, " ", "")) || secret.CleanText(code) != code:
		return "", "user_code has characters that nobody can type: " + secret.Quote(code)
	}
	return code, ""
}

// page reads an address for a person's browser, by the first of its names that is there; nil
// when there is none. Google writes verification_url.
func (m members) page(scheme string, names ...string) (*url.URL, string) {
	name := names[0]
	if len(names) > 1 && !m.has(name) {
		name = names[1]
	}
	text, ok := m.text(name)
	u, err := url.Parse(text)
	switch {
	case !ok:
		return nil, name + " is not a string"
	case text == "":
		return nil, ""
	case len(text) > maxAddress:
		return nil, name + " is longer than 2048 characters"
	case !isVisible(text):
		return nil, name + " has blanks or bytes outside printable ASCII: " + secret.Quote(text)
	case err != nil:
		return nil, name + " is not a URL"
	}
	bare := *u // a fragment leads to a part of the page
	bare.Fragment, bare.RawFragment = "", ""
	if err := CheckAddress(&bare); err != nil {
		return nil, name + " cannot be used: " + strings.Replace(err.Error(), "the endpoint", "it", 1)
	}
	if scheme == "https" && u.Scheme != "https" {
		return nil, name + " is not https: " + secret.Quote(text)
	}
	return u, ""
}

// readTimes reads expires_in and interval. A service that says 0 for the latter wants nothing
// particular; a part of a second is a whole one.
func (d *DeviceAuthorization) readTimes(m members) (problem string) {
	if d.Lifetime, problem = parseLifetime(m["expires_in"]); problem != "" {
		return strings.Replace(problem, "the reply has", "it has", 1)
	}
	d.Interval = defaultInterval
	if text := m.scalar("interval"); m.has("interval") {
		seconds, problem := number("interval", strings.TrimSpace(text))
		if problem != "" {
			return problem
		}
		if seconds > maxInterval.Seconds() {
			return "interval is " + secret.CleanTo(text, 40) + ", which is over five minutes"
		}
		if seconds > 0 {
			d.Interval = time.Duration(math.Ceil(seconds)) * time.Second
		}
	}
	if d.Interval >= d.Lifetime {
		return "the codes expire before they may be asked with: expires_in is not longer than interval"
	}
	return ""
}
