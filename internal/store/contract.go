// Package store keeps issued tokens between calls: in the OS keyring, in files sealed with
// age whose key the user or the kernel keeps, or in memory; package shared below it keeps them on
// an engine of many machines. A store also gives the lock under which a token is fetched,
// because it knows how far it is shared.
package store

import (
	"context"
	"time"

	"github.com/authctl/authctl/internal/tokenkey"
)

// Store keeps records by key. Methods are safe for concurrent use, by goroutines
// and by processes. Errors wrap ErrNotFound or are an *UnusableError, but for
// Lock's; those of a shared store wrap why ctx has ended, where that is all that is wrong.
// Times are kept to the millisecond, rounded down.
type Store interface {
	// Name is the store's name on the command line: keyring, kernel, file, memory, redis.
	Name() string
	// Shared reports whether other machines use it too. Then each question to it is a round
	// trip, nothing that only a person can get again is kept in it, and it is a help and never
	// a condition: what it is down for is done without it.
	Shared() bool
	// Get returns the record of key, ErrNotFound when there is none. A record
	// whose parts are not those of key, or that cannot be read, counts as none.
	Get(ctx context.Context, key tokenkey.Key) (*Record, error)
	// Put writes a record, replacing an older one, and makes sure that it stays. The
	// error may also wrap ErrUncacheable. Writers of a key hold its lock: of two at
	// once without it, one may be told that its record was not kept.
	Put(ctx context.Context, r *Record) error
	// Delete removes a record; it is no error when there is none.
	Delete(ctx context.Context, key tokenkey.Key) error
	// List returns what is stored, never a secret, sorted by profile and key.
	List(ctx context.Context) ([]Entry, error)
	// TryLock takes the lock of key if it is free. The error is a *LockError, Busy when
	// another holds it.
	TryLock(ctx context.Context, key tokenkey.Key) (Lock, error)
	// Lock takes the lock of key, waiting until ctx ends. The error is a *LockError, Busy when
	// the wait was in vain.
	Lock(ctx context.Context, key tokenkey.Key) (Lock, error)
	// Wait waits until whoever holds the lock of key has given it back or died, and returns what
	// he left; at once when it is free. The lock is not taken: of fifty who wait, each reads the
	// store beside the others and takes the lock only in vain. Errors are as Lock's.
	Wait(ctx context.Context, key tokenkey.Key) (Note, error)
}

// Lock is held while a token is fetched. When its holder dies it is released: by the kernel
// at once, or in a shared store when its lease is over.
type Lock interface {
	// Note returns what the last holder left, the zero Note when nothing.
	Note() Note
	// Leave replaces the note for those who wait; the zero Note clears it.
	Leave(Note) error
	// Unlock releases the lock. It may be called once.
	Unlock() error
}

// Note is what the holder of a lock tells those who waited: that asking the
// service failed, so that they need not ask again. No secret is in it.
type Note struct {
	// At is when the failure happened.
	At time.Time `json:"at"`
	// NotBefore is when the service may be asked again, zero when at once.
	NotBefore time.Time `json:"not_before,omitzero"`
	// Pause is how long nobody asks because the service throttles without saying for how
	// long; the next one doubles it. Zero otherwise.
	Pause time.Duration `json:"pause,omitempty"`
	// Renew is when a token that can still be served may be renewed again, because that has just
	// failed; zero when at once. Who has no such token does not wait for it.
	Renew time.Time `json:"renew,omitzero"`
	// Reason, Message and Hint are those of the failure.
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	// Credentials tells, without giving them away, with which credentials the
	// service was asked; the broker writes and reads it, empty when unknown.
	Credentials string `json:"credentials,omitempty"`
	// Asked tells the same of all else that the request was made of.
	Asked string `json:"asked,omitempty"`
}
