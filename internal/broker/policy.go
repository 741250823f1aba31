package broker

import (
	"context"

	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/store"
)

// answer serves the request.
func (c *cache) answer(ctx context.Context) (Answer, error) {
	if c.NoCache {
		c.Explain("cache: not used (--no-cache)")
		return c.issueAlone(c.Watch(ctx))
	}
	if !c.ForceRefresh {
		if answer, err := c.first(ctx); answer.had() || err != nil {
			return answer, err
		}
	}
	return c.afterAsking(c.Watch(ctx))
}

// first looks into the store, with the lock where that is free and without where
// it is not. With the lock, what the store lacks can be asked for at once, and a
// token that is fetched costs one look and not two. Neither an answer nor an error means
// that the person or the lock has to be waited for.
func (c *cache) first(ctx context.Context) (Answer, error) {
	looking, cancel := c.bounded(ctx)
	defer cancel()
	lock := c.freeLock()
	answer, err := c.fresh(looking)
	if !answer.had() && err == nil && lock != nil && c.Ask == nil {
		fetching, cancel := c.bounded(c.Watch(ctx))
		defer cancel()
		return c.fetchUnder(fetching, lock)
	}
	if lock != nil {
		_ = lock.Unlock()
	}
	return answer, err
}

// afterAsking asks the person, where one has to be, and then waits for the lock.
func (c *cache) afterAsking(ctx context.Context) (Answer, error) {
	if err := c.ask(ctx); err != nil {
		return Answer{}, err
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	if lock := c.freeLock(); lock != nil {
		return c.lookUnder(ctx, lock)
	}
	// Fifty who waited look side by side, without the lock, and take it only when there was
	// nothing to see.
	note, err := c.await(ctx)
	if err != nil {
		return Answer{}, err
	}
	if answer, err := c.fresh(ctx); answer.had() || err != nil {
		return answer, err
	}
	if failure := c.shared(ctx, note); failure != nil {
		return Answer{}, failure
	}
	lock, err := c.lock(ctx)
	if err != nil {
		return Answer{}, err
	}
	return c.lookUnder(ctx, lock)
}

// lookUnder looks again under the lock and only then asks the service.
func (c *cache) lookUnder(ctx context.Context, lock store.Lock) (Answer, error) {
	if answer, err := c.fresh(ctx); answer.had() || err != nil {
		_ = lock.Unlock()
		return answer, err
	}
	return c.fetchUnder(ctx, lock)
}

// fetchUnder asks the service unless the last who did was refused for all, leaves
// what it learns for those who wait, and unlocks.
func (c *cache) fetchUnder(ctx context.Context, lock store.Lock) (Answer, error) {
	defer func() { _ = lock.Unlock() }()
	h := &holder{cache: c, lock: lock, before: lock.Note()}
	if failure := c.shared(ctx, h.before); failure != nil {
		return Answer{}, failure
	}
	if err := h.recover(ctx); err != nil {
		return Answer{}, err
	}
	answer, err := h.obtain(ctx)
	if err != nil {
		h.share(ctx, err)
		return Answer{}, err
	}
	answer.Lost = c.lost(answer.Token)
	h.keep(ctx, answer.Token)
	return answer, nil
}

// issueAlone asks the service with neither store nor lock.
func (c *cache) issueAlone(ctx context.Context) (Answer, error) {
	if err := c.ask(ctx); err != nil {
		return Answer{}, err
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	return c.issue(ctx)
}

// holder is a call that holds the key's lock, so that it may ask the service.
type holder struct {
	*cache
	// lock is unlocked{} when there is none to be had.
	lock store.Lock
	// before is the note that was there when the lock was taken.
	before store.Note
	// spent says that the store holds a refresh token that has been sent: until it is
	// out of the store, the note that says so stays.
	spent bool
}

// obtain gets a token from the service: by refresh where a refresh token is
// stored, else newly issued.
func (h *holder) obtain(ctx context.Context) (Answer, error) {
	if h.refreshable() {
		if answer, err := h.refresh(ctx); answer.had() || err != nil {
			return answer, err
		}
	}
	h.Explain("service: asking for a new token")
	return h.issue(ctx)
}

// issue asks for a new token.
func (c *call) issue(ctx context.Context) (Answer, error) {
	token, err := c.paced(ctx, func() (oauth.Token, error) { return c.Provider.Issue(ctx) })
	return Answer{Token: token, Source: SourceIssued}, err
}

// keep stores the token and clears the note of an earlier failure. A store that
// cannot be written costs a warning, not the token; but if it still holds a refresh
// token that is spent, the note of that stays.
func (h *holder) keep(ctx context.Context, token oauth.Token) {
	h.judgeLifetime(token)
	err := h.identify(ctx)
	if err == nil {
		err = h.write(ctx, h.record(token))
	}
	switch {
	case err == nil:
	case h.spent && h.key.Grant.NeedsPerson():
		h.warn("the token is not cached: %v; the login has to be repeated when this token ends", err)
	default:
		h.warn("the token is not cached: %v", err)
	}
	if err == nil || !h.spent {
		h.settle()
	}
}

// judgeLifetime warns of a lifetime that makes every call ask the service, and tells of one that
// is not the service's word.
func (h *holder) judgeLifetime(t oauth.Token) {
	if t.LifetimeAssumed {
		h.Explain("expiry: %s, so the profile's lifetime of %s is assumed", t.LifetimeProblem, moment.Lasting(t.Lifetime))
	}
	switch {
	case t.Lifetime > 0 && h.MinTTL != nil && t.Lifetime <= *h.MinTTL:
		h.warn("the service's tokens live %s, not longer than --min-ttl %s: every call asks for a new one",
			moment.Lasting(t.Lifetime), moment.Lasting(*h.MinTTL))
	case t.Lifetime > 0:
	case t.RefreshToken.IsZero():
		h.warn("the token is not cached: %s", t.LifetimeProblem)
	default:
		h.warn("the token is not cached: %s; every call refreshes it", t.LifetimeProblem)
	}
}
