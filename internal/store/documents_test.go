package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/authctl/authctl/internal/files"
)

func newDocuments(t *testing.T) *Documents {
	t.Helper()
	dir := t.TempDir()
	return &Documents{FileLocks: FileLocks{Dir: filepath.Join(dir, "run")}, Dir: filepath.Join(dir, "issuers")}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	d := newDocuments(t)
	const name = "document of https://id.example/a?b"
	if text, err := d.Get(t.Context(), name); text != nil || err != nil {
		t.Errorf("nothing is kept yet: %q, %v", text, err)
	}
	for _, text := range []string{"first", "second"} {
		if err := d.Put(t.Context(), name, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := d.Get(t.Context(), name); string(got) != text || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	apart := *d
	apart.Apart = []string{"ca.pem"}
	for other, from := range map[string]*Documents{name + "/": d, name: &apart} {
		if got, err := from.Get(t.Context(), other); got != nil || err != nil {
			t.Errorf("%s: %q, %v", other, got, err)
		}
	}
	entries, err := os.ReadDir(d.Dir)
	if err != nil || len(entries) != 1 || strings.Contains(entries[0].Name(), "id.example") {
		t.Errorf("%v, %v", entries, err)
	}
	if err := os.WriteFile(d.file(name), make([]byte, maxDocument+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(t.Context(), name); !errors.Is(err, files.ErrTooLong) {
		t.Errorf("too long: %v", err)
	}
}

// TestDocumentsAreLocked has one ask after the other; a lock that is busy is an error, and one that
// cannot be had at all is none.
func TestDocumentsAreLocked(t *testing.T) {
	t.Parallel()
	d := newDocuments(t)
	inside, most := 0, 0
	var mu sync.Mutex
	count := func(by int) {
		mu.Lock()
		defer mu.Unlock()
		inside += by
		most = max(most, inside)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			unlock, err := d.Lock(t.Context(), "a")
			if err != nil {
				t.Error(err)
				return
			}
			count(1)
			count(-1)
			unlock()
		})
	}
	all.Wait()
	if most != 1 {
		t.Errorf("%d held the lock at once", most)
	}
	unlock, err := d.Lock(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := d.Lock(ended, "a"); err == nil {
		t.Error("the lock is had twice")
	} else if e, ok := errors.AsType[*LockError](err); !ok || !e.Busy {
		t.Errorf("busy: %T %v", err, err)
	}
	if other, err := d.Lock(ended, "b"); err != nil {
		t.Errorf("another one's: %v", err)
	} else {
		other()
	}
	d.FileLocks.Dir = filepath.Join(d.Dir, "file")
	if err := errors.Join(os.MkdirAll(d.Dir, 0o700), os.WriteFile(d.FileLocks.Dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if free, err := d.Lock(t.Context(), "a"); err != nil {
		t.Errorf("no lock at all: %v", err)
	} else {
		free()
	}
}
