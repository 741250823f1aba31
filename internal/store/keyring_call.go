package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// keyringService is the service name of every entry ("service" among a Secret
	// Service's attributes); the account ("username") is the key's digest.
	keyringService = "authctl"
	// keyringTimeout is the default of Keyring.Timeout.
	keyringTimeout = 3 * time.Second
)

// backend is a system's keyring: entries of one service, by account. Errors wrap
// ErrNotFound, are an *UnusableError, the cause of ctx when that has ended, or
// systemProblem sorts them.
type backend interface {
	// get returns the entry of an account.
	get(ctx context.Context, account string) (string, error)
	// set writes an entry, in place of the one that get returns, and returns what the
	// keyring has now, where only a look tells whether it kept what was written.
	set(ctx context.Context, account, value string) (string, error)
	// remove deletes all entries of an account; it is no error when there is none.
	remove(ctx context.Context, account string) error
	// list returns the entries of all records, by their digests.
	list(ctx context.Context) (map[string]string, error)
	// locked reports whether a person would have to unlock the keyring; it asks nobody.
	locked(ctx context.Context) (bool, error)
}

var errTooBig = errors.New("the value is too big for one entry of this keyring")

func (k *Keyring) get(ctx context.Context, account string) (string, error) {
	return call(ctx, k, func(ctx context.Context, b backend) (string, error) { return b.get(ctx, account) })
}

// set writes an entry and returns what is there now, empty when nothing is.
func (k *Keyring) set(ctx context.Context, account, value string) (string, error) {
	return call(ctx, k, func(ctx context.Context, b backend) (string, error) { return b.set(ctx, account, value) })
}

// remove deletes the entries of an account.
func (k *Keyring) remove(ctx context.Context, account string) error {
	_, err := call(ctx, k, func(ctx context.Context, b backend) (struct{}, error) {
		return struct{}{}, b.remove(ctx, account)
	})
	return err
}

// CheckUnlocked returns an *UnusableError when the keyring cannot be reached, or when
// using it now would ask a person to unlock it, where the system tells that
// without asking: a Secret Service does.
func (k *Keyring) CheckUnlocked(ctx context.Context) error {
	locked, err := call(ctx, k, func(ctx context.Context, b backend) (bool, error) { return b.locked(ctx) })
	if err == nil && locked {
		err = unusable(Locked, errLocked)
	}
	return k.failed("looking for tokens", err)
}

var errLocked = errors.New("the collection is locked, and nobody is asked to unlock it")

// Where names the system's keyring for people: "the Secret Service at unix:path=/run/user/1000/bus".
func (k *Keyring) Where() string { return systemKeyringName() }

// call has the keyring do something, under a deadline. Errors are ErrNotFound or an
// *UnusableError. A keyring that did not answer once is not waited for a second time: a
// command makes several calls.
func call[T any](ctx context.Context, k *Keyring, do func(context.Context, backend) (T, error)) (T, error) {
	if err, ok := k.silent.Load().(error); ok {
		var none T
		return none, unusable(Locked, err)
	}
	limit := cmp.Or(k.Timeout, keyringTimeout)
	bounded, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s", limit))
	defer cancel()
	got, err := do(bounded, k.opened())
	if cause := context.Cause(bounded); cause != nil && errors.Is(err, cause) {
		if ctx.Err() == nil {
			k.silent.Store(fmt.Errorf("an earlier call got %w", cause))
		}
		return got, unusable(Locked, err)
	}
	return got, keyringProblem(err)
}

// opened returns the keyring that is used, the system's unless another was given.
func (k *Keyring) opened() backend {
	k.opening.Do(func() {
		if k.backend == nil {
			k.backend = systemKeyring(k)
		}
	})
	return k.backend
}

// keyringProblem sorts what a backend says into the answers that need different remedies.
func keyringProblem(err error) error {
	known, ok := errors.AsType[*UnusableError](err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotFound):
		return ErrNotFound
	case ok:
		return known
	}
	return unusable(systemProblem(err))
}

// unusable is a problem of the keyring with its remedy.
func unusable(problem Problem, err error) error {
	e := &UnusableError{Problem: problem, Err: err}
	switch problem {
	case Unreachable:
		e.Hint = noKeyringHint + "; without one have tokens kept in files: authctl store init"
	case Locked:
		e.Hint = "unlock the keyring and try again; where nobody can, have tokens kept in files: authctl store init"
	}
	return e
}
