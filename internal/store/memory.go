package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/authctl/authctl/internal/tokenkey"
)

// Memory keeps records for the life of the process. The zero value is ready to
// use. Its locks exclude the goroutines of this process only.
type Memory struct {
	// records holds the stored form ([]byte) by digest, so that what comes back is what every
	// other store would give back, and a caller's later changes do not reach it.
	records sync.Map
	// locks has whoever took the note out of its key's channel (chan Note).
	locks sync.Map
}

var _ Store = (*Memory)(nil)

// Name returns "memory".
func (m *Memory) Name() string { return "memory" }

// Get returns the record of key; see Store.
func (m *Memory) Get(_ context.Context, key tokenkey.Key) (*Record, error) {
	return m.load(key.Digest())
}

func (m *Memory) load(digest string) (*Record, error) {
	kept, _ := m.records.Load(digest)
	plain, ok := kept.([]byte)
	if !ok {
		return nil, ErrNotFound
	}
	return decodeRecord(plain, digest)
}

// Put writes a record; see Store.
func (m *Memory) Put(_ context.Context, r *Record) error {
	plain, err := EncodeRecord(r)
	if err == nil {
		m.records.Store(r.Key.Digest(), plain)
	}
	return err
}

// Delete removes a record; see Store.
func (m *Memory) Delete(_ context.Context, key tokenkey.Key) error {
	m.records.Delete(key.Digest())
	return nil
}

// List returns what is stored; see Store.
func (m *Memory) List(context.Context) ([]Entry, error) {
	var digests []string
	m.records.Range(func(digest, _ any) bool {
		digests = append(digests, fmt.Sprint(digest))
		return true
	})
	return entries(m.Name(), digests, m.load)
}

// Shared reports false: nobody else sees it.
func (m *Memory) Shared() bool { return false }

// TryLock takes the lock of key if it is free; see Store.
func (m *Memory) TryLock(_ context.Context, key tokenkey.Key) (Lock, error) {
	digest := key.Digest()
	free := m.free(digest)
	select {
	case note := <-free:
		return &memoryLock{free, note}, nil
	default:
		return nil, &LockError{Busy: true, Path: "memory:" + digest, Err: errors.New("it is held")}
	}
}

// Lock takes the lock of key, waiting until ctx ends; see Store.
func (m *Memory) Lock(ctx context.Context, key tokenkey.Key) (Lock, error) {
	digest := key.Digest()
	free := m.free(digest)
	select {
	case note := <-free:
		return &memoryLock{free, note}, nil
	case <-ctx.Done():
		return nil, &LockError{Busy: true, Path: "memory:" + digest, Err: context.Cause(ctx)}
	}
}

// Wait waits until nobody holds the lock of key; see Store.
func (m *Memory) Wait(ctx context.Context, key tokenkey.Key) (Note, error) {
	lock, err := m.Lock(ctx, key)
	if err != nil {
		return Note{}, err
	}
	return lock.Note(), lock.Unlock()
}

// free is where the note of a key's last holder is while nobody holds the lock.
func (m *Memory) free(digest string) chan Note {
	fresh := make(chan Note, 1)
	fresh <- Note{}
	held, _ := m.locks.LoadOrStore(digest, fresh)
	free, _ := held.(chan Note)
	return free
}

type memoryLock struct {
	free chan<- Note
	note Note
}

func (l *memoryLock) Note() Note { return l.note }

func (l *memoryLock) Leave(n Note) error {
	l.note = n
	return nil
}

func (l *memoryLock) Unlock() error {
	l.free <- l.note
	return nil
}
