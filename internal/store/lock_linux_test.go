package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// awaitWaiter returns when somebody waits for the lock on the file at path.
func awaitWaiter(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	inode := fmt.Sprintf(":%d ", info.Sys().(*syscall.Stat_t).Ino)
	for tick := time.Tick(time.Millisecond); ; <-tick {
		text, err := os.ReadFile("/proc/locks")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "->") && strings.Contains(line, inode) {
				return
			}
		}
	}
}

func TestLockBetweenProcesses(t *testing.T) {
	t.Parallel()
	locks := FileLocks{Dir: filepath.Join(t.TempDir(), "run")}
	key := lockKey("a")
	child := startHolder(t, locks.Dir, "a")
	wantBusy(t, locks, key)
	locked := make(chan Lock)
	go func() {
		l, err := locks.Lock(t.Context(), key)
		if err != nil {
			t.Error(err)
		}
		locked <- l
	}()
	awaitWaiter(t, filepath.Join(locks.Dir, key.Digest()+".lock"))
	if err := child.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	l := <-locked
	if diff := cmp.Diff(childNote(), l.Note()); diff != "" {
		t.Errorf("the holder's note (-left +got):\n%s", diff)
	}
	mustUnlock(t, l)
}

func TestLockAfterCleaner(t *testing.T) {
	t.Parallel()
	locks := FileLocks{Dir: filepath.Join(t.TempDir(), "run")}
	first := mustLock(t, lockOnly{locks}, lockKey("a"))
	locked := make(chan Lock)
	go func() {
		l, err := locks.Lock(t.Context(), lockKey("a"))
		if err != nil {
			t.Error(err)
		}
		locked <- l
	}()
	path := filepath.Join(locks.Dir, lockKey("a").Digest()+".lock")
	awaitWaiter(t, path)
	// The other one waits on a file that is no longer there; it must end up with
	// the lock that everybody else sees.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	mustUnlock(t, first)
	second := <-locked
	wantBusy(t, locks, lockKey("a"))
	mustUnlock(t, second)
}
