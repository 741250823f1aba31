package store

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/authctl/authctl/internal/oauth"
)

// Auto uses Primary where it works, else Fallback for the rest of the process. It
// never goes to another kind of storage, let alone to plain text on disk: without
// a keyring a token lives as long as the process.
type Auto struct {
	// Primary is the keyring.
	Primary Store
	// Fallback takes over; it must not be nil.
	Fallback *Memory
	// Warn hears once why Primary cannot be used, an *UnusableError; nil means
	// nobody does.
	Warn func(error)

	// cause is why Primary is not used any more, nil while it is.
	cause atomic.Pointer[error]
}

var _ Store = (*Auto)(nil)

// Name returns the name of the store in use: Primary's, or "memory" once that has
// failed.
func (a *Auto) Name() string { return a.current().Name() }

// Get returns the record of key; see Store.
func (a *Auto) Get(ctx context.Context, key oauth.Key) (*Record, error) {
	return try(ctx, a, func(s Store) (*Record, error) { return s.Get(ctx, key) })
}

// Put writes a record; see Store.
func (a *Auto) Put(ctx context.Context, r *Record) error {
	_, err := try(ctx, a, func(s Store) (struct{}, error) { return struct{}{}, s.Put(ctx, r) })
	return err
}

// Delete removes a record; see Store. Where the keyring is there but does not let
// us in, the record may still be in it, and the error says so.
func (a *Auto) Delete(ctx context.Context, key oauth.Key) error {
	_, err := try(ctx, a, func(s Store) (struct{}, error) { return struct{}{}, s.Delete(ctx, key) })
	if err != nil {
		return err
	}
	cause := a.cause.Load()
	if cause == nil {
		return nil
	}
	if e, ok := errors.AsType[*UnusableError](*cause); ok && e.Problem != Unreachable {
		kept := *e
		kept.Doing = removingToken
		return &kept
	}
	return nil
}

// List returns what is stored; see Store.
func (a *Auto) List(ctx context.Context) ([]Entry, error) {
	return try(ctx, a, func(s Store) ([]Entry, error) { return s.List(ctx) })
}

// Lock takes the lock of key in the store in use; see Store. In memory it is this
// process's own: those who cannot share a token gain nothing by waiting.
func (a *Auto) Lock(ctx context.Context, key oauth.Key) (Lock, error) {
	return a.current().Lock(ctx, key)
}

func (a *Auto) current() Store {
	if a.cause.Load() != nil {
		return a.Fallback
	}
	return a.Primary
}

// try calls f with the store in use, and once more with Fallback when that fails.
// A caller who gave up is no reason to fall back.
func try[T any](ctx context.Context, a *Auto, f func(Store) (T, error)) (T, error) {
	s := a.current()
	result, err := f(s)
	if _, unusable := errors.AsType[*UnusableError](err); !unusable || s == Store(a.Fallback) || ctx.Err() != nil {
		return result, err
	}
	// For good, and with one warning.
	if first := a.cause.CompareAndSwap(nil, &err); first && a.Warn != nil {
		a.Warn(err)
	}
	return f(a.Fallback)
}
