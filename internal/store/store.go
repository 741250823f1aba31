// Package store keeps issued tokens between calls: in the OS keyring, in files
// sealed with age, or in memory. It also gives the lock under which a token is
// fetched, because a store knows how far it is shared.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/authctl/authctl/internal/oauth"
)

// ErrNotFound says that the store works and has no such record. It often comes
// wrapped with the reason ("the record is damaged"): compare with errors.Is.
var ErrNotFound = errors.New("no such entry")

// UnopenedError says that a record is there and cannot be opened: it is sealed with another
// key, or damaged. It counts as none and wraps ErrNotFound, but it is not nothing.
type UnopenedError struct{ Problem string }

// Error names the record's file and what is wrong with it.
func (e *UnopenedError) Error() string { return ErrNotFound.Error() + ": " + e.Problem }

// Unwrap returns ErrNotFound.
func (e *UnopenedError) Unwrap() error { return ErrNotFound }

// ErrUncacheable says that a record must not be stored, whatever the store: its
// token has neither a lifetime nor a refresh token, or bytes that no token has. It comes wrapped with the
// reason.
var ErrUncacheable = errors.New("the record cannot be stored")

// Store keeps records by key. Methods are safe for concurrent use, by goroutines
// and by processes. Errors wrap ErrNotFound or are an *UnusableError, but for
// Lock's. Times are kept to the millisecond, rounded down.
type Store interface {
	// Name is the store's name on the command line: keyring, file, memory.
	Name() string
	// Get returns the record of key, ErrNotFound when there is none. A record
	// whose parts are not those of key, or that cannot be read, counts as none.
	Get(ctx context.Context, key oauth.Key) (*Record, error)
	// Put writes a record, replacing an older one, and makes sure that it stays. The
	// error may also wrap ErrUncacheable. Writers of a key hold its lock: of two at
	// once without it, one may be told that its record was not kept.
	Put(ctx context.Context, r *Record) error
	// Delete removes a record; it is no error when there is none.
	Delete(ctx context.Context, key oauth.Key) error
	// List returns what is stored, never a secret, sorted by profile and key.
	List(ctx context.Context) ([]Entry, error)
	// Lock takes the lock of key, waiting until ctx ends; with a ctx that has ended
	// it takes the lock if that is free. The error is a *LockError.
	Lock(ctx context.Context, key oauth.Key) (Lock, error)
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

// Label says for people whose a token is.
type Label struct {
	// Profile is the profile that fetched it last.
	Profile string `json:"profile,omitempty"`
	// Account and Environment are that profile's, empty where it has none.
	Account     string `json:"account,omitempty"`
	Environment string `json:"environment,omitempty"`
}

// Record is a stored token and what it was issued for.
type Record struct {
	Key oauth.Key
	Label
	Token oauth.Token
}

// Entry is what a listing shows of a record: no secret.
type Entry struct {
	Key oauth.Key
	Label
	// Scope is what was granted, nil when the service did not say.
	Scope    []string
	IssuedAt time.Time
	// Expiry is zero when nobody knows it.
	Expiry time.Time
	// Refreshable says that a refresh token is stored beside the access token.
	Refreshable bool
	// Store is the name of the store.
	Store string
}

// Problem is why a store cannot be used: four answers that need four different
// remedies.
type Problem string

// The problems.
const (
	// Unreachable: there is no keyring service (no bus, a dead socket).
	Unreachable Problem = "unreachable"
	// Locked: it is locked, or did not answer in time.
	Locked Problem = "locked"
	// Refused: the service, or the file system, said no.
	Refused Problem = "refused"
	// Unconfigured: what the store needs (a key) was not given. Exit code 3.
	Unconfigured Problem = "unconfigured"
)

// UnusableError says that a store cannot be used, and why.
type UnusableError struct {
	Store   string
	Problem Problem
	// Doing says what was tried: "reading the token".
	Doing string
	// Hint says what to do, empty when nothing better is known than the usual
	// remedy of the problem.
	Hint string
	Err  error
}

// Error names store, action and cause.
func (e *UnusableError) Error() string {
	return e.Doing + " in the " + e.Store + " store: " + string(e.Problem) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *UnusableError) Unwrap() error { return e.Err }

// LockError says that a lock could not be had.
type LockError struct {
	// Busy says that another process holds it and the wait is over; otherwise it
	// cannot be had at all (a read-only or unsafe directory).
	Busy bool
	// Guards is the file that is changed under the lock, empty for a token's.
	Guards string
	// Path is the lock's file.
	Path string
	Err  error
}

// Error says which of the two it is, and where.
func (e *LockError) Error() string {
	if e.Busy {
		return "another process holds the lock " + e.Path + ": " + e.Err.Error()
	}
	return "using the lock " + e.Path + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *LockError) Unwrap() error { return e.Err }
