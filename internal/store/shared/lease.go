package shared

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/tokenkey"
	"github.com/redis/go-redis/v9"
)

// What is done with a lease, for errors.
const (
	takingLease    = "taking the lease"
	renewingLease  = "renewing the lease"
	releasingLease = "giving back the lease"
	leavingNote    = "leaving word"
)

// lease is the lock of a key: a name on the engine whose value is its owner's and that lapses. Its holder renews it
// while it lives.
type lease struct {
	store *Store
	vault *vault
	names names
	// value is a random owner, a colon, and the length in milliseconds.
	value  string
	length time.Duration

	mu   sync.Mutex
	note store.Note
	// stop ends the renewing.
	stop context.CancelFunc
}

// held is the lease of another.
type held struct {
	value
	// length is how long it is after each renewing.
	length time.Duration
}

// dead reports whether its holder has not renewed it for so long that it must be dead or stalled.
func (h held) dead(stale time.Duration) bool { return h.there && h.left <= h.length-stale }

// heldAs reads the value of a lease. What is none of ours counts as one whose holder is dead.
func heldAs(v value) held {
	_, text, _ := strings.Cut(v.text, ":")
	ms, err := strconv.ParseInt(text, 10, 32)
	if err != nil || v.left < 0 {
		return held{v, 1<<63 - 1}
	}
	return held{v, time.Duration(ms) * time.Millisecond}
}

// longest is the longest time of a holder that a lease is made for: without renewing, which is what counts.
const longest = 24 * time.Hour

// newLease returns one that is not taken yet. It is longer than what its holder's context leaves it.
func (s *Store) newLease(ctx context.Context, v *vault, n names) *lease {
	length := s.pace.usual
	if deadline, ok := ctx.Deadline(); ok {
		length = max(0, time.Until(deadline))
	}
	length = min(length, longest) + s.pace.spare
	return &lease{
		store: s, vault: v, names: n, length: length, value: rand.Text() + ":" + strconv.FormatInt(length.Milliseconds(), 10),
	}
}

// take tries once to take the lease: if it is free, or its holder dead. In one round trip it also reads the last
// holder's note.
func (l *lease) take(ctx context.Context, ask asker) (bool, error) {
	var other held
	var note value
	sent := false
	err := ask(ctx, takingLease, func(ctx context.Context, c redis.UniversalClient) error {
		sent = true
		p := c.Pipeline()
		set := p.SetArgs(ctx, l.names.lease, l.value, redis.SetArgs{Mode: "NX", TTL: l.length})
		holder, left := read(ctx, p, l.names.lease), read(ctx, p, l.names.note)
		err := execute(ctx, p)
		if err == nil {
			other, note, err = taking(set, holder, left)
		}
		if err != nil && set.Err() == nil {
			// It is ours, and nothing comes of it: the engine may be dead for us, and not for others.
			_ = c.Eval(ctx, release, []string{l.names.lease}, l.value, l.names.freed).Err()
		}
		return err
	})
	taken := other.text == l.value
	if err == nil && !taken && other.dead(l.store.pace.stale) {
		taken, err = l.takeOver(ctx, ask, other)
	}
	if _, ok := errors.AsType[*endedError](err); ok && sent {
		// It may be ours without our knowing.
		l.store.loose.Go(l.giveBackSoon)
	}
	if err != nil || !taken {
		return false, err
	}
	l.note = l.store.noteIn(l.vault, l.names.note, note)
	l.renewed(ctx)
	return true, nil
}

// taking reads what the engine answers to take: whose the lease is now, and the last holder's note.
func taking(set *redis.StatusCmd, holder, left reading) (other held, note value, err error) {
	if err := set.Err(); err != nil && !errors.Is(err, redis.Nil) {
		return other, note, err
	}
	v, err := holder.value()
	if err != nil {
		return other, note, err
	}
	note, err = left.value()
	return heldAs(v), note, err
}

// takeOver takes the lease of one who is dead, unless another was first.
func (l *lease) takeOver(ctx context.Context, ask asker, other held) (bool, error) {
	return run(ctx, ask, takingLease, takeOver, []string{l.names.lease},
		other.text, l.value, l.length.Milliseconds(), (other.length - l.store.pace.stale).Milliseconds())
}

