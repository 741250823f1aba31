package store

import (
	"cmp"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// What the stores say they were doing, in their errors.
const (
	ReadingToken  = "reading the token"
	StoringToken  = "storing the token"
	RemovingToken = "removing the token"
	ListingTokens = "listing the tokens"
)

// entries loads the records of digests and returns what a listing shows of them,
// sorted by profile and key. Records that are gone or damaged are left out.
func entries(store string, digests []string, load func(digest string) (*Record, error)) ([]Entry, error) {
	list := make([]Entry, 0, len(digests))
	for _, digest := range digests {
		r, err := load(digest)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, r.Entry(store))
	}
	SortEntries(list)
	return list, nil
}

// Entry returns what a listing shows of a record in a store.
func (r *Record) Entry(store string) Entry {
	return Entry{
		Key:         r.Key,
		Label:       r.Label,
		Scope:       r.Token.Scope,
		IssuedAt:    r.Token.RequestedAt,
		Expiry:      r.Token.Expiry(),
		Refreshable: !r.Token.RefreshToken.IsZero(),
		Store:       store,

		LifetimeAssumed: r.Token.LifetimeAssumed,
	}
}

// SortEntries sorts by profile and key.
func SortEntries(list []Entry) {
	slices.SortFunc(list, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Profile, b.Profile), cmp.Compare(a.Key.Text(), b.Key.Text()))
	})
}

// index remembers which records a keyring holds, for keyrings cannot be
// enumerated. It is a directory with one empty file per record, named by the
// key's digest: the record itself says all that a listing shows, so a second copy
// on disk could only be wrong or tell too much. One file per key needs no lock.
// The index without a path remembers nothing.
type index struct{ privateDir }

// add remembers a record.
func (x index) add(digest string) error {
	if x.path == "" {
		return nil
	}
	if err := x.foreign(); err != nil {
		return err
	}
	path := filepath.Join(x.path, digest)
	err := create(path, "")
	if errors.Is(err, fs.ErrNotExist) {
		if err = x.make(); err == nil {
			err = create(path, "")
		}
	}
	if errors.Is(err, fs.ErrExist) {
		// It stands for ours, whatever it is: it is never read.
		return nil
	}
	return err
}

// create makes a file of mode 0600, where there is none yet, and sees to it that its text
// stays.
func create(path, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if text != "" {
		_, err = f.WriteString(text)
		err = cmp.Or(err, f.Sync())
	}
	return cmp.Or(err, f.Close())
}

// remove forgets a record.
func (x index) remove(digest string) error {
	if x.none() {
		return nil
	}
	return removeFile(filepath.Join(x.path, digest))
}

// digests returns what is remembered.
func (x index) digests() ([]string, error) {
	if x.none() {
		return nil, nil
	}
	return digestsIn(x.path, "")
}

// digestsIn returns the digests that files in dir are named by, before suffix. A
// missing dir has none.
func digestsIn(dir, suffix string) ([]string, error) {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var digests []string
	for _, f := range files {
		if digest, ok := strings.CutSuffix(f.Name(), suffix); ok && isDigest(digest) {
			digests = append(digests, digest)
		}
	}
	return digests, nil
}

// digestLen is the length of oauth.Key.Digest.
const digestLen = 64

// isDigest reports whether s could be a digest, in either case.
func isDigest(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == digestLen
}

// removeFile removes a file; it is no error when there is none.
func removeFile(path string) error { return unlessMissing(os.Remove(path)) }

func unlessMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
