package store

import (
	"errors"
	"fmt"
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

// Down returns why a shared store cannot be used, where err says that of s; nil otherwise. Such a
// store is a help and never a condition: what it is for is done without it. What it lacks to be
// opened is the configuration's fault, and stays an error.
func Down(s Store, err error) *UnusableError {
	down, ok := errors.AsType[*UnusableError](err)
	if !ok || !s.Shared() || down.Problem == Unconfigured {
		return nil
	}
	return down
}

// Reason is what is wrong with a store, without what was tried and where: "locked: the
// collection is locked".
func Reason(err error) string {
	if unusable, ok := errors.AsType[*UnusableError](err); ok {
		return string(unusable.Problem) + ": " + unusable.Err.Error()
	}
	return err.Error()
}

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

// failed completes the error of a store: it is ErrNotFound or ErrUncacheable, or becomes an
// *UnusableError that says in which store and at what. What is none yet was refused, and
// hint is the remedy for that. The one it completes is a copy: that a service cannot be reached
// is found once, and told to every goroutine that asks.
func failed(store, doing, hint string, err error) error {
	if err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, ErrUncacheable) {
		return err
	}
	e := UnusableError{Problem: Refused, Hint: hint, Err: err}
	if known, ok := err.(*UnusableError); ok { //nolint:errorlint // one that is wrapped is another store's
		e = *known
	}
	e.Store, e.Doing = store, doing
	return &e
}

// notFound is ErrNotFound with the reason, which --explain shows.
func notFound(reason string) error { return fmt.Errorf("%w: %s", ErrNotFound, reason) }
