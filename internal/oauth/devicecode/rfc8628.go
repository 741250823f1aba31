// Package devicecode is the device authorization grant (RFC 8628): a code for a person, and the
// wait until that person has logged in somewhere.
package devicecode

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
)

// Authorization is how a person can be sent to log in on another device (RFC 8628 §3.2).
// All of it but DeviceCode is for that person's eyes, and fit to be shown as it is.
type Authorization struct {
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
func (a Authorization) Expiry() time.Time { return a.RequestedAt.Add(a.Lifetime) }

// ErrExpired says that nobody had logged in when the codes' time was up; a service
// that is asked then says expired_token (RFC 8628 §3.5).
var ErrExpired = errors.New("the code has expired")

const (
	// defaultInterval is RFC 8628 §3.2's, where the reply has none.
	defaultInterval = 5 * time.Second
	// maxInterval is more than any service means.
	maxInterval = 5 * time.Minute
	// slowDown is added to the interval at each slow_down (RFC 8628 §3.5).
	slowDown = 5 * time.Second
	// patience is how long one request may take.
	patience = 30 * time.Second
	// maxBackOff bounds the pause after a request without an answer.
	maxBackOff = time.Minute

	maxDeviceCode = 64 << 10
	maxUserCode   = 64
	maxAddress    = 2048
)

// Request asks for a device code (RFC 8628 §3.1), by POST. The errors are those of Client.Call; a
// reply with a member that cannot be used is an *oauth.ReplyError.
func Request(ctx context.Context, c *oauth.Client, r oauth.CallRequest) (Authorization, error) {
	r.Method, r.Success = http.MethodPost, oauth.Success{}
	at := now(c)
	reply, err := c.Call(ctx, r)
	if err != nil {
		return Authorization{}, err
	}
	object, err := reply.Object()
	if err != nil {
		return Authorization{}, err
	}
	var m members
	problem := "it is not a JSON object"
	a := Authorization{RequestedAt: at}
	if json.Unmarshal(object, &m) == nil {
		problem = a.read(m, r.URL.Scheme)
	}
	if problem != "" {
		return Authorization{}, reply.Unusable(problem)
	}
	return a, nil
}

// Await asks for the token until the person has logged in or refused, the codes have expired, or
// ctx ends (RFC 8628 §3.4, §3.5): never sooner than the interval after the last request. A service
// that does not answer for a while is asked less and less often. grant_type and device_code are set
// here. The errors are those of Client.Token, ErrExpired and those of ctx.
func Await(ctx context.Context, c *oauth.Client, r oauth.TokenRequest, a Authorization) (oauth.Token, error) {
	r = asking(r, a)
	if c.DryRun != nil {
		return c.Token(ctx, r)
	}
	p := polling{interval: a.Interval, pause: a.Interval}
	for {
		if now(c).Add(p.pause).After(a.Expiry()) {
			return oauth.Token{}, p.end(ErrExpired)
		}
		if err := sleep(ctx, c, p.pause); err != nil {
			return oauth.Token{}, p.end(err)
		}
		token, err := poll(ctx, c, r)
		switch {
		case err == nil:
			return token, nil
		case ctx.Err() != nil:
			return oauth.Token{}, p.end(context.Cause(ctx))
		case !p.goesOn(err):
			return oauth.Token{}, err
		}
	}
}

// poll sends one request. Nobody waits for its answer longer than for that of any other.
func poll(ctx context.Context, c *oauth.Client, r oauth.TokenRequest) (oauth.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.Token(ctx, r)
}

func now(c *oauth.Client) time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

func sleep(ctx context.Context, c *oauth.Client, d time.Duration) error {
	if c.Sleep != nil {
		return c.Sleep(ctx, d)
	}
	return moment.Sleep(ctx, d)
}

// asking is the request with the grant's parameters (RFC 8628 §3.4).
func asking(r oauth.TokenRequest, a Authorization) oauth.TokenRequest {
	r.Params, r.Secrets, r.Repeatable = maps.Clone(r.Params), maps.Clone(r.Secrets), false
	if r.Params == nil {
		r.Params = url.Values{}
	}
	if r.Secrets == nil {
		r.Secrets = map[string]secret.Func{}
	}
	r.Params.Set("grant_type", oauth.DeviceCode.Type())
	r.Secrets["device_code"] = func(context.Context) (secret.Secret, error) {
		if a.DeviceCode.IsZero() {
			return secret.Secret{}, errors.New("it is in the answer to the request before")
		}
		return a.DeviceCode, nil
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
	answered, ok := errors.AsType[*oauth.Error](err)
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
	return &unansweredError{p.failed, why}
}

// unansweredError is why the last request got no answer, and why there is no other.
type unansweredError struct{ failed, why error }

// Error says what went wrong.
func (e *unansweredError) Error() string { return e.failed.Error() }

// Unwrap returns both.
func (e *unansweredError) Unwrap() []error { return []error{e.failed, e.why} }

// passes reports whether time may mend an error.
func passes(err error) bool {
	if network, ok := errors.AsType[*oauth.NetworkError](err); ok {
		return network.Obstacle == nil
	}
	answered, ok := errors.AsType[*oauth.Error](err)
	return ok && (answered.StatusCode >= http.StatusInternalServerError ||
		answered.StatusCode == http.StatusRequestTimeout ||
		answered.Throttled() || answered.Code == "temporarily_unavailable")
}

// members are those of a reply, as they are written.
type members map[string]json.RawMessage

func (m members) text(name string) (string, bool) { return oauth.MemberText(m[name]) }

// read takes the members of RFC 8628 §3.2; a page has to be https where scheme is. It returns the
// problem, which never quotes the device code.
func (a *Authorization) read(m members, scheme string) (problem string) {
	code, problem := m.deviceCode()
	if problem != "" {
		return problem
	}
	a.DeviceCode = secret.New(code)
	problem = a.readShown(m, scheme)
	if problem == "" {
		problem = a.readTimes(m)
	}
	shown := []string{problem, a.UserCode, text(a.VerificationURI), text(a.VerificationURIComplete)}
	if slices.ContainsFunc(shown, secret.Redactor{code}.Holds) {
		return "it has device_code, which is secret, in another member"
	}
	return problem
}

// text is an address as it is shown, empty where there is none.
func text(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.String()
}

// readShown takes what is for the person.
func (a *Authorization) readShown(m members, scheme string) (problem string) {
	if a.UserCode, problem = m.userCode(); problem != "" {
		return problem
	}
	if a.VerificationURI, problem = m.page(scheme, "verification_uri", "verification_url"); problem != "" {
		return problem
	}
	if a.VerificationURI == nil {
		return "it has no verification_uri"
	}
	a.VerificationURIComplete, problem = m.page(scheme, "verification_uri_complete")
	return problem
}

// deviceCode reads what the token endpoint is asked with.
func (m members) deviceCode() (code, problem string) {
	code, ok := m.text("device_code")
	switch {
	case !ok:
		return "", "device_code is not a string"
	case code == "":
		return "", "it has no device_code"
	case len(code) > maxDeviceCode:
		return "", "device_code is larger than 64 KiB"
	case !secret.IsVisible(code):
		return "", "device_code has blanks or bytes outside printable ASCII"
	}
	return code, ""
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
	case !secret.IsVisible(strings.ReplaceAll(code, " ", "")) || secret.CleanText(code) != code:
		return "", "user_code has characters that nobody can type: " + secret.Quote(code)
	}
	return code, ""
}

// page reads an address for a person's browser, by the first of its names that is there; nil
// when there is none. Google writes verification_url.
func (m members) page(scheme string, names ...string) (*url.URL, string) {
	name := names[0]
	if len(names) > 1 && len(m[name]) == 0 {
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
	case !secret.IsVisible(text):
		return nil, name + " has blanks or bytes outside printable ASCII: " + secret.Quote(text)
	case err != nil:
		return nil, name + " is not a URL"
	}
	bare := *u // a fragment leads to a part of the page
	bare.Fragment, bare.RawFragment = "", ""
	if err := oauth.CheckAddress(&bare); err != nil {
		return nil, name + " cannot be used: " + strings.Replace(err.Error(), "the endpoint", "it", 1)
	}
	if scheme == "https" && u.Scheme != "https" {
		return nil, name + " is not https: " + secret.Quote(text)
	}
	return u, ""
}

// readTimes reads expires_in and interval. A service that says 0 for the latter wants nothing
// particular; a part of a second is a whole one.
func (a *Authorization) readTimes(m members) (problem string) {
	if a.Lifetime, problem = oauth.ParseLifetime(m["expires_in"]); problem != "" {
		return strings.Replace(problem, "the reply has", "it has", 1)
	}
	if a.Interval, problem = m.interval(); problem != "" {
		return problem
	}
	if a.Interval >= a.Lifetime {
		return "the codes expire before they may be asked with: expires_in is not longer than interval"
	}
	return ""
}

func (m members) interval() (time.Duration, string) {
	text, quoted := m.text("interval")
	raw := string(m["interval"])
	switch {
	case quoted && text == "":
		return defaultInterval, ""
	case !quoted && strings.Trim(raw, "0123456789.eE+-") != "":
		return 0, "interval is no number"
	case !quoted:
		text = raw
	}
	seconds, problem := oauth.ParseNumber("interval", strings.TrimSpace(text))
	switch {
	case problem != "":
		return 0, problem
	case seconds > maxInterval.Seconds():
		return 0, "interval is " + secret.CleanTo(text, 40) + ", which is over five minutes"
	case seconds == 0:
		return defaultInterval, ""
	}
	return time.Duration(math.Ceil(seconds)) * time.Second, ""
}
