package store

import (
	"context"
	"errors"

	"filippo.io/age"
	"github.com/authctl/authctl/internal/tokenkey"
)

// sealedStore keeps records in sealed files, whose identity is kept elsewhere: by the user
// for File, by the kernel for Kernel.
type sealedStore struct {
	name string
	dir  sealedDir
	// hint is the remedy where the file system refuses.
	hint string
	// identity fetches what opens records; ErrNotFound says that there is nothing to open them with.
	identity func(context.Context) (*age.X25519Identity, error)
}

func (s sealedStore) get(ctx context.Context, key tokenkey.Key) (*Record, error) {
	id, err := s.identity(ctx)
	if err != nil {
		return nil, s.failed(ReadingToken, err)
	}
	r, err := s.load(key.Digest(), id)
	return r, s.failed(ReadingToken, err)
}

func (s sealedStore) load(digest string, id *age.X25519Identity) (*Record, error) {
	plain, err := s.dir.read(digest, id)
	if err != nil {
		return nil, err
	}
	return decodeRecord(plain, digest)
}

// put fetches the identity only for a record that can be stored: fetching it may make it.
func (s sealedStore) put(ctx context.Context, r *Record) error {
	plain, err := EncodeRecord(r)
	if err != nil {
		return err
	}
	id, err := s.identity(ctx)
	if err == nil {
		err = s.dir.write(r.Key.Digest(), id.Recipient(), plain)
	}
	return s.failed(StoringToken, err)
}

func (s sealedStore) remove(key tokenkey.Key) error {
	return s.failed(RemovingToken, s.dir.remove(key.Digest()))
}

// list returns what is stored and can be opened. unopened hears of everything else.
func (s sealedStore) list(ctx context.Context, unopened func(digest string, e *UnopenedError)) ([]Entry, error) {
	id, err := s.identity(ctx)
	var digests []string
	if err == nil {
		digests, err = s.dir.digests()
	}
	if err != nil {
		return nil, s.failed(ListingTokens, err)
	}
	list, err := entries(s.name, digests, func(digest string) (*Record, error) {
		r, err := s.load(digest, id)
		if e, ok := errors.AsType[*UnopenedError](err); ok {
			unopened(digest, e)
		}
		return r, err
	})
	return list, s.failed(ListingTokens, err)
}

func (s sealedStore) failed(doing string, err error) error { return failed(s.name, doing, s.hint, err) }
