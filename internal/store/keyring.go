package store

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"filippo.io/age"
	"github.com/authctl/authctl/internal/tokenkey"
)

// Keyring keeps records in the OS keyring: the Secret Service on Linux and BSD
// (https://specifications.freedesktop.org/secret-service/), the login keychain on
// macOS, the Credential Manager on Windows. The zero value works, without a
// listing and without room for records that are too big for one entry.
//
// Reading a record is one call to the keyring and touches no file.
type Keyring struct {
	FileLocks
	// Timeout bounds each call; 0 means 3 seconds. Where a person can answer the
	// keyring's prompt it may be longer. After one call that ran into it all
	// others fail at once.
	Timeout time.Duration
	// NeverAsk has calls fail as Locked where a Secret Service would ask a person to
	// unlock a collection.
	NeverAsk bool
	// MaxRecord is the biggest record in bytes that goes into the keyring itself;
	// 0 means the system's limit. A bigger one is sealed with age in a file of
	// StateDir, and the keyring holds that file's key.
	MaxRecord int
	// StateDir holds sealed, the records too big for the keyring, and on macOS and Windows
	// index/keyring, the names of the records in it, for only a Secret Service can be
	// searched. It is created with mode 0700. Empty means none of the two.
	StateDir string
	// Warn is told, in one line, what is no failure of a call, such as an index that
	// could not be written; nil means nobody is.
	Warn func(message string)
	// Explain is told, in one line, what was decided in a call, such as which of two
	// entries was read; nil means nobody is.
	Explain func(message string)

	// backend is the system's keyring unless it is set before the first call.
	backend backend
	opening sync.Once
	// silent is why no answer is to be expected any more (an error).
	silent atomic.Value
}

var _ Store = (*Keyring)(nil)

// Name returns "keyring".
func (k *Keyring) Name() string { return "keyring" }

// Get returns the record of key; see Store.
func (k *Keyring) Get(ctx context.Context, key tokenkey.Key) (*Record, error) {
	digest := key.Digest()
	entry, err := k.get(ctx, digest)
	if err != nil {
		return nil, k.failed(ReadingToken, err)
	}
	r, err := k.decode(digest, entry)
	return r, k.failed(ReadingToken, err)
}

// decode reads an entry: the record, or the key of the sealed file that holds it.
func (k *Keyring) decode(digest, entry string) (*Record, error) {
	id, sealed := parseSealedEntry(entry)
	if !sealed {
		return decodeRecord([]byte(entry), digest)
	}
	plain, err := k.sealed().read(digest, id)
	if errors.Is(err, ErrNotFound) {
		return nil, notFound("the record's sealed file is missing or not the one the keyring has the key of")
	}
	if err != nil {
		return nil, err
	}
	return decodeRecord(plain, digest)
}

// Put writes a record; see Store.
func (k *Keyring) Put(ctx context.Context, r *Record) error {
	digest := r.Key.Digest()
	plain, err := EncodeRecord(r)
	if err != nil {
		return err
	}
	entry, big := string(plain), k.Limit() > 0 && len(plain) > k.Limit()
	if big {
		if entry, err = k.seal(digest, plain); err != nil {
			return k.failed(StoringToken, err)
		}
	}
	err = k.put(ctx, r, digest, entry)
	// A sealed file stays only with an entry that has its key.
	if !big || err != nil {
		k.unseal(digest)
	}
	return k.failed(StoringToken, err)
}

// put writes an entry and looks at what the keyring has then.
func (k *Keyring) put(ctx context.Context, r *Record, digest, entry string) error {
	got, err := k.set(ctx, digest, entry)
	if err != nil || got == entry {
		return err
	}
	// A younger record is another process's, written just now: it will do.
	if other, err := k.decode(digest, got); err == nil &&
		other.Token.RequestedAt.UnixMilli() >= r.Token.RequestedAt.UnixMilli() {
		return nil
	}
	return unusable(Locked, errNotKept)
}

// Delete removes a record; see Store.
func (k *Keyring) Delete(ctx context.Context, key tokenkey.Key) error {
	digest := key.Digest()
	if err := k.remove(ctx, digest); err != nil {
		return k.failed(RemovingToken, err)
	}
	k.unseal(digest)
	return nil
}

// List returns what is stored; see Store. It reads every record.
func (k *Keyring) List(ctx context.Context) ([]Entry, error) {
	found, err := call(ctx, k, func(ctx context.Context, b backend) (map[string]string, error) { return b.list(ctx) })
	if err != nil {
		return nil, k.failed(ListingTokens, err)
	}
	list, err := entries(k.Name(), slices.Collect(maps.Keys(found)), func(digest string) (*Record, error) {
		return k.decode(digest, found[digest])
	})
	return list, k.failed(ListingTokens, err)
}

func (k *Keyring) failed(doing string, err error) error { return failed(k.Name(), doing, "", err) }

// Limit is the biggest record in bytes that one entry of the keyring holds, 0 when
// there is no limit.
func (k *Keyring) Limit() int { return cmp.Or(k.MaxRecord, systemMaxRecord) }

// IndexDir is where the names of the records are, empty without a StateDir. None are kept
// where the keyring itself can be searched.
func (k *Keyring) IndexDir() (path string, kept bool) { return k.index().path, systemIndexed }

func (k *Keyring) index() index { return index{k.dir("index", k.Name())} }

func (k *Keyring) sealed() sealedDir { return sealedDir{k.dir("sealed")} }

// dir is a directory below StateDir, one without a path when there is none.
func (k *Keyring) dir(names ...string) privateDir {
	if k.StateDir == "" {
		return privateDir{}
	}
	return privateDir{filepath.Join(k.StateDir, filepath.Join(names...)), writableByOthers, k.Trust}
}

func (k *Keyring) warnOfIndex(err error) { k.warn("writing the index of the keyring", err) }

// warn tells of a failure that leaves the record itself in order.
func (k *Keyring) warn(doing string, err error) {
	if err != nil && k.Warn != nil {
		k.Warn(doing + ": " + err.Error())
	}
}

// The entry of a record that is too big for the keyring, around its file's key.
const (
	sealedEntryStart = `{"v":1,"sealed":"`
	sealedEntryEnd   = `"}`
)

// seal writes plain to a sealed file and returns the entry with its key. Every file
// has a key of its own, so that an old file cannot pass for a new one.
func (k *Keyring) seal(digest string, plain []byte) (string, error) {
	if k.StateDir == "" {
		return "", errTooBig
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", err
	}
	if err := k.sealed().write(digest, id.Recipient(), plain); err != nil {
		return "", err
	}
	return sealedEntryStart + id.String() + sealedEntryEnd, nil
}

func (k *Keyring) unseal(digest string) { k.warn("removing a sealed file", k.sealed().remove(digest)) }

func parseSealedEntry(entry string) (*age.X25519Identity, bool) {
	rest, ok := strings.CutPrefix(entry, sealedEntryStart)
	if !ok {
		return nil, false
	}
	id, err := age.ParseX25519Identity(strings.TrimSuffix(rest, sealedEntryEnd))
	return id, err == nil
}
