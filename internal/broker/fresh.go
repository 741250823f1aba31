package broker

import (
	"fmt"
	"time"

	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
)

const (
	// maxMargin and marginShare make the default margin: a token is replaced
	// that long before it ends, so that it survives the call it is fetched for.
	maxMargin   = time.Minute
	marginShare = 5
	// clockSlack is how far a stored token may lie in the future before the
	// clock, or the record, is taken to be wrong.
	clockSlack = time.Minute
)

// margin returns how much life a token must have left.
func (r Request) margin(t oauth.Token) time.Duration {
	if r.MinTTL != nil {
		return *r.MinTTL
	}
	return min(maxMargin, t.Lifetime/marginShare)
}

// FreshUntil is when a token stops being fresh enough for the request. It means
// nothing for one without a lifetime.
func (r Request) FreshUntil(t oauth.Token) time.Time { return t.Expiry().Add(-r.margin(t)) }

// usable reports whether a stored token may be served, and why not.
func (c *call) usable(t oauth.Token) (bool, string) {
	if t.Lifetime <= 0 {
		return false, "nobody knows when it ends"
	}
	left, margin := t.Expiry().Sub(c.Now()), c.margin(t)
	assumed := ""
	if t.LifetimeAssumed {
		assumed = " that the profile assumes"
	}
	c.Explain("expiry: %s left of %s%s, needs more than %s",
		moment.Lasting(left), moment.Lasting(t.Lifetime), assumed, moment.Lasting(margin))
	switch {
	case left <= 0:
		return false, "it has expired"
	case left > t.Lifetime+clockSlack:
		return false, "it was issued in the future: the clock was set back"
	case !t.RequestedAt.Before(c.began):
		// Another process fetched it while this one waited: the service has
		// nothing fresher to give.
		return true, ""
	case c.ForceRefresh:
		return false, "a new one is forced (--force-refresh)"
	case left <= margin:
		return false, fmt.Sprintf("only %s of life are left", moment.Lasting(left))
	}
	return true, ""
}
