package broker

import (
	"context"
	"errors"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/store"
)

// Stored returns what is cached for a client, expired or not; store.ErrNotFound
// when nothing is.
func (b *Broker) Stored(ctx context.Context, r Request) (*store.Record, error) {
	return b.Store.Get(ctx, b.begin(r).key)
}

// Keep stores a token that was got in another way than by Token: by a login. It
// replaces what was there and clears the failure of an earlier fetch. What has neither
// a lifetime nor a refresh token cannot be kept: that is a *providers.Failure of
// ReasonProtocol. The other errors are those of Store.Put and Store.Lock.
func (b *Broker) Keep(ctx context.Context, r Request, token oauth.Token) error {
	if !storable(token) {
		return &providers.Failure{
			Reason:  providers.ReasonProtocol,
			Message: "the service gave a token without a lifetime (" + token.LifetimeProblem + ") and no refresh token",
		}
	}
	c := b.begin(r)
	lock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Unlock() }()
	if err := b.Store.Put(ctx, c.record(token)); err != nil {
		return err
	}
	_ = lock.Leave(store.Note{})
	return nil
}

// Forget removes what is cached for a client. It waits for a fetch under way, so
// that this does not bring the token back; a lock that cannot be had is no reason to
// keep a token.
func (b *Broker) Forget(ctx context.Context, r Request) error {
	key := b.begin(r).key
	lock, err := b.Store.Lock(ctx, key)
	if err == nil {
		defer func() { _ = lock.Unlock() }()
	} else if locked, ok := errors.AsType[*store.LockError](err); ok && locked.Busy {
		return err
	}
	return b.Store.Delete(ctx, key)
}
