package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/store"
)

// A token is renewed before anybody needs that: see judge. This is how long whoever does so
// waits for the service, and how long the next one lets it alone where that was in vain.
const (
	// longestRenewal bounds a renewal while the token at hand is good; a fifth of that token's
	// life where this is less. A slower service is asked with more time once the margin is passed.
	longestRenewal = 5 * time.Second
	renewalShare   = 5
	// leastRest is the shortest pause between two renewals that fail.
	leastRest = 250 * time.Millisecond
	// restShare bounds the pause by the time that is left to get another token: a quarter of it.
	restShare = 4
)

// atHand is the stored token as an answer.
func (c *cache) atHand() Answer { return Answer{Token: c.stored.Token, Source: SourceCache} }

// spare is how long the token at hand can still be served.
func (c *cache) spare() time.Duration {
	t := c.stored.Token
	return t.Expiry().Sub(c.Now()) - c.floor(t)
}

// renewable reports whether the token at hand can be had anew without a person.
func (c *cache) renewable() bool {
	return c.Ask == nil && (!c.key.Grant.NeedsPerson() || !c.stored.Token.RefreshToken.IsZero())
}

// serves reports whether the token at hand answers in the place of a failure: whatever that is
// while the token is as fresh as it has to be, and later where only time or the service's people
// can mend it. An interrupt is the caller's will; that the request's own time is over is not.
func (c *cache) serves(ctx context.Context, failure error) bool {
	if errors.Is(ctx.Err(), context.Canceled) || c.standing < scant || c.spare() <= 0 {
		return false
	}
	return c.standing >= ageing || passing(failure)
}

// passing reports whether a service is down, slow or throttles, or somebody who waits for it
// holds the lock.
func passing(err error) bool {
	if locked, ok := errors.AsType[*store.LockError](err); ok {
		return locked.Busy
	}
	failure, ok := errors.AsType[*providers.Failure](err)
	return ok && passes(failure.Reason)
}

func passes(r providers.Reason) bool {
	return r == providers.ReasonTemporary || r == providers.ReasonProtocol
}

// instead answers with the token at hand where that serves, else with the failure. Who was told
// it warns of what does not pass by itself, and past the margin all do.
func (c *cache) instead(ctx context.Context, failure error, told bool) (Answer, error) {
	if !c.serves(ctx, failure) {
		return Answer{}, failure
	}
	if locked, ok := errors.AsType[*store.LockError](failure); ok && locked.Busy {
		failure = errors.New("another call asks the service, and has no answer yet")
	}
	left := moment.Lasting(c.stored.Token.Expiry().Sub(c.Now()))
	switch {
	case c.key.Grant.NeedsPerson() && c.stored.Token.RefreshToken.IsZero():
		c.warn("the token of profile %s ends in %s, and the login has to be repeated then: %v", c.Profile, left, failure)
	case c.standing == scant || told && !passing(failure):
		c.warn("the token of profile %s ends in %s and could not be renewed: %v", c.Profile, left, failure)
	default:
		c.Explain("service: not renewed, the token at hand is served, which ends in %s: %v", left, failure)
	}
	answer := c.atHand()
	if told {
		answer.Unrenewed = failure
	}
	return answer, nil
}

// patience returns ctx with the time that may pass before the token at hand is served in place
// of a new one: four fifths of what it has to spare, no more than a little while it is good, and
// all that the request has where there is none.
func (c *cache) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	switch c.standing {
	case ageing:
		return context.WithTimeout(ctx, min(longestRenewal, c.stored.Token.Lifetime/renewalShare, c.spare()*4/5))
	case scant:
		return context.WithTimeout(ctx, c.spare()*4/5)
	}
	return context.WithCancel(ctx)
}

// overtaken reports whether patience is at its end and the token at hand too, so that a failure is all there is: this
// process has stalled meanwhile, and the request's own time is what is left.
func overtaken(ctx, patient context.Context, failure error) bool {
	return failure != nil && ctx.Err() == nil && patient.Err() != nil
}

// late returns what it means that something failed because patience was at its end, which may
// have hit a secret that is fetched by a command, or an engine's answer: that it takes long.
func late(ctx, patient context.Context, err error) error {
	_, told := errors.AsType[*providers.Failure](err)
	if told || passing(err) || errors.Is(ctx.Err(), context.Canceled) || !over(patient) {
		return err
	}
	return &providers.Failure{
		Reason: providers.ReasonTemporary, Message: fmt.Sprintf("it took too long: %v", err), Err: err,
	}
}

// resting returns the failure of a renewal of a moment ago: nobody asks, and the token at hand
// is served. Nil when there is none. A refusal rests only who would be refused too.
func (c *cache) resting(ctx context.Context, note store.Note) error {
	now, until := c.Now(), note.Renew
	if note.NotBefore.After(until) && now.Sub(note.At) < maxNotBefore {
		until = note.NotBefore
	}
	if c.standing < scant || !now.Before(until) || note.At.After(now.Add(clockSlack)) {
		return nil
	}
	refused := note.Reason != "" && !passes(providers.Reason(note.Reason)) && !now.Before(note.NotBefore)
	if refused && (!c.sameRequest(note, now) || !c.sameCredentials(ctx, note)) {
		return nil
	}
	c.Explain("service: a renewal failed %s ago, the next is due in %s",
		moment.Lasting(now.Sub(note.At)), moment.Lasting(until.Sub(now)))
	return c.told(note)
}

// rest returns until when nobody renews the token at hand, because that has just failed: twice
// as long each time, and never so long that too little time is left. Zero where there is none.
// What was refused is not asked for again before it has to be: a service may lock the client out.
func (h *holder) rest(failure error) time.Time {
	if h.standing < scant || h.spare() <= 0 {
		return time.Time{}
	}
	if !passing(failure) {
		return h.stored.Token.Expiry().Add(-h.margin(h.stored.Token))
	}
	pause := firstPause
	if last := h.before; !last.Renew.IsZero() && h.Now().Sub(last.Renew) < longestPause {
		pause = min(2*last.Renew.Sub(last.At), longestPause)
	}
	return h.Now().Add(max(min(pause, h.spare()/restShare), leastRest))
}

// renewing returns the context for asking the service, which is the caller's where a refresh
// token is sent: broken off, it would be lost.
func (h *holder) renewing(ctx context.Context) (context.Context, context.CancelFunc) {
	if h.refreshable() {
		return context.WithCancel(ctx)
	}
	return h.patience(ctx)
}
