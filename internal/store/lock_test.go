package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/tokenkey"
)

// holdLockEnv makes the test binary take the lock of lockKey in the directory it
// names, or in the user's own for "default", print "held" and hold it until its
// standard input ends.
const holdLockEnv = "AUTHCTL_TEST_HOLD_LOCK"

// lockClientEnv is the client id of lockKey in the child.
const lockClientEnv = "AUTHCTL_TEST_LOCK_CLIENT"

func lockKey(client string) tokenkey.Key { return tokenkey.Key{Provider: "test", ClientID: client} }

func childNote() Note {
	return Note{At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Reason: "credentials", Message: "from the child"}
}

func holdLock(dir string) int {
	if dir == "default" {
		dir = ""
	}
	l, err := FileLocks{Dir: dir}.Lock(context.Background(), lockKey(os.Getenv(lockClientEnv)))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if l.Leave(childNote()) != nil || l.Unlock() != nil {
		return 1
	}
	return 0
}

// holder is a child process that holds a lock.
type holder struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

func startHolder(t *testing.T, dir, client string, env ...string) holder {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), holdLockEnv+"="+dir, lockClientEnv+"="+client)
	cmd.Env = append(cmd.Env, env...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "held\n" {
		t.Fatalf("the child said %q: %v", line, err)
	}
	return holder{cmd, stdin}
}

func wantBusy(t *testing.T, locks FileLocks, key tokenkey.Key) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := locks.Lock(ctx, key)
	if e, ok := errors.AsType[*LockError](err); !ok || !e.Busy {
		t.Fatalf("Lock() = %v, want busy", err)
	}
}

func TestLockDiesWithItsHolder(t *testing.T) {
	t.Parallel()
	locks := FileLocks{Dir: filepath.Join(t.TempDir(), "run")}
	child := startHolder(t, locks.Dir, "a")
	wantBusy(t, locks, lockKey("a"))
	if err := child.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	l := mustLock(t, lockOnly{locks}, lockKey("a"))
	if n := l.Note(); n != (Note{}) {
		t.Errorf("a killed holder left the note %+v", n)
	}
	mustUnlock(t, l)
}

// Two homes of one user share one keyring, and so must share the lock.
func TestLockSharedByHomes(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the directory is not found through the home there")
	}
	client := t.Name() + fmt.Sprint(os.Getpid())
	home := t.TempDir()
	startHolder(t, "default", client, "HOME="+home, "XDG_RUNTIME_DIR="+home, "TMPDIR="+home, "USER=someone")
	dir, err := FileLocks{}.dir()
	if err != nil {
		t.Fatal(err)
	}
	stem := filepath.Join(dir, lockKey(client).Digest())
	t.Cleanup(func() { _, _ = os.Remove(stem+".lock"), os.Remove(stem+".note") })
	wantBusy(t, FileLocks{}, lockKey(client))
}

func TestRuntimeDirOverride(t *testing.T) {
	t.Parallel()
	if dir, err := (FileLocks{Dir: "/elsewhere"}).dir(); dir != "/elsewhere" || err != nil {
		t.Errorf("the directory is %q, %v", dir, err)
	}
}

func TestLockDirIsPrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "run")
	l := mustLock(t, lockOnly{FileLocks{Dir: dir}}, lockKey("a"))
	if err := l.Leave(childNote()); err != nil {
		t.Fatal(err)
	}
	mustUnlock(t, l)
	want := map[string]os.FileMode{dir: 0o700}
	stem := filepath.Join(dir, lockKey("a").Digest())
	want[stem+".lock"], want[stem+".note"] = 0o600, 0o600
	for path, mode := range want {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != mode && runtime.GOOS != "windows" {
			t.Errorf("%s has mode %04o, want %04o", path, got, mode)
		}
	}
}

func TestDamagedNote(t *testing.T) {
	t.Parallel()
	locks := FileLocks{Dir: filepath.Join(t.TempDir(), "run")}
	l := mustLock(t, lockOnly{locks}, lockKey("a"))
	defer mustUnlock(t, l)
	for _, text := range []string{"", `{"at":"2026`, `{"at":"x"}`, "\x00"} {
		if err := os.WriteFile(filepath.Join(locks.Dir, lockKey("a").Digest()+".note"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if n := l.Note(); n != (Note{}) {
			t.Errorf("the note %q was read as %+v", text, n)
		}
	}
}

// lockOnly lets the helpers for stores take locks.
type lockOnly struct{ FileLocks }

func (lockOnly) Name() string                                       { return "" }
func (lockOnly) Get(context.Context, tokenkey.Key) (*Record, error) { return nil, ErrNotFound }
func (lockOnly) Put(context.Context, *Record) error                 { return nil }
func (lockOnly) Delete(context.Context, tokenkey.Key) error         { return nil }
func (lockOnly) List(context.Context) ([]Entry, error)              { return nil, nil }

// TestLockFile: one file has one lock, by whatever path it is reached and before it is there.
func TestLockFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "real"), link); err != nil {
		t.Skip(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o700); err != nil {
		t.Fatal(err)
	}
	locks := FileLocks{Dir: filepath.Join(dir, "run")}
	lock, err := locks.LockFile(t.Context(), filepath.Join(link, "new", "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := os.Mkdir(filepath.Join(dir, "real", "new"), 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "real", "new", "config.yaml")
	_, err = locks.LockFile(ended, path)
	if e, ok := errors.AsType[*LockError](err); !ok || !e.Busy || e.Guards != path {
		t.Errorf("the same file by another path: %v, want a busy lock", err)
	}
	other, err := locks.LockFile(ended, path+".other")
	if err != nil {
		t.Fatalf("another file: %v", err)
	}
	_ = other.Unlock()
	if err := lock.Unlock(); err != nil {
		t.Error(err)
	}
	if lock, err = locks.LockFile(ended, path); err != nil {
		t.Fatal(err)
	}
	_ = lock.Unlock()
}
