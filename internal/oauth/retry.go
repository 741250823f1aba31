package oauth

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/network"
)

const (
	// maxRetryWait is the longest pause before a second try; a service that asks
	// for more gets none, and its wish goes back to the caller.
	maxRetryWait = 10 * time.Second
	// maxRetryAfter bounds what a Retry-After is believed.
	maxRetryAfter = 24 * time.Hour

	waitAfter429  = time.Second
	waitAfterElse = 250 * time.Millisecond
)

// again is the whole policy of repeating: one second try, (a) when no
// connection could be made, so that nothing was sent, or (b) when the request
// allows it and the answer was 429 or 503. It returns the pause before it.
func (r CallRequest) again(ctx context.Context, err error) (time.Duration, bool) {
	var wait time.Duration
	switch e := err.(type) { //nolint:errorlint // a secret reference may have failed with a network error of its own
	case *NetworkError:
		if e.Sent || !network.IsDial(e.Err) || network.IsUnknownHost(e.Err) || e.Obstacle != nil {
			return 0, false
		}
		wait = waitAfterElse
	case *Error:
		if !r.Idempotent {
			return 0, false
		}
		switch {
		case e.Throttled():
			wait = waitAfter429
		case e.StatusCode == http.StatusServiceUnavailable:
			wait = waitAfterElse
		default:
			return 0, false
		}
		if e.RetryAfter > 0 {
			wait = e.RetryAfter
		}
		wait = max(wait, r.MinRetryWait)
	default:
		return 0, false
	}
	return wait, wait <= maxRetryWait && hasTime(ctx, wait)
}

// hasTime reports whether ctx is alive and will still be after wait.
func hasTime(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() == nil && (!ok || time.Until(deadline) > wait)
}

// retryAfter reads Retry-After: seconds or an HTTP date (RFC 9110 §10.2.3).
// Anything else, and a date that has passed, gives 0.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value != "" && strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), maxRetryAfter)
}

// sleep waits for d or until ctx ends.
func (c *Client) sleep(ctx context.Context, d time.Duration) error {
	if c.Sleep != nil {
		return c.Sleep(ctx, d)
	}
	return moment.Sleep(ctx, d)
}

// interruptedError is the first try's error when the pause after it was cut
// short; both can be found in it.
type interruptedError struct{ first, cut error }

// Error is the first try's text: that is what went wrong.
func (e *interruptedError) Error() string { return e.first.Error() }

// Unwrap returns both errors.
func (e *interruptedError) Unwrap() []error { return []error{e.first, e.cut} }
