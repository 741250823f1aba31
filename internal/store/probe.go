package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/tokenkey"
)

// probeLifetime is how long a probe's record counts, should its remover die.
const probeLifetime = time.Minute

// Probe uses a store as a token would: it looks for a record of its own that is
// not there, writes it, reads it back and removes it. It returns how long the
// first look took. Errors are a *UnusableError, or say what the store got wrong.
func Probe(ctx context.Context, s Store, now time.Time) (time.Duration, error) {
	key := probeKey(rand.Text())
	began := time.Now()
	_, err := s.Get(ctx, key)
	took := time.Since(began)
	if !errors.Is(err, ErrNotFound) {
		return took, cmp.Or(err, errors.New("it gives a record that nobody wrote"))
	}
	record := &Record{Key: key, Label: Label{Profile: key.Provider}, Token: oauth.Token{
		AccessToken: secret.New(rand.Text()), RequestedAt: now, Lifetime: probeLifetime,
	}}
	// What was begun is ended, also when the caller gives up.
	defer func() { _ = s.Delete(context.WithoutCancel(ctx), key) }()
	if err := s.Put(ctx, record); err != nil {
		return took, err
	}
	got, err := s.Get(ctx, key)
	if err != nil || !got.Token.AccessToken.Equal(record.Token.AccessToken) {
		return took, cmp.Or(err, errors.New("it gives back something else than was written"))
	}
	if err := s.Delete(ctx, key); err != nil {
		return took, err
	}
	if _, err := s.Get(ctx, key); !errors.Is(err, ErrNotFound) {
		return took, cmp.Or(err, errors.New("it keeps what was removed"))
	}
	return took, nil
}

// probeKey names what no service issues a token for.
func probeKey(client string) tokenkey.Key {
	return tokenkey.Key{
		Provider: "authctl doctor", TokenURL: "about:blank", ClientID: client, Grant: "none", AuthMethod: "none",
	}
}

// Probe takes a lock, tries to take it a second time, which must fail, and gives it
// back. It returns the directory of the locks. The file of the probe's lock stays,
// as all do. Errors are a *LockError.
func (l FileLocks) Probe(ctx context.Context) (string, error) {
	dir, err := l.dir()
	if err != nil {
		return "", &LockError{Path: "of the probe", Err: err}
	}
	key := probeKey("lock")
	held, err := l.Lock(ctx, key)
	if err != nil {
		return dir, err
	}
	defer func() { _ = held.Unlock() }()
	again, err := l.TryLock(ctx, key)
	if busy, ok := errors.AsType[*LockError](err); ok && busy.Busy {
		return dir, nil
	}
	if err == nil {
		_ = again.Unlock()
		err = errors.New("it can be held twice: the file system has no locks between processes")
	}
	return dir, &LockError{Path: filepath.Join(dir, key.Digest()+".lock"), Err: err}
}
