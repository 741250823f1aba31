package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/tokenkey"
)

// forgetful is a store with one defect.
type forgetful struct {
	Memory
	defect string
}

func (f *forgetful) Put(ctx context.Context, r *Record) error {
	switch f.defect {
	case "drops":
		return nil
	case "refuses":
		return &UnusableError{Store: "fake", Problem: Refused, Doing: StoringToken, Err: errors.New("no")}
	case "changes":
		other := *r
		other.Token.AccessToken = secret.New("obviously-fake")
		return f.Memory.Put(ctx, &other)
	}
	return f.Memory.Put(ctx, r)
}

func (f *forgetful) Delete(ctx context.Context, key tokenkey.Key) error {
	if f.defect == "keeps" {
		return nil
	}
	return f.Memory.Delete(ctx, key)
}

func TestProbeSeesWhatAStoreGetsWrong(t *testing.T) {
	t.Parallel()
	for defect, want := range map[string]string{
		"": "", "drops": "no such entry", "refuses": "storing the token in the fake store: refused: no",
		"changes": "it gives back something else than was written", "keeps": "it keeps what was removed",
	} {
		s := &forgetful{defect: defect}
		_, err := Probe(t.Context(), s, time.Now())
		if said := errorText(err); said != want {
			t.Errorf("a store that %q: %q, want %q", defect, said, want)
		}
		if left, err := s.List(t.Context()); defect != "keeps" && (len(left) != 0 || err != nil) {
			t.Errorf("a store that %q is left with %d records: %v", defect, len(left), err)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestProbeOfLocks(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	for range 2 {
		if got, err := (FileLocks{Dir: dir}).Probe(t.Context()); got != dir || err != nil {
			t.Fatalf("%s: %v", got, err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("%d files were left (%v), want the lock's only", len(left), err)
	}
	held, err := (FileLocks{Dir: dir}).Lock(t.Context(), probeKey("lock"))
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = FileLocks{Dir: dir}.Probe(ended)
	if busy, ok := errors.AsType[*LockError](err); !ok || !busy.Busy {
		t.Errorf("a lock that another holds: %v", err)
	}
	if err := held.Unlock(); err != nil {
		t.Fatal(err)
	}
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckDir(blocked, files.Trust{}); err == nil || !strings.Contains(err.Error(), "it is not a directory") {
		t.Errorf("a file for a directory: %v", err)
	}
	if err := CheckDir(filepath.Join(dir, "missing"), files.Trust{}); err != nil {
		t.Errorf("a directory that is not there yet: %v", err)
	}
}
