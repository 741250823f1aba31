package shared

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/tokenkey"
	"github.com/redis/go-redis/v9"
)

const waiting = "waiting for the lease"

// Wait waits until nobody holds the lease of key, and returns what the last holder left; see store.Store.
func (s *Store) Wait(ctx context.Context, key tokenkey.Key) (store.Note, error) {
	v, n, err := s.named(ctx, key)
	if err != nil {
		return store.Note{}, n.failed(unconfigured(waiting, err))
	}
	var note value
	err = s.until(ctx, n, func(ask asker) (bool, error) {
		var holder held
		err := ask(ctx, waiting, func(ctx context.Context, c redis.UniversalClient) error {
			p := c.Pipeline()
			lease, left := read(ctx, p, n.lease), read(ctx, p, n.note)
			if err := execute(ctx, p); err != nil {
				return err
			}
			v, err := lease.value()
			if err != nil {
				return err
			}
			holder = heldAs(v)
			note, err = left.value()
			return err
		})
		return !holder.there || holder.dead(s.pace.stale), err
	})
	if err != nil {
		return store.Note{}, err
	}
	return s.noteIn(v, n.note, note), nil
}

// until tries something until it is done: at once, whenever the lease is given back, and now and then, because its
// holder may have died and word of it may be lost. Errors are a *store.LockError, busy where the wait was in vain, or
// an *endedError where ctx has ended and nobody was seen to hold it.
func (s *Store) until(ctx context.Context, n names, try func(asker) (bool, error)) error {
	if why := ended(ctx); why != nil {
		// Without time there is nothing but to wait in vain.
		return n.busy(why)
	}
	done, err := try(s.ask)
	if done || err != nil {
		return n.failed(err)
	}
	bell := s.listen(ctx, n.freed)
	defer bell.stop()
	for {
		again := time.NewTimer(s.pace.pause(bell))
		select {
		case <-bell.rings:
		case <-again.C:
		case <-ctx.Done():
		}
		again.Stop()
		done, err := try(s.meanwhile)
		if over, ok := errors.AsType[*endedError](err); ok {
			return n.busy(over.why)
		}
		if done || err != nil {
			return n.failed(err)
		}
	}
}

// pause is how long a waiter waits before it looks again.
func (p pace) pause(b *bell) time.Duration {
	pause := p.poll
	if b.heard.Load() {
		pause = p.listening
	}
	return pause + rand.N(pause/4+1) //nolint:gosec // nobody gains by guessing when somebody looks
}

// bell rings when a lease is given back, and once when that can be heard: it may have happened before.
type bell struct {
	rings chan struct{}
	// heard says that the engine tells.
	heard atomic.Bool
	stop  func()
}

// listen subscribes to a channel. One that cannot be listened to is no failure: then who waits looks more often.
func (s *Store) listen(ctx context.Context, channel string) *bell {
	b := &bell{rings: make(chan struct{}, 1), stop: func() {}}
	client, err := s.connect(ctx)
	if err != nil {
		return b
	}
	ctx, cancel := context.WithCancel(ctx)
	subscription := client.Subscribe(ctx)
	b.stop = func() {
		cancel()
		_ = subscription.Close()
	}
	go func() {
		defer b.heard.Store(false)
		if subscription.Subscribe(ctx, channel) != nil {
			return
		}
		for {
			if _, err := subscription.Receive(ctx); err != nil {
				return
			}
			b.heard.Store(true)
			select {
			case b.rings <- struct{}{}:
			default:
			}
		}
	}()
	return b
}
