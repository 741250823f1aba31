package store

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/authctl/authctl/internal/oauth"
)

// Memory keeps records for the life of the process. The zero value is ready to
// use. Its locks exclude the goroutines of this process only.
type Memory struct {
	mu sync.Mutex
	// records holds the stored form, so that what comes back is what every other
	// store would give back, and a caller's later changes do not reach it.
	records map[string][]byte
	queues  map[string]*memoryQueue
}

var _ Store = (*Memory)(nil)

// Name returns "memory".
func (m *Memory) Name() string { return "memory" }

// Get returns the record of key; see Store.
func (m *Memory) Get(_ context.Context, key oauth.Key) (*Record, error) {
	return m.load(key.Digest())
}

func (m *Memory) load(digest string) (*Record, error) {
	m.mu.Lock()
	plain, ok := m.records[digest]
	m.mu.Unlock()
	if !ok {
		return nil, ErrNotFound
	}
	return decodeRecord(plain, digest)
}

// Put writes a record; see Store.
func (m *Memory) Put(_ context.Context, r *Record) error {
	plain, err := encodeRecord(r)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records == nil {
		m.records = make(map[string][]byte)
	}
	m.records[r.Key.Digest()] = plain
	return nil
}

// Delete removes a record; see Store.
func (m *Memory) Delete(_ context.Context, key oauth.Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.records, key.Digest())
	return nil
}

// List returns what is stored; see Store.
func (m *Memory) List(context.Context) ([]Entry, error) {
	m.mu.Lock()
	digests := slices.Collect(maps.Keys(m.records))
	m.mu.Unlock()
	return entries(m.Name(), digests, m.load)
}

// Lock takes the lock of key, waiting until ctx ends; see Store.
func (m *Memory) Lock(ctx context.Context, key oauth.Key) (Lock, error) {
	digest := key.Digest()
	queue := m.queue(digest)
	select {
	case queue.held <- struct{}{}:
		return &memoryLock{queue: queue}, nil
	default:
	}
	select {
	case queue.held <- struct{}{}:
		return &memoryLock{queue: queue, waited: true}, nil
	case <-ctx.Done():
		return nil, &LockError{Busy: true, Path: "memory:" + digest, Err: context.Cause(ctx)}
	}
}

func (m *Memory) queue(digest string) *memoryQueue {
	m.mu.Lock()
	defer m.mu.Unlock()
	q := m.queues[digest]
	if q == nil {
		if m.queues == nil {
			m.queues = make(map[string]*memoryQueue)
		}
		q = &memoryQueue{held: make(chan struct{}, 1)}
		m.queues[digest] = q
	}
	return q
}

// memoryQueue is the lock of a key: whoever could put a value into held has it, and
// note is the holder's.
type memoryQueue struct {
	held chan struct{}
	note Note
}

type memoryLock struct {
	queue  *memoryQueue
	waited bool
}

func (l *memoryLock) Waited() bool { return l.waited }

func (l *memoryLock) Note() Note { return l.queue.note }

func (l *memoryLock) Leave(n Note) error {
	l.queue.note = n
	return nil
}

func (l *memoryLock) Unlock() error {
	<-l.queue.held
	return nil
}
