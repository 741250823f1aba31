package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/authctl/authctl/internal/tokenkey"
)

// Auto uses the first of its stores that can be used, for the rest of the process. It never
// goes to plain text on disk: where there is neither a keyring nor a kernel that keeps a key,
// a token lives as long as the process.
type Auto struct {
	// Stores are tried in this order. The last one works always: a Memory.
	Stores []Store
	// Stay has a store that is there and does not let us in be an error: what it holds cannot be
	// had again without a person.
	Stay bool
	// Passed hears, once each, why a store is passed over, an *UnusableError, and which comes
	// next; nil means nobody does.
	Passed func(why error, next Store)

	// passed is why the stores before the one in use are not used, an *UnusableError each.
	passed atomic.Pointer[[]error]
	// holder is the store that has last given or taken a record, plus 1. With Stay no other takes its
	// place from then on: a refresh token that has been spent would stay in it.
	holder atomic.Int32
}

var _ Store = (*Auto)(nil)

// Name returns the name of the store that has last given or taken a record, else of the one in use.
func (a *Auto) Name() string {
	if held := a.holder.Load(); held > 0 {
		return a.Stores[held-1].Name()
	}
	return a.InUse().Name()
}

// InUse returns the store in use: the first one, until that was tried and passed over.
func (a *Auto) InUse() Store { return a.Stores[len(a.causes())] }

// Get returns the record of key; see Store. What the store in use does not have may be in one
// after it: a keyring without a collection can be read, and not be written without a person.
func (a *Auto) Get(ctx context.Context, key tokenkey.Key) (*Record, error) {
	r, err := try(ctx, a, func(s Store) (*Record, error) { return s.Get(ctx, key) })
	used := len(a.causes())
	for i := used + 1; i < len(a.Stores) && errors.Is(err, ErrNotFound); i++ {
		if later, lacks := a.Stores[i].Get(ctx, key); lacks == nil {
			r, err, used = later, nil, i
		}
	}
	if err == nil {
		a.hold(used)
	}
	return r, err
}

// Put writes a record; see Store. No older one stays in a store after the one in use.
func (a *Auto) Put(ctx context.Context, r *Record) error {
	_, err := try(ctx, a, func(s Store) (struct{}, error) { return struct{}{}, s.Put(ctx, r) })
	if err == nil {
		a.hold(len(a.causes()))
		a.deleteLater(ctx, r.Key)
	}
	return err
}

// later are the stores after the one in use.
func (a *Auto) later() []Store { return a.Stores[len(a.causes())+1:] }

// deleteLater removes a record from the stores after the one in use. One that cannot be used has
// nothing that could be read.
func (a *Auto) deleteLater(ctx context.Context, key tokenkey.Key) {
	for _, s := range a.later() {
		_ = s.Delete(ctx, key)
	}
}

// Delete removes a record; see Store. Where a store was passed over that is there and does
// not let us in, the record may still be in it, and the error says so.
func (a *Auto) Delete(ctx context.Context, key tokenkey.Key) error {
	_, err := try(ctx, a, func(s Store) (struct{}, error) { return struct{}{}, s.Delete(ctx, key) })
	if err != nil {
		return err
	}
	a.deleteLater(ctx, key)
	if closed, ok := errors.AsType[*UnusableError](a.Closed()); ok {
		kept := *closed
		kept.Doing = RemovingToken
		return &kept
	}
	return nil
}

// List returns what is stored; see Store. As for Get, what the store in use does not have may be in
// one after it.
func (a *Auto) List(ctx context.Context) ([]Entry, error) {
	list, err := try(ctx, a, func(s Store) ([]Entry, error) { return s.List(ctx) })
	if err != nil {
		return list, err
	}
	for _, s := range a.later() {
		more, _ := s.List(ctx)
		more = slices.DeleteFunc(more, func(e Entry) bool {
			return slices.ContainsFunc(list, func(known Entry) bool { return known.Key.Equal(e.Key) })
		})
		list = append(list, more...)
	}
	SortEntries(list)
	return list, nil
}

// Shared reports false: each of its stores is this machine's.
func (a *Auto) Shared() bool { return false }

// TryLock takes the lock of key in the store in use if it is free; see Store.
func (a *Auto) TryLock(ctx context.Context, key tokenkey.Key) (Lock, error) {
	return a.InUse().TryLock(ctx, key)
}

// Wait waits for the lock of key in the store in use; see Store.
func (a *Auto) Wait(ctx context.Context, key tokenkey.Key) (Note, error) {
	return a.InUse().Wait(ctx, key)
}

// Lock takes the lock of key in the store in use; see Store. In memory it is this
// process's own: those who cannot share a token gain nothing by waiting.
func (a *Auto) Lock(ctx context.Context, key tokenkey.Key) (Lock, error) {
	return a.InUse().Lock(ctx, key)
}

// Closed returns why a store was passed over that is there and does not let us in, an
// *UnusableError: it may hold anything. Nil when there is none.
func (a *Auto) Closed() error {
	for _, why := range a.causes() {
		if e, ok := errors.AsType[*UnusableError](why); ok && e.Problem != Unreachable {
			return why
		}
	}
	return nil
}

// Lost returns why nothing is kept beyond this process: what is wrong with the first store,
// an *UnusableError, and in short with those after it. Nil while another than the last is in use.
func (a *Auto) Lost() error {
	passed := a.causes()
	if len(passed) < len(a.Stores)-1 || len(passed) == 0 {
		return nil
	}
	lost := passed[0]
	for _, why := range passed[1:] {
		if e, ok := errors.AsType[*UnusableError](why); ok {
			lost = fmt.Errorf("%w; nor can the %s store be: %w", lost, e.Store, e.Err)
		}
	}
	return lost
}

func (a *Auto) causes() []error {
	if passed := a.passed.Load(); passed != nil {
		return *passed
	}
	return nil
}

// hold notes which store has a record, and holds whether it is that one.
func (a *Auto) hold(i int)       { a.holder.Store(int32(i + 1)) } //nolint:gosec // a handful of stores
func (a *Auto) holds(i int) bool { return int(a.holder.Load()) == i+1 }

// try calls f with the store in use, and with the next one when that cannot be used, for good.
// A caller who gave up is no reason to go on.
func try[T any](ctx context.Context, a *Auto, f func(Store) (T, error)) (T, error) {
	for {
		before := a.passed.Load()
		var passed []error
		if before != nil {
			passed = *before
		}
		result, err := f(a.Stores[len(passed)])
		why, unusable := errors.AsType[*UnusableError](err)
		last := len(passed) == len(a.Stores)-1
		if !unusable || last || ctx.Err() != nil || a.Stay && (why.Problem != Unreachable || a.holds(len(passed))) {
			return result, err
		}
		now := append(slices.Clip(passed), err)
		if first := a.passed.CompareAndSwap(before, &now); first && a.Passed != nil {
			a.Passed(err, a.Stores[len(now)])
		}
	}
}
