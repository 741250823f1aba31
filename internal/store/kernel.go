package store

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"filippo.io/age"
	"github.com/authctl/authctl/internal/tokenkey"
)

// kernelLifetime is how long the kernel keeps a key that nobody uses: as long as a persistent
// keyring, by default (keyctl_get_persistent(3)).
const kernelLifetime = 72 * time.Hour

// kernelHint is what to do where the kernel keeps no key.
const kernelHint = "use --store file with a key of your own, which authctl store init makes"

// removeKeyHint is what to do with a key of that name which is of no use.
const removeKeyHint = "remove that key: keyctl purge user authctl"

// Kernel keeps records in sealed files whose key only the kernel's keyring of the user
// holds (keyrings(7)): on machines without a desktop nothing has to be set up, and what is
// on disk opens for nobody once the machine has been off, or the key was not used for three
// days. All processes of the user share the key, whatever started them. Linux only; anywhere
// else every use is an *UnusableError.
//
// Files that the key does not open are of another boot. They count as none, and they are
// removed when a new key is made, and by List.
type Kernel struct {
	FileLocks
	// Dir holds the files, created with mode 0700. Where it cannot be used — empty, read-only,
	// another user's, shared with other machines — they are in "kernel" beside the locks.
	Dir string

	// description names the key in the keyring; empty means "authctl".
	description string
	// place decides once for Dir or the directory beside the locks.
	place    sync.Once
	dir      privateDir
	besideOf bool
}

var _ Store = (*Kernel)(nil)

// Name returns "kernel".
func (k *Kernel) Name() string { return "kernel" }

// Get returns the record of key; see Store.
func (k *Kernel) Get(ctx context.Context, key tokenkey.Key) (*Record, error) {
	r, err := k.reading().get(ctx, key)
	if e, ok := errors.AsType[*UnopenedError](err); ok {
		return nil, notFound(e.Problem)
	}
	return r, err
}

// Put writes a record, and makes the key where there is none; see Store.
func (k *Kernel) Put(ctx context.Context, r *Record) error {
	s, made := k.reading(), false
	s.identity = func(ctx context.Context) (*age.X25519Identity, error) {
		if err := k.makeRoom(); err != nil {
			return nil, err
		}
		text, isNew, err := k.key().have(ctx)
		made = isNew
		return kernelIdentity(text, err)
	}
	err := s.put(ctx, r)
	if made {
		// What is there cannot be opened any more: whoever lists removes it.
		_, _ = k.List(context.WithoutCancel(ctx))
	}
	return err
}

// Delete removes a record; see Store.
func (k *Kernel) Delete(_ context.Context, key tokenkey.Key) error {
	if _, err := k.key().find(); err != nil && !errors.Is(err, ErrNotFound) {
		return k.reading().failed(RemovingToken, err)
	}
	return k.reading().remove(key)
}

// List returns what is stored, and removes what the key does not open; see Store.
func (k *Kernel) List(ctx context.Context) ([]Entry, error) {
	s := k.reading()
	var unopened []string
	list, err := s.list(ctx, func(digest string, _ *UnopenedError) { unopened = append(unopened, digest) })
	if errors.Is(err, ErrNotFound) {
		list = []Entry{}
		unopened, err = s.dir.digests()
		err = s.failed(ListingTokens, err)
	}
	for _, digest := range unopened {
		k.removeLeftover(ctx, digest)
	}
	return list, err
}

// removeLeftover removes a file that the key does not open. It looks again under the lock of
// the record, which it does not wait for: whoever has it may be about to write the file anew.
func (k *Kernel) removeLeftover(ctx context.Context, digest string) {
	lock, err := k.free(digest)
	if err != nil {
		return
	}
	defer func() { _ = lock.Unlock() }()
	s := k.reading()
	id, err := s.identity(ctx)
	if err == nil {
		_, err = s.load(digest, id)
		if _, unopened := errors.AsType[*UnopenedError](err); !unopened {
			return
		}
	}
	if errors.Is(err, ErrNotFound) {
		_ = s.dir.remove(digest)
	}
}

// KernelState is what Inspect tells of a Kernel.
type KernelState struct {
	// Keyring says in which keyring the key is, or would be: "the persistent keyring of uid 1000".
	Keyring string
	// Key reports whether the key is there: it is made when the first token is stored.
	Key bool
	// Left is how long the kernel keeps the key if nobody uses it from now on, rounded down to
	// days, hours, minutes or seconds; 0 where that is not known. Each use makes it three days.
	Left time.Duration
	// Dir is where the sealed files are.
	Dir string
}

// Inspect looks at the key, which uses it, and at nothing else. The error is an *UnusableError; Dir is known
// beside it.
func (k *Kernel) Inspect(ctx context.Context) (KernelState, error) {
	s := k.reading()
	state := KernelState{Dir: s.dir.path}
	err := k.key().inspect(&state)
	if err == nil {
		_, err = s.identity(ctx)
	}
	if errors.Is(err, ErrNotFound) {
		state.Key, err = false, nil
	}
	return state, s.failed("looking at the key", err)
}

// UntilLogout reports whether the files go with the last session of the user: those that are below
// /run/user do.
func (k *Kernel) UntilLogout() bool {
	k.place.Do(k.decide)
	return strings.HasPrefix(k.dir.path, "/run/user/")
}

// Entries returns what List does, and removes nothing.
func (k *Kernel) Entries(ctx context.Context) ([]Entry, error) {
	list, err := k.reading().list(ctx, func(string, *UnopenedError) {})
	if errors.Is(err, ErrNotFound) {
		return []Entry{}, nil
	}
	return list, err
}

// reading is the store of what is there: it makes no key.
func (k *Kernel) reading() sealedStore {
	k.place.Do(k.decide)
	return sealedStore{
		name: k.Name(), dir: sealedDir{k.dir},
		hint: "set XDG_STATE_HOME to a directory that is yours alone, or use --store memory for this call",
		identity: func(context.Context) (*age.X25519Identity, error) {
			return kernelIdentity(k.key().find())
		},
	}
}

// decide chooses the directory.
func (k *Kernel) decide() {
	k.dir = privateDir{k.Dir, writableByOthers, k.Trust}
	if k.Dir != "" {
		k.dir.path += keySpace()
	}
	if localAndWritable(k.dir) {
		return
	}
	if locks, err := k.FileLocks.dir(); err == nil {
		k.dir.path, k.besideOf = filepath.Join(locks, "kernel"+keySpace()), true
	}
}

// makeRoom makes the directory of the locks, as they would, where the files go beside them.
func (k *Kernel) makeRoom() error {
	if !k.besideOf {
		return nil
	}
	return privateDir{filepath.Dir(k.dir.path), usableByOthers, k.Trust}.make()
}

func (k *Kernel) key() kernelKey { return kernelKey{cmp.Or(k.description, "authctl")} }

// kernelIdentity reads the key's payload.
func kernelIdentity(text string, err error) (*age.X25519Identity, error) {
	if err != nil {
		return nil, err
	}
	id, err := age.ParseX25519Identity(text)
	if err != nil {
		// The cause is left out: it may quote what is no identity.
		return nil, &UnusableError{
			Problem: Refused, Err: errors.New("the kernel's key is not one that authctl made"),
			Hint: removeKeyHint,
		}
	}
	return id, nil
}
