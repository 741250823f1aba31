package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"filippo.io/age"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/tokenkey"
)

// File keeps records in files sealed with age (X25519), for machines without a
// keyring. Without a key it does nothing at all: there is no plain form.
//
// A record sealed with another key counts as none, and Put replaces it: this is a
// cache, and a pipeline whose key was rotated should fetch a token, not stop. The
// error of Get says so, and nothing is removed before there is something better.
type File struct {
	FileLocks
	// Dir holds the files. It is created with mode 0700; one that is a symbolic
	// link, another user's, or writable by others is refused.
	Dir string
	// Key fetches the identity, "AGE-SECRET-KEY-1…" as age-keygen prints it. It is
	// called when a record is read or written.
	Key secret.Func
	// KeyFrom names for people what gives the key; empty when nothing does.
	KeyFrom string
	// Unopened hears of how many records List leaves out because they cannot be opened, and
	// why the first of them; nil means that nobody does.
	Unopened func(number int, why string)

	mu       sync.Mutex
	identity *age.X25519Identity
}

var _ Store = (*File)(nil)

// Name returns "file".
func (f *File) Name() string { return "file" }

// Get returns the record of key; see Store.
func (f *File) Get(ctx context.Context, key tokenkey.Key) (*Record, error) {
	return f.store().get(ctx, key)
}

// Put writes a record; see Store.
func (f *File) Put(ctx context.Context, r *Record) error { return f.store().put(ctx, r) }

// Delete removes a record; see Store. It needs no key.
func (f *File) Delete(_ context.Context, key tokenkey.Key) error { return f.store().remove(key) }

// List returns what is stored and sealed with this key; see Store.
func (f *File) List(ctx context.Context) ([]Entry, error) {
	unopened, why := 0, ""
	list, err := f.store().list(ctx, func(_ string, e *UnopenedError) {
		unopened, why = unopened+1, cmp.Or(why, e.Problem)
	})
	if unopened > 0 && f.Unopened != nil {
		f.Unopened(unopened, why)
	}
	return list, err
}

func (f *File) store() sealedStore {
	return sealedStore{
		name: f.Name(), dir: sealedDir{privateDir{f.Dir, writableByOthers, f.Trust}}, identity: f.unlock,
		hint: "set AUTHCTL_STORE_DIR to a directory that is yours alone, or use --store memory for this call",
	}
}

// unlock fetches the key, once.
func (f *File) unlock(ctx context.Context) (*age.X25519Identity, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.identity != nil {
		return f.identity, nil
	}
	id, err := FetchIdentity(ctx, f.Key, f.KeyFrom)
	if err != nil {
		return nil, err
	}
	f.identity = id
	return id, nil
}

// FetchIdentity fetches the key of a store, an age identity. from names for people what gives it; empty when nothing
// does. Errors are an *UnusableError, Unconfigured.
func FetchIdentity(ctx context.Context, key secret.Func, from string) (*age.X25519Identity, error) {
	id, err := fetchIdentity(ctx, key)
	if err == nil {
		return id, nil
	}
	hint := "set AUTHCTL_STORE_KEY, AUTHCTL_STORE_KEY_FILE or AUTHCTL_STORE_KEY_CMD to an age identity, " +
		"or have one made and written into the configuration: authctl store init"
	if from != "" {
		hint = "see that " + from + " gives an identity that age-keygen made"
	}
	return nil, &UnusableError{Problem: Unconfigured, Err: err, Hint: hint}
}

func fetchIdentity(ctx context.Context, fetch secret.Func) (*age.X25519Identity, error) {
	var key secret.Secret
	if fetch != nil {
		var err error
		if key, err = fetch(ctx); err != nil {
			return nil, err
		}
	}
	if key.IsZero() {
		return nil, errors.New("no key is given")
	}
	id, err := age.ParseX25519Identity(identityLine(key.Reveal()))
	if err != nil {
		// The cause is left out: it may quote what was taken for a key.
		return nil, errors.New("the key is not an AGE-SECRET-KEY-1… identity")
	}
	return id, nil
}

// identityLine returns the one line of an age-keygen file that is not a comment;
// the identity alone is such a file too.
func identityLine(text string) string {
	var found []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			found = append(found, line)
		}
	}
	return strings.Join(found, "\n")
}

// NewKeyFile writes a fresh key for the file store (an X25519 identity as
// age-keygen prints it) to a new file with mode 0600. It replaces nothing.
func NewKeyFile(path string) error {
	id, err := age.GenerateX25519Identity()
	if err == nil {
		err = create(path, id.String()+"\n")
	}
	if err != nil {
		return fmt.Errorf("making a key for the file store: %w", err)
	}
	return nil
}
