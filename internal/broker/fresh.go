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
	// maxFloor and floorShare make the least that a token must have left to be served
	// because the service cannot be had.
	maxFloor   = 10 * time.Second
	floorShare = 20
	// clockSlack is how far a stored token may lie in the future before the
	// clock, or the record, is taken to be wrong.
	clockSlack = time.Minute
)

// standing is what a stored token is good for.
type standing int

const (
	// useless: it must not be served.
	useless standing = iota
	// scant: less is left than the usual margin. It is served while the service cannot be had.
	scant
	// ageing: past its soft time. Whoever gets the lock without waiting renews it, and
	// everybody else is served.
	ageing
	// fresh: it is served.
	fresh
)

// margin returns how much life a token must have left.
func (r Request) margin(t oauth.Token) time.Duration {
	if r.MinTTL != nil {
		return *r.MinTTL
	}
	return min(maxMargin, t.Lifetime/marginShare)
}

// floor returns how much life a token must have left to be served in place of one that
// cannot be had. --min-ttl is a hard bound, the default margin is not.
func (r Request) floor(t oauth.Token) time.Duration {
	if r.MinTTL != nil {
		return *r.MinTTL
	}
	return min(maxFloor, t.Lifetime/floorShare)
}

// softTime is from when on a token is renewed though it is fresh: two thirds of its life.
func softTime(t oauth.Token) time.Time { return t.Expiry().Add(-t.Lifetime / 3) }

// FreshUntil is when a token is to be renewed by whoever can do so in peace: its soft time or,
// where that is earlier, when it stops being fresh enough for the request. It means nothing
// for one without a lifetime.
func (r Request) FreshUntil(t oauth.Token) time.Time {
	soft, stale := softTime(t), t.Expiry().Add(-r.margin(t))
	if stale.Before(soft) {
		return stale
	}
	return soft
}

// GoodUntil is until when a token is served while no other can be had. It means nothing for one without
// a lifetime.
func (r Request) GoodUntil(t oauth.Token) time.Time { return t.Expiry().Add(-r.floor(t)) }

// judge says what a stored token is good for, and why it is not simply served.
func (c *call) judge(t oauth.Token) (standing, string) {
	if t.Lifetime <= 0 {
		return useless, "nobody knows when it ends"
	}
	left, margin := t.Expiry().Sub(c.Now()), c.margin(t)
	assumed := ""
	if t.LifetimeAssumed {
		assumed = " that the profile assumes"
	}
	c.Explain("expiry: %s left of %s%s, needs more than %s",
		moment.Lasting(left), moment.Lasting(t.Lifetime), assumed, moment.Lasting(margin))
	short := fmt.Sprintf("only %s of life are left", moment.Lasting(left))
	switch {
	case left <= 0:
		return useless, "it has expired"
	case left > t.Lifetime+clockSlack:
		return useless, "it was issued in the future: the clock was set back"
	case !t.RequestedAt.Before(c.began):
		// Another process fetched it while this one waited: the service has
		// nothing fresher to give.
		return fresh, ""
	case c.ForceRefresh:
		return useless, "a new one is forced (--force-refresh)"
	case left <= c.floor(t):
		return useless, short
	case left <= margin:
		return scant, short
	case !c.Now().Before(softTime(t)):
		return ageing, "two thirds of its life are over"
	}
	return fresh, ""
}
