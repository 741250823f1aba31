package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/tokenkey"
	"github.com/google/go-cmp/cmp"
)

func testLockExcludes(t *testing.T, s store.Store) {
	var inside atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			l, err := s.Lock(t.Context(), Record(t).Key)
			if err != nil {
				t.Errorf("Lock: %v", err)
				return
			}
			if n := inside.Add(1); n != 1 {
				t.Errorf("%d hold the lock", n)
			}
			inside.Add(-1)
			if err := l.Unlock(); err != nil {
				t.Errorf("Unlock: %v", err)
			}
		})
	}
	group.Wait()
}

func testLockBusy(t *testing.T, s store.Store) {
	r := Record(t)
	held := mustLock(t, s, r.Key)
	if _, err := s.TryLock(t.Context(), r.Key); !isBusy(err) {
		t.Errorf("TryLock of a held lock = %v, want busy", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := s.Lock(ctx, r.Key)
	if e, ok := errors.AsType[*store.LockError](err); !ok || !e.Busy || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Lock of a held lock = %v, want busy", err)
	}
	if _, err := s.Wait(ctx, r.Key); !isBusy(err) {
		t.Errorf("Wait for a held lock = %v, want busy", err)
	}
	other := r.Key
	other.ClientID += "/other"
	mustUnlock(t, mustLock(t, s, other))
	mustUnlock(t, held)
	// The one who gave up must not keep what it gets too late.
	mustUnlock(t, mustLock(t, s, r.Key))
	// That one may have it for a moment yet: of the other key's nobody has given up the wait.
	free, err := s.TryLock(t.Context(), other)
	if err != nil {
		t.Fatalf("TryLock of a free lock: %v", err)
	}
	mustUnlock(t, free)
}

func isBusy(err error) bool {
	e, ok := errors.AsType[*store.LockError](err)
	return ok && e.Busy
}

func testWait(t *testing.T, s store.Store) {
	key := Record(t).Key
	if note, err := s.Wait(t.Context(), key); err != nil || note != (store.Note{}) {
		t.Errorf("Wait for a free lock = %+v, %v", note, err)
	}
	held := mustLock(t, s, key)
	want := store.Note{At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Reason: "credentials", Message: "no"}
	if err := held.Leave(want); err != nil {
		t.Fatal(err)
	}
	heard := make(chan store.Note)
	for range 3 {
		go func() {
			note, err := s.Wait(t.Context(), key)
			if err != nil {
				t.Errorf("Wait: %v", err)
			}
			heard <- note
		}()
	}
	select {
	case <-heard:
		t.Error("Wait returned while the lock was held")
	case <-time.After(20 * time.Millisecond):
	}
	mustUnlock(t, held)
	for range 3 {
		if diff := cmp.Diff(want, <-heard); diff != "" {
			t.Errorf("the note of those who waited (-left +got):\n%s", diff)
		}
	}
	mustUnlock(t, mustLock(t, s, key))
}

func testNotes(t *testing.T, s store.Store) {
	key := Record(t).Key
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	for _, want := range []store.Note{
		{},
		{At: at, NotBefore: at.Add(time.Minute), Reason: "credentials", Message: "no", Hint: "look"},
		{At: at, Reason: "temporary", Message: "later"},
		{},
	} {
		l := mustLock(t, s, key)
		if err := l.Leave(want); err != nil {
			t.Fatal(err)
		}
		mustUnlock(t, l)
		l = mustLock(t, s, key)
		if diff := cmp.Diff(want, l.Note()); diff != "" {
			t.Errorf("the next holder's note (-left +got):\n%s", diff)
		}
		mustUnlock(t, l)
	}
}

func mustLock(t *testing.T, s store.Store, key tokenkey.Key) store.Lock {
	t.Helper()
	l, err := s.Lock(t.Context(), key)
	if err != nil {
		t.Fatalf("Lock: %v", err)
	}
	return l
}

func mustUnlock(t *testing.T, l store.Lock) {
	t.Helper()
	if err := l.Unlock(); err != nil {
		t.Fatalf("Unlock: %v", err)
	}
}
