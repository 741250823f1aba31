package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/authctl/authctl/internal/files"
	"github.com/zalando/go-keyring"
)

const (
	// keyringService is the service name of every entry ("service" among a Secret
	// Service's attributes); the account ("username") is the key's digest.
	keyringService = "authctl"
	// keyringTimeout is the default of Keyring.Timeout.
	keyringTimeout = 3 * time.Second
	// maxDeletes bounds the attempts to delete one account's entries. Another program
	// may have stored a second one with more attributes; but each attempt may prompt.
	maxDeletes = 3
	// maxLooks bounds how often an entry that vanishes is looked for again.
	maxLooks = 10
)

// secretService is what a keyring has to do. get and remove fail with
// keyring.ErrNotFound when there is no such entry.
type secretService struct {
	get    func(service, account string) (string, error)
	set    func(service, account, value string) error
	remove func(service, account string) error
}

var (
	errNotKept = errors.New("the keyring reported success and did not keep what was written, " +
		"as it does when its prompt is dismissed")
	errNotGone = errors.New("the keyring reported success and still has the entry, " +
		"as it does when its prompt is dismissed")
	errTooBig = errors.New("the value is too big for one entry of this keyring")
	// errBroken is what is left of a panic in go-keyring, which reads from a closed
	// channel when the bus dies while a prompt is open. The panic's words are the
	// library's and tell nobody anything.
	errBroken = errors.New("the keyring stopped answering: the connection to it ended in the middle of the call")
)

func (k *Keyring) get(ctx context.Context, account string) (string, error) {
	return k.call(ctx, func(s *secretService) (string, error) { return s.get(keyringService, account) })
}

// set writes an entry and returns what is there now, empty when nothing is.
func (k *Keyring) set(ctx context.Context, account, value string) (string, error) {
	_, err := k.call(ctx, func(s *secretService) (string, error) { return "", s.set(keyringService, account, value) })
	if err != nil {
		return "", err
	}
	got, err := k.get(ctx, account)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return got, err
}

// remove deletes an entry until the keyring says that there is none.
func (k *Keyring) remove(ctx context.Context, account string) error {
	for range maxDeletes {
		_, err := k.call(ctx, func(s *secretService) (string, error) { return "", s.remove(keyringService, account) })
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return unusable(Locked, errNotGone)
}

// call runs f under a deadline, because no call of go-keyring has one: a prompt
// that nobody answers, or a bus that says nothing, would hang for ever. Errors are
// ErrNotFound or an *UnusableError.
func (k *Keyring) call(ctx context.Context, f func(*secretService) (string, error)) (string, error) {
	if err, ok := k.silent.Load().(error); ok {
		return "", unusable(Locked, err)
	}
	limit := cmp.Or(k.Timeout, keyringTimeout)
	bounded, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s", limit))
	defer cancel()
	value, err := files.Await(bounded, func() (string, error) { return lookedAgain(k.service, f) })
	if cause := context.Cause(bounded); cause != nil && errors.Is(err, cause) {
		if ctx.Err() == nil {
			k.silent.Store(fmt.Errorf("an earlier call got %w", err))
		}
		return "", unusable(Locked, err)
	}
	return value, keyringProblem(err)
}

// lookedAgain calls f once more when the entry that it had found was gone before it was
// read: another process has replaced it, or there is none any more. What fails in the same
// way twice has another cause.
func lookedAgain(s *secretService, f func(*secretService) (string, error)) (value string, err error) {
	before := ""
	for range maxLooks {
		value, err = recovered(s, f)
		if err == nil || !vanished(err) || err.Error() == before {
			break
		}
		before = err.Error()
	}
	return value, err
}

// recovered makes a panic of f an error. It looks for the system's keyring before
// go-keyring does, which would start one of its own.
func recovered(s *secretService, f func(*secretService) (string, error)) (value string, err error) {
	defer func() {
		if recover() != nil {
			err = errBroken
		}
	}()
	if s == nil {
		if err := findKeyring(); err != nil {
			return "", err
		}
		s = &secretService{keyring.Get, keyring.Set, keyring.Delete}
	}
	return f(s)
}

// keyringProblem sorts an answer of go-keyring into the four that need different remedies.
func keyringProblem(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyring.ErrNotFound):
		return ErrNotFound
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return unusable(Refused, errTooBig)
	case errors.Is(err, keyring.ErrUnsupportedPlatform), errors.Is(err, errBroken):
		return unusable(Unreachable, err)
	}
	return unusable(systemProblem(err))
}

// unusable is a problem of the keyring with its remedy.
func unusable(problem Problem, err error) error {
	e := &UnusableError{Problem: problem, Err: err}
	switch problem {
	case Unreachable:
		e.Hint = noKeyringHint + "; without one use --store file with AUTHCTL_STORE_KEY_FILE"
	case Locked:
		e.Hint = "unlock the keyring and try again; where nobody can, use --store file with AUTHCTL_STORE_KEY_FILE"
	}
	return e
}

// CheckUnlocked returns an *UnusableError when the keyring cannot be reached, or when
// using it now would ask a person to unlock it, where the system tells that
// without asking: a Secret Service does.
func (k *Keyring) CheckUnlocked(ctx context.Context) error {
	state, err := k.call(ctx, func(*secretService) (string, error) {
		if k.service != nil {
			return "", nil
		}
		locked, err := systemLocked()
		return strconv.FormatBool(locked), err
	})
	if err == nil && state == "true" {
		err = unusable(Locked, errors.New("the collection is locked"))
	}
	return k.failed("looking for tokens", err)
}