// run runs a script that says whether it did something.
func run(ctx context.Context, ask asker, doing, script string, names []string, args ...any) (bool, error) {
	did := false
	err := ask(ctx, doing, func(ctx context.Context, c redis.UniversalClient) error {
		answer, err := c.Eval(ctx, script, names, args...).Int()
		did = answer == 1
		return err
	})
	return did, err
}

// renewed keeps the lease renewed until it is given back, at the most for as long as it is.
func (l *lease) renewed(ctx context.Context) {
	ctx, l.stop = context.WithTimeout(context.WithoutCancel(ctx), l.length)
	go func() {
		again := time.NewTicker(l.store.pace.renew)
		defer again.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-again.C:
			}
			ours, err := run(ctx, l.store.meanwhile, renewingLease, renew, []string{l.names.lease},
				l.value, l.length.Milliseconds())
			if err != nil || !ours {
				return
			}
		}
	}()
}

// Note returns what the last holder left.
func (l *lease) Note() store.Note {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.note
}

// Leave replaces the note; see store.Lock. Who has stalled for so long that the lease is another's leaves nothing.
func (l *lease) Leave(n store.Note) error {
	sealed, life, err := "", time.Duration(0), error(nil)
	if n != (store.Note{}) {
		sealed, life, err = l.store.sealNote(l.vault, l.names.note, n)
	}
	if err != nil {
		return l.failed(err)
	}
	ours, err := run(context.Background(), l.store.ask, leavingNote, leave, []string{l.names.lease, l.names.note},
		l.value, sealed, life.Milliseconds())
	if err == nil && !ours {
		err = errLapsed
	}
	if err != nil {
		return l.failed(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note = n
	return nil
}

var errLapsed = errors.New("it has lapsed, and may be another's")

// Unlock gives the lease back and wakes who waits; see store.Lock. One that has lapsed is left to whoever has it.
func (l *lease) Unlock() error {
	l.stop()
	if err := l.giveBack(context.Background()); err != nil {
		return l.failed(err)
	}
	return nil
}

// giveBack is sent whatever the engine has taken of the budget: otherwise the others wait until the lease is stale.
func (l *lease) giveBack(ctx context.Context) error {
	_, err := run(ctx, l.store.meanwhile, releasingLease, release, []string{l.names.lease},
		l.value, l.names.freed)
	return err
}

// giveBackSoon tries it while that is quick.
func (l *lease) giveBackSoon() {
	ctx, cancel := context.WithTimeout(context.Background(), l.store.budget.quick())
	defer cancel()
	_ = l.giveBack(ctx)
}

func (l *lease) failed(err error) error { return l.names.failed(err) }

// failed is the error for a lease that cannot be had: an *store.LockError that is not busy. Where the caller has ended
// the try, that is all there is to say.
func (n names) failed(err error) error {
	if _, ok := errors.AsType[*endedError](err); ok || err == nil {
		return err
	}
	return &store.LockError{Path: place(n.lease), Err: err}
}

// busy is the error for a lease that another was seen to hold; why is what has ended the wait for it.
func (n names) busy(why error) error {
	return &store.LockError{Busy: true, Path: place(n.lease), Err: why}
}

var errHeld = errors.New("it is held")

// TryLock takes the lease of key if it is free; see store.Store.
func (s *Store) TryLock(ctx context.Context, key tokenkey.Key) (store.Lock, error) {
	v, n, err := s.named(ctx, key)
	if err != nil {
		return nil, n.failed(unconfigured(takingLease, err))
	}
	l := s.newLease(ctx, v, n)
	taken, err := l.take(ctx, s.ask)
	switch {
	case err != nil:
		return nil, n.failed(err)
	case !taken:
		return nil, n.busy(errHeld)
	}
	return l, nil
}

// Lock takes the lease of key, waiting until ctx ends; see store.Store.
func (s *Store) Lock(ctx context.Context, key tokenkey.Key) (store.Lock, error) {
	v, n, err := s.named(ctx, key)
	if err != nil {
		return nil, n.failed(unconfigured(takingLease, err))
	}
	var l *lease
	err = s.until(ctx, n, func(ask asker) (bool, error) {
		// Its length is counted from now.
		l = s.newLease(ctx, v, n)
		return l.take(ctx, ask)
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (s *Store) named(ctx context.Context, key tokenkey.Key) (*vault, names, error) {
	v, err := s.open(ctx)
	if err != nil {
		return nil, names{lease: prefix + ":{}:lease"}, err
	}
	return v, v.names(key), nil
}
