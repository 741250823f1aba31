package shared

import (
	"context"
	"errors"

	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/tokenkey"
	"github.com/redis/go-redis/v9"
)

func notYet(doing string) error {
	return &store.UnusableError{Store: Name, Problem: store.Unreachable, Doing: doing, Err: errors.New("not yet")}
}

// Close ends the connections.
func (s *Store) Close() error { return nil }

// Recipient returns the public half of the store key, so that two machines can be compared.
func (s *Store) Recipient(context.Context) (string, error) { return "", notYet("opening the key") }

// Get returns the record of key; see store.Store.
func (s *Store) Get(context.Context, tokenkey.Key) (*store.Record, error) {
	return nil, notYet("reading the token")
}

// Put writes a record; see store.Store. Only the access token is kept.
func (s *Store) Put(context.Context, *store.Record) error { return notYet("storing the token") }

// Delete removes a record; see store.Store.
func (s *Store) Delete(context.Context, tokenkey.Key) error { return notYet("removing the token") }

// List returns what is stored; see store.Store.
func (s *Store) List(context.Context) ([]store.Entry, error) {
	return nil, notYet("listing the tokens")
}

// TryLock takes the lease of key if it is free; see store.Store.
func (s *Store) TryLock(ctx context.Context, key tokenkey.Key) (store.Lock, error) {
	return s.Lock(ctx, key)
}

// Lock takes the lease of key; see store.Store.
func (s *Store) Lock(context.Context, tokenkey.Key) (store.Lock, error) {
	return nil, &store.LockError{Path: "redis", Err: notYet("using the lock")}
}

// Wait waits until nobody holds the lease of key; see store.Store.
func (s *Store) Wait(context.Context, tokenkey.Key) (store.Note, error) {
	return store.Note{}, &store.LockError{Path: "redis", Err: notYet("using the lock")}
}

var _ = redis.Nil
