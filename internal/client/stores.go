package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store"
)

// StoreNames are the stores that may be chosen, the default first.
func StoreNames() []string { return []string{"auto", "keyring", "file", "memory"} }

// Store returns the store of a name of StoreNames, for an empty one that which the
// environment names. A store that was named is never replaced by another; auto means the
// keyring where it works.
func (l *Local) Store(name string) (store.Store, error) {
	switch name = cmp.Or(name, l.Env.Store, "auto"); name {
	case "auto":
		return &store.Auto{Primary: l.Keyring, Fallback: &store.Memory{}, Warn: l.fellBack}, nil
	case "keyring":
		return l.Keyring, nil
	case "memory":
		return &store.Memory{}, nil
	case "file":
		return l.fileStore()
	}
	return nil, fmt.Errorf("there is no store %q", name)
}

func (l *Local) fileStore() (store.Store, error) {
	dir := l.Env.StoreDir
	if state := l.LookupEnv.StateDir(); dir == "" && state != "" {
		dir = filepath.Join(state, "tokens")
	}
	if dir == "" {
		return nil, &setting.Error{
			Name: "AUTHCTL_STORE_DIR", Problem: "is not set, and there is no home directory",
			Help: "set it to a directory of yours",
		}
	}
	return &store.File{FileLocks: l.Locks(), Dir: dir, Key: l.Env.StoreKey, Unopened: l.tellOfUnopened}, nil
}

// QuietStore returns the store that the environment names, without a word where auto goes
// without the keyring: for what only looks at tokens that may be there.
func (l *Local) QuietStore() (store.Store, error) {
	chosen, err := l.Store("")
	if auto, ok := chosen.(*store.Auto); ok {
		auto.Warn = nil
	}
	return chosen, err
}

// Listed returns what a store holds. A keyring that is there and does not let us in may
// hold anything: that is not an empty list.
func (l *Local) Listed(ctx context.Context, kept store.Store) ([]store.Entry, error) {
	entries, err := kept.List(ctx)
	if err != nil {
		return nil, err
	}
	if unusable, ok := errors.AsType[*store.UnusableError](l.Lost); ok && unusable.Problem != store.Unreachable {
		return nil, unusable
	}
	return entries, nil
}

// Locks are the file locks of every store.
func (l *Local) Locks() store.FileLocks {
	locks := store.FileLocks{Dir: l.Env.RuntimeDir, Trust: l.Trust()}
	if state := l.LookupEnv.StateDir(); state != "" {
		locks.Fallback = filepath.Join(state, "run")
	}
	return locks
}

// fellBack is the one warning of the store auto.
func (l *Local) fellBack(err error) {
	l.Lost = err
	l.Warn("the keyring cannot be used, so no token is kept between calls: " + err.Error() +
		"; use --store file with AUTHCTL_STORE_KEY_FILE, or --store memory to be quiet")
}

// tellOfUnopened warns of tokens that are there and in no listing.
func (l *Local) tellOfUnopened(number int, why string) {
	l.Unopened = number
	if number -= l.Known; number == 0 {
		return
	}
	text := "a token that is stored here cannot be opened: " + why
	if number > 1 {
		text = fmt.Sprintf("%d tokens that are stored here cannot be opened: %s", number, why)
	}
	l.WarnOnce(text + "; AUTHCTL_STORE_KEY_FILE or its twins have to give the key that it was stored with")
}
