package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/authctl/authctl/internal/secret"
	"github.com/zalando/go-keyring"
)

// secretService is what a keyring has to do. Get and Delete fail with
// keyring.ErrNotFound when there is no such entry.
type secretService interface {
	Get(service, account string) (string, error)
	Set(service, account, value string) error
	Delete(service, account string) error
}

// systemKeyring is the keyring of this system. It looks for one before go-keyring
// does, which would start one of its own.
type systemKeyring struct{}

func (systemKeyring) Get(service, account string) (string, error) {
	if err := findKeyring(); err != nil {
		return "", err
	}
	return keyring.Get(service, account)
}

func (systemKeyring) Set(service, account, value string) error {
	if err := findKeyring(); err != nil {
		return err
	}
	return keyring.Set(service, account, value)
}

func (systemKeyring) Delete(service, account string) error {
	if err := findKeyring(); err != nil {
		return err
	}
	return keyring.Delete(service, account)
}

var (
	errNotKept = errors.New("the keyring reported success and did not keep what was written, " +
		"as it does when its prompt is dismissed")
	errNotGone = errors.New("the keyring reported success and still has the entry, " +
		"as it does when its prompt is dismissed")
	errTooBig = errors.New("the value is too big for one entry of this keyring")
)

// brokenError is what is left of a panic in go-keyring, which reads from a closed
// channel when the bus dies while a prompt is open. The panic's words are the library's
// and tell nobody anything.
type brokenError struct{}

func (e *brokenError) Error() string {
	return "the keyring stopped answering: the connection to it ended in the middle of the call"
}

func (k *Keyring) get(ctx context.Context, doing, account string) (string, error) {
	return k.call(ctx, doing, func(s secretService) (string, error) { return s.Get(keyringService, account) })
}

// set writes an entry and returns what is there now, empty when nothing is.
func (k *Keyring) set(ctx context.Context, doing, account, value string) (string, error) {
	_, err := k.call(ctx, doing, func(s secretService) (string, error) {
		return "", s.Set(keyringService, account, value)
	})
	if err != nil {
		return "", err
	}
	got, err := k.get(ctx, doing, account)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return got, err
}

// maxDeletes bounds the attempts to delete one account's entries. Another program
// may have stored a second one with more attributes; but each attempt may prompt.
const maxDeletes = 3

// remove deletes an entry until the keyring says that there is none.
func (k *Keyring) remove(ctx context.Context, doing, account string) error {
	for range maxDeletes {
		_, err := k.call(ctx, doing, func(s secretService) (string, error) {
			return "", s.Delete(keyringService, account)
		})
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return k.locked(doing, errNotGone)
}

// call runs f under a deadline, because no call of go-keyring has one: a prompt
// that nobody answers, or a bus that says nothing, would hang for ever. Errors are
// ErrNotFound or an *UnusableError.
func (k *Keyring) call(
	ctx context.Context, doing string, f func(secretService) (string, error),
) (string, error) {
	if err := k.fallenSilent(); err != nil {
		return "", k.locked(doing, err)
	}
	service := k.service
	if service == nil {
		service = systemKeyring{}
	}
	limit := k.Timeout
	if limit <= 0 {
		limit = keyringTimeout
	}
	bounded, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s", limit))
	defer cancel()
	type answer struct {
		value string
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		value, err := lookedAgain(service, f)
		answers <- answer{value, err}
	}()
	select {
	case a := <-answers:
		return a.value, k.problem(doing, a.err)
	case <-bounded.Done():
		err := context.Cause(bounded)
		if ctx.Err() == nil {
			k.fellSilent(err)
		}
		return "", k.locked(doing, err)
	}
}

// maxLooks bounds how often an entry that vanishes is looked for again.
const maxLooks = 10

// lookedAgain calls f once more when the entry that it had found was gone before it was
// read: another process has replaced it, or there is none any more. What fails in the same
// way twice has another cause.
func lookedAgain(s secretService, f func(secretService) (string, error)) (value string, err error) {
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

// recovered makes a panic of f an error.
func recovered(s secretService, f func(secretService) (string, error)) (value string, err error) {
	defer func() {
		if recover() != nil {
			err = &brokenError{}
		}
	}()
	return f(s)
}

// fallenSilent returns why no answer is to be expected any more: go-keyring's one
// connection is still waiting, with its mutex held.
func (k *Keyring) fallenSilent() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.silent
}

func (k *Keyring) fellSilent(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.silent = fmt.Errorf("an earlier call got %w", err)
}

// problem sorts an answer of go-keyring into the four that need different remedies.
func (k *Keyring) problem(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyring.ErrNotFound):
		return ErrNotFound
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return k.refused(doing, errTooBig)
	case errors.Is(err, keyring.ErrUnsupportedPlatform):
		return k.unreachable(doing, err)
	}
	if _, ok := errors.AsType[*brokenError](err); ok {
		return k.unreachable(doing, err)
	}
	switch problem, err := systemProblem(err); problem {
	case Unreachable:
		return k.unreachable(doing, err)
	case Locked:
		return k.locked(doing, err)
	default:
		return k.refused(doing, err)
	}
}

func (k *Keyring) unreachable(doing string, err error) error {
	return &UnusableError{
		Store: k.Name(), Problem: Unreachable, Doing: doing, Err: err,
		Hint: noKeyringHint + "; without one use --store file with AUTHCTL_STORE_KEY_FILE",
	}
}

func (k *Keyring) locked(doing string, err error) error {
	return &UnusableError{
		Store: k.Name(), Problem: Locked, Doing: doing, Err: err,
		Hint: "unlock the keyring and try again; where nobody can, use --store file with AUTHCTL_STORE_KEY_FILE",
	}
}

func (k *Keyring) refused(doing string, err error) error {
	return &UnusableError{Store: k.Name(), Problem: Refused, Doing: doing, Err: err}
}

// quoted makes another program's words safe to print: one line, printable, short.
func quoted(s string) string { return strconv.Quote(secret.CleanText(s)) }
