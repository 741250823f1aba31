package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/tokenkey"
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

// reasonPaced marks the note that tells when an account's last token request was.
const reasonPaced = "paced"

// paced asks, not sooner after the account's last request than the service allows:
// other processes and other scopes count too. The account's lock is held until the
// answer is there, so that those who come meanwhile queue up behind. Where it cannot
// be had, the service's own limit is what is left.
func (c *call) paced(ctx context.Context, ask func() (oauth.Token, error)) (oauth.Token, error) {
	pace := c.Provider.Pace()
	if pace <= 0 {
		return ask()
	}
	account := tokenkey.Key{Provider: c.key.Provider, TokenURL: c.key.TokenURL, Account: c.key.Account}
	lock, err := c.Store.Lock(ctx, account)
	if c.without(err) && c.Near != nil {
		lock, err = c.Near.Lock(ctx, account)
	}
	if err != nil {
		c.Explain("pace: not kept: %v", err)
		return ask()
	}
	defer func() { _ = lock.Unlock() }()
	if err := c.awaitTurn(ctx, lock.Note(), pace); err != nil {
		return oauth.Token{}, err
	}
	// Noted before, should this process die, and after: a secret may have to be fetched
	// first, and a 429 is asked a second time.
	c.takeTurn(lock)
	token, err := ask()
	c.takeTurn(lock)
	return token, err
}

// awaitTurn waits until the interval since the last request is over.
func (c *call) awaitTurn(ctx context.Context, last store.Note, interval time.Duration) error {
	// The clock of another machine may be a little ahead.
	wait := min(last.At.Add(interval).Sub(c.Now()), interval)
	if last.Reason != reasonPaced || wait <= 0 || last.At.After(c.Now().Add(clockSlack)) {
		return nil
	}
	c.Explain("pace: waiting %s, the service takes one token request in %s",
		moment.Lasting(wait), moment.Lasting(interval))
	err := moment.Sleep(ctx, wait)
	if err == nil {
		return nil
	}
	return &providers.Failure{
		Reason: providers.ReasonTemporary, Err: err, Hint: "raise --timeout, or try again",
		Message: fmt.Sprintf("the service takes one token request in %s, and there was no time to wait for it",
			moment.Lasting(interval)),
	}
}

// takeTurn notes that a request is made now.
func (c *call) takeTurn(lock store.Lock) {
	if err := lock.Leave(store.Note{At: c.Now(), Reason: reasonPaced}); err != nil {
		c.Explain("pace: not kept: %v", err)
	}
}
