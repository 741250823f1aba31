package store

import (
	"context"
	"errors"

	"github.com/authctl/authctl/internal/files"
)

// maxDeletes bounds the attempts to delete one account's entries. Another program
// may have stored a second one; but each attempt may prompt.
const maxDeletes = 3

var (
	errNotKept = errors.New("the keyring reported success and did not keep what was written, " +
		"as it does when its prompt is dismissed")
	errNotGone = errors.New("the keyring reported success and still has the entry, " +
		"as it does when its prompt is dismissed")
)

// library is a keyring behind a library's three calls, which is how macOS and Windows are
// reached. None of them can be cancelled, none tells what is stored, and what they report
// is looked after.
type library struct {
	read   func(service, account string) (string, error)
	write  func(service, account, value string) error
	delete func(service, account string) error
	// remembered knows what is stored, and warn hears of its failures.
	remembered func() index
	warn       func(error)
}

// await runs a call, and leaves it behind when ctx ends first.
func await(ctx context.Context, do func() (string, error)) (string, error) {
	return files.Await(ctx, do)
}

func (l *library) get(ctx context.Context, account string) (string, error) {
	return await(ctx, func() (string, error) { return l.read(keyringService, account) })
}

// set writes an entry and reads it back.
func (l *library) set(ctx context.Context, account, value string) (string, error) {
	_, err := await(ctx, func() (string, error) { return "", l.write(keyringService, account, value) })
	if err != nil {
		return "", err
	}
	got, err := l.get(ctx, account)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if isDigest(account) && err == nil {
		l.warn(l.remembered().add(account))
	}
	return got, err
}

// remove deletes an entry until the keyring says that there is none.
func (l *library) remove(ctx context.Context, account string) error {
	for range maxDeletes {
		_, err := await(ctx, func() (string, error) { return "", l.delete(keyringService, account) })
		if errors.Is(err, ErrNotFound) {
			l.warn(l.remembered().remove(account))
			return nil
		}
		if err != nil {
			return err
		}
	}
	return unusable(Locked, errNotGone)
}

// list reads what the index names, in one call each, and forgets what is gone.
func (l *library) list(ctx context.Context) (map[string]string, error) {
	digests, err := l.remembered().digests()
	found := make(map[string]string, len(digests))
	for _, digest := range digests {
		entry, err := l.get(ctx, digest)
		if errors.Is(err, ErrNotFound) {
			l.warn(l.remembered().remove(digest))
			continue
		}
		if err != nil {
			return nil, err
		}
		found[digest] = entry
	}
	return found, err
}

// locked knows nothing: the keychain tells it only by asking to be unlocked, and the
// Credential Manager is open while its user is logged on.
func (*library) locked(context.Context) (bool, error) { return false, nil }
