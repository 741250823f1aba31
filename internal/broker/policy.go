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
// token that is fetched costs one look and not two; of a shared store the look comes first,
// for each of the two is a round trip, and mostly the token is there. Neither an answer nor an
// error means that the person or the lock has to be waited for.
func (c *cache) first(ctx context.Context) (Answer, error) {
	looking, cancel := c.bounded(ctx)
	defer cancel()
	var lock store.Lock
	if !c.Store.Shared() {
		lock = c.freeLock(looking)
	}
	err := c.look(looking)
	if err == nil && (c.standing < ageing || c.standing == ageing && c.renewable()) && lock != nil && c.Ask == nil {
		fetching, cancel := c.bounded(c.Watch(ctx))
		defer cancel()
		return c.fetchUnder(fetching, lock)
	}
	if lock != nil {
		_ = lock.Unlock()
	}
	switch {
	case err != nil || c.standing < ageing:
		return Answer{}, err
	case c.standing == ageing && c.renewable() && c.Store.Shared():
		return c.renewShared(ctx)
	case c.standing == ageing && c.renewable():
		c.Explain("lock: it is not free, so the token at hand is served")
	}
	return c.atHand(), nil
}

// renewShared renews the token at hand of a shared store unless another does, or just has. Neither
// an answer nor an error means that the engine took so long that the token has to be asked for.
func (c *cache) renewShared(ctx context.Context) (Answer, error) {
	ctx, cancel := c.bounded(c.Watch(ctx))
	defer cancel()
	lock, known := c.freeLock(ctx), c.stored
	if lock != nil {
		if err := c.look(ctx); err != nil {
			_ = lock.Unlock()
			return Answer{}, err
		}
	}
	if c.stored == nil || lock == nil {
		// What has been taken out of the store meanwhile is still at hand.
		c.stored = known
		c.standing, _ = c.judge(known.Token)
	}
	switch {
	case lock != nil && c.standing != fresh:
		return c.fetchUnder(ctx, lock)
	case lock != nil:
		_ = lock.Unlock()
	case c.standing < ageing:
		return Answer{}, nil
	default:
		c.Explain("lock: it is not free, so the token at hand is served")
	}
	return c.atHand(), nil
}

// afterAsking asks the person, where one has to be, and then takes the lock. Fifty who wait for
// it look side by side once it is free, and take it only when there was nothing to see.
func (c *cache) afterAsking(ctx context.Context) (Answer, error) {
	if err := c.ask(ctx); err != nil {
		return Answer{}, err
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	for {
		lock, err := c.tryLock(ctx)
		if err != nil {
			return c.instead(ctx, late(ctx, ctx, err), false)
		}
		if lock != nil {
			return c.lookUnder(ctx, lock)
		}
		if answer, err := c.afterAnother(ctx); answer.had() || err != nil {
			return answer, err
		}
	}
}

// afterAnother waits for the call that holds the lock, and looks what came of it. Neither an
// answer nor an error means that nothing did.
func (c *cache) afterAnother(ctx context.Context) (Answer, error) {
	waiting, cancel := c.patience(ctx)
	defer cancel()
	note, err := c.await(waiting)
	if err != nil {
		answer, failure := c.instead(ctx, late(ctx, waiting, err), false)
		if !overtaken(ctx, waiting, failure) {
			return answer, failure
		}
		if note, err = c.await(ctx); err != nil {
			return Answer{}, err
		}
	}
	if answer, err := c.fresh(ctx); answer.had() || err != nil {
		return answer, err
	}
	return c.heard(ctx, note)
}

// lookUnder looks again under the lock and only then asks the service.
func (c *cache) lookUnder(ctx context.Context, lock store.Lock) (Answer, error) {
	err := c.look(ctx)
	if err != nil || c.standing == fresh || c.standing == ageing && !c.renewable() {
		_ = lock.Unlock()
		if err != nil {
			return Answer{}, err
		}
		return c.atHand(), nil
	}
	return c.fetchUnder(ctx, lock)
}

// fetchUnder asks the service unless the last who did was refused for all, leaves
// what it learns for those who wait, and unlocks.
func (c *cache) fetchUnder(ctx context.Context, lock store.Lock) (Answer, error) {
	defer func() { _ = lock.Unlock() }()
	h := &holder{cache: c, lock: lock, before: lock.Note()}
	if answer, err := c.heard(ctx, h.before); answer.had() || err != nil {
		return answer, err
	}
	if err := h.recover(ctx); err != nil {
		return c.instead(ctx, err, true)
	}
	asking, cancel := h.renewing(ctx)
	defer cancel()
	answer, err := h.obtain(asking)
	if err != nil {
		err = late(ctx, asking, err)
		h.share(asking, err)
		served, failure := c.instead(ctx, err, true)
		if !overtaken(ctx, asking, failure) {
			return served, failure
		}
		if answer, err = h.obtain(ctx); err != nil {
			h.share(ctx, err)
			return Answer{}, err
		}
	}
	answer.Lost = c.lost(answer.Token)
	h.keep(ctx, answer.Token)
	return answer, nil
}

// heard answers with what the last holder of the lock was told, where that answers this call
// too: with his failure, or with the token at hand in its place.
func (c *cache) heard(ctx context.Context, note store.Note) (Answer, error) {
	if failure := c.resting(ctx, note); failure != nil && c.serves(ctx, failure) {
		return c.instead(ctx, failure, false)
	}
	if failure := c.shared(ctx, note); failure != nil {
		return c.instead(ctx, failure, false)
	}
	return Answer{}, nil
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
	// noted says that this call has left a note.
	noted bool
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
	case err == nil, h.without(err):
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
	case t.RefreshToken.IsZero(), h.Store.Shared():
		h.warn("the token is not cached: %s", t.LifetimeProblem)
	default:
		h.warn("the token is not cached: %s; every call refreshes it", t.LifetimeProblem)
	}
}
