// Package store keeps issued tokens between calls: in the OS keyring, in files sealed with
// age whose key the user or the kernel keeps, or in memory. It also gives the lock under
// which a token is fetched, because a store knows how far it is shared.
package store

import (
	"context"
	"time"

	"github.com/authctl/authctl/internal/tokenkey"
)

// Store keeps records by key. Methods are safe for concurrent use, by goroutines
// and by processes. Errors wrap ErrNotFound or are an *UnusableError, but for
// Lock's. Times are kept to the millisecond, rounded down.
type Store interface {
	// Name is the store's name on the command line: keyring, kernel, file, memory.
	Name() string
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
	// Lock takes the lock of key, waiting until ctx ends; with a ctx that has ended
	// it takes the lock if that is free. The error is a *LockError.
	Lock(ctx context.Context, key tokenkey.Key) (Lock, error)
}

// Lock is held while a token is fetched. The kernel releases it when its holder
// dies.
type Lock interface {
	// Waited reports whether another held the lock when it was asked for: then
	// the token is probably there by now, and reading the store needs no lock.
	// Fifty who wait get on faster when each gives the lock back at once, reads
	// the store beside the others, and takes the lock again only in vain.
	Waited() bool
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
