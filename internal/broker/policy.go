package broker

import (
	"context"

	"github.com/authctl/authctl/internal/store"
)

// fetch is the policy of a call: who looks, who waits, who asks.
type fetch struct{ cache }

// answer serves the request.
func (f *fetch) answer(ctx context.Context) (Answer, error) {
	if f.NoCache {
		f.Explain("cache: not used (--no-cache)")
		return f.issueAlone(f.Watch(ctx))
	}
	if !f.ForceRefresh {
		if answer, err := f.first(ctx); answer.had() || err != nil {
			return answer, err
		}
	}
	return f.afterAsking(f.Watch(ctx))
}

// first looks into the store, with the lock where that is free and without where
// it is not. With the lock, what the store lacks can be asked for at once, and a
// token that is fetched costs one look and not two. Neither an answer nor an error means
// that the person or the lock has to be waited for.
func (f *fetch) first(ctx context.Context) (Answer, error) {
	looking, cancel := f.bounded(ctx)
	defer cancel()
	lock := f.freeLock()
	answer, err := f.fresh(looking)
	if !answer.had() && err == nil && lock != nil && f.Ask == nil {
		fetching, cancel := f.bounded(f.Watch(ctx))
		defer cancel()
		return f.fetchUnder(fetching, lock)
	}
	if lock != nil {
		_ = lock.Unlock()
	}
	return answer, err
}

// afterAsking asks the person, where one has to be, and then waits for the lock.
func (f *fetch) afterAsking(ctx context.Context) (Answer, error) {
	if err := f.ask(ctx); err != nil {
		return Answer{}, err
	}
	ctx, cancel := f.bounded(ctx)
	defer cancel()
	lock, err := f.lock(ctx)
	if err != nil {
		return Answer{}, err
	}
	if !lock.Waited() {
		return f.lookUnder(ctx, lock)
	}
	// Fifty who waited look side by side, without the lock, and take it again only
	// when there was nothing to see.
	note := lock.Note()
	_ = lock.Unlock()
	if answer, err := f.fresh(ctx); answer.had() || err != nil {
		return answer, err
	}
	if failure := f.shared(ctx, note); failure != nil {
		return Answer{}, failure
	}
	if lock, err = f.lock(ctx); err != nil {
		return Answer{}, err
	}
	return f.lookUnder(ctx, lock)
}

// lookUnder looks again under the lock and only then asks the service.
func (f *fetch) lookUnder(ctx context.Context, lock store.Lock) (Answer, error) {
	if answer, err := f.fresh(ctx); answer.had() || err != nil {
		_ = lock.Unlock()
		return answer, err
	}
	return f.fetchUnder(ctx, lock)
}

// fetchUnder asks the service unless the last who did was refused for all, leaves
// what it learns for those who wait, and unlocks.
func (f *fetch) fetchUnder(ctx context.Context, lock store.Lock) (Answer, error) {
	defer func() { _ = lock.Unlock() }()
	h := &holder{cache: &f.cache, lock: lock, before: lock.Note()}
	if failure := f.shared(ctx, h.before); failure != nil {
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
	answer.Lost = f.lost(answer.Token)
	h.keep(ctx, answer.Token)
	return answer, nil
}

// issueAlone asks the service with neither store nor lock.
func (f *fetch) issueAlone(ctx context.Context) (Answer, error) {
	if err := f.ask(ctx); err != nil {
		return Answer{}, err
	}
	ctx, cancel := f.bounded(ctx)
	defer cancel()
	return f.issue(ctx)
}
