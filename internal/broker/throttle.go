package broker

import (
	"time"

	"github.com/authctl/authctl/internal/providers"
)

// A request that is throttled is sent a second time, once: see retry.go of the oauth package.
// This is what a service that throttles still means for all who come after.
const (
	// maxNotBefore bounds how long a Retry-After of one process stops the
	// others: a service that says "in a year" must not lock a profile for good.
	maxNotBefore = 5 * time.Minute
	// firstPause and longestPause are what a service that throttles is left alone for
	// where it does not say how long: twice as long each time it does so again.
	firstPause, longestPause = time.Second, time.Minute
)

// pause gives a failure of a service that throttles and does not say for how long the
// moment when to ask again, and returns how long that is; 0 where the service said, or
// does not throttle.
func (h *holder) pause(failure *providers.Failure) time.Duration {
	if !failure.Throttled || !failure.NotBefore.IsZero() {
		return 0
	}
	pause := firstPause
	if last := h.before; last.Pause > 0 && h.Now().Sub(last.NotBefore) < longestPause {
		pause = min(2*last.Pause, longestPause)
	}
	failure.NotBefore = h.Now().Add(pause)
	h.Explain("service: it throttles and does not say for how long: nobody asks for %s", pause)
	return pause
}
