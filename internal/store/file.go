package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"filippo.io/age"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
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
func (f *File) Get(ctx context.Context, key oauth.Key) (r *Record, err error) {
	id, err := f.unlock(ctx)
	if err == nil {
		r, err = f.load(key.Digest(), id)
	}
	return r, f.failed(readingToken, err)
}

func (f *File) load(digest string, id *age.X25519Identity) (*Record, error) {
	plain, err := f.sealed().read(digest, id)
	if err != nil {
		return nil, err
	}
	return decodeRecord(plain, digest)
}

// Put writes a record; see Store.
func (f *File) Put(ctx context.Context, r *Record) error {
	id, err := f.unlock(ctx)
	var plain []byte
	if err == nil {
		plain, err = encodeRecord(r)
	}
	if err == nil {
		err = f.sealed().write(r.Key.Digest(), id.Recipient(), plain)
	}
	return f.failed(storingToken, err)
}

// Delete removes a record; see Store. It needs no key.
func (f *File) Delete(_ context.Context, key oauth.Key) error {
	return f.failed(removingToken, f.sealed().remove(key.Digest()))
}

// List returns what is stored and sealed with this key; see Store.
func (f *File) List(ctx context.Context) ([]Entry, error) {
	id, err := f.unlock(ctx)
	var digests []string
	if err == nil {
		digests, err = f.sealed().digests()
	}
	if err != nil {
		return nil, f.failed(listingTokens, err)
	}
	unopened, why := 0, ""
	list, err := entries(f.Name(), digests, func(digest string) (*Record, error) {
		r, err := f.load(digest, id)
		if e, ok := errors.AsType[*UnopenedError](err); ok {
			unopened, why = unopened+1, cmp.Or(why, e.Problem)
		}
		return r, err
	})
	if unopened > 0 && f.Unopened != nil {
		f.Unopened(unopened, why)
	}
	return list, f.failed(listingTokens, err)
}

func (f *File) failed(doing string, err error) error {
	return failed(f.Name(), doing,
		"set AUTHCTL_STORE_DIR to a directory that is yours alone, or use --store memory for this call", err)
}

func (f *File) sealed() sealedDir { return sealedDir{privateDir{f.Dir, writableByOthers, f.Trust}} }

// unlock fetches the key, once.
func (f *File) unlock(ctx context.Context) (*age.X25519Identity, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.identity != nil {
		return f.identity, nil
	}
	id, err := f.fetchIdentity(ctx)
	if err != nil {
		return nil, &UnusableError{
			Problem: Unconfigured, Err: err,
			Hint: "set AUTHCTL_STORE_KEY, AUTHCTL_STORE_KEY_FILE or AUTHCTL_STORE_KEY_CMD to an identity " +
				"that age-keygen made",
		}
	}
	f.identity = id
	return id, nil
}

func (f *File) fetchIdentity(ctx context.Context) (*age.X25519Identity, error) {
	var key secret.Secret
	if f.Key != nil {
		var err error
		if key, err = f.Key(ctx); err != nil {
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
