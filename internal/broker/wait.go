package broker

import (
	"context"
	"errors"

	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/store"
)

// freeLock takes the key's lock if nobody has it, else nil. That it cannot be had
// at all is no matter while the store may hold the token.
func (c *call) freeLock(ctx context.Context) store.Lock {
	lock, err := c.Store.TryLock(ctx, c.key)
	if err != nil {
		c.without(err)
		return nil
	}
	return lock
}

// tryLock takes the key's lock if nobody has it; nil while another does.
func (c *call) tryLock(ctx context.Context) (store.Lock, error) {
	lock, err := c.Store.TryLock(ctx, c.key)
	if e, ok := errors.AsType[*store.LockError](err); ok && e.Busy {
		return nil, nil //nolint:nilnil // as said above
	}
	return c.orNone(lock, err)
}

// orNone returns a lock, or what stands for one that can never be had, because its directory is
// read-only or not ours: that costs the single flight and a warning, no more. Only a login needs
// one: its refresh token is all there is, and two processes that spend the same one may lose the
// session.
func (c *call) orNone(lock store.Lock, err error) (store.Lock, error) {
	e, ok := errors.AsType[*store.LockError](err)
	switch {
	case err == nil:
		return lock, nil
	case c.without(err):
		return unlocked{}, nil
	case ok && !e.Busy && !c.key.Grant.NeedsPerson():
		c.warn("calls at the same time are not combined into one request: %v", err)
		return unlocked{}, nil
	}
	return nil, err
}

// await waits for whoever holds the key's lock, and returns what he left. That no lock can be
// had is no matter here: there is nobody to wait for.
func (c *call) await(ctx context.Context) (store.Note, error) {
	began := c.Now()
	note, err := c.Store.Wait(ctx, c.key)
	if e, ok := errors.AsType[*store.LockError](err); ok && !e.Busy {
		return store.Note{}, nil
	}
	c.Explain("lock: waited %s for it", moment.Lasting(c.Now().Sub(began)))
	return note, err
}

// unlocked stands for a lock that cannot be had.
type unlocked struct{}

func (unlocked) Note() store.Note       { return store.Note{} }
func (unlocked) Leave(store.Note) error { return nil }
func (unlocked) Unlock() error          { return nil }
