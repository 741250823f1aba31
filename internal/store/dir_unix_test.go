//go:build unix

package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/files"
)

// unsafeDirs are directories in which somebody else may put files.
func unsafeDirs(t *testing.T) map[string]string {
	t.Helper()
	base := t.TempDir()
	dirs := map[string]string{}
	for _, name := range []string{"target", "group", "all", "foreign"} {
		dirs[name] = filepath.Join(base, name)
		if err := os.Mkdir(dirs[name], 0o700); err != nil {
			t.Fatal(err)
		}
	}
	dirs["link"], dirs["file"] = filepath.Join(base, "link"), filepath.Join(base, "file")
	err := errors.Join(
		os.Symlink(dirs["target"], dirs["link"]),
		os.WriteFile(dirs["file"], nil, 0o600),
		os.Chmod(dirs["group"], 0o770),
		os.Chmod(dirs["all"], 0o777|os.ModeSticky),
	)
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 || os.Chown(dirs["foreign"], 12345, -1) != nil {
		delete(dirs, "foreign")
	}
	delete(dirs, "target")
	return dirs
}

func TestUnsafeDirs(t *testing.T) {
	t.Parallel()
	for name, dir := range unsafeDirs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := FileLocks{Dir: dir}.Lock(t.Context(), lockKey("a"))
			if e, ok := errors.AsType[*LockError](err); !ok || e.Busy || !strings.Contains(err.Error(), dir) {
				t.Errorf("Lock in an unsafe directory = %v, want a LockError that is not busy", err)
			}
			s := &File{Dir: dir, Key: fileKey(t)}
			_, err = s.Get(t.Context(), testRecord(t).Key)
			wantProblem(t, err, Refused)
			wantProblem(t, s.Put(t.Context(), testRecord(t)), Refused)
			wantProblem(t, s.Delete(t.Context(), testRecord(t).Key), Refused)
			_, err = s.List(t.Context())
			wantProblem(t, err, Refused)
		})
	}
}

func TestLockDirReadableByOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := (FileLocks{Dir: dir}).Lock(t.Context(), lockKey("a")); err == nil {
		t.Error("a lock directory that others can enter was used")
	}
}

// TestTakenRuntimeDir is a directory of locks that another user made first, as anybody
// can in /tmp.
func TestTakenRuntimeDir(t *testing.T) {
	t.Parallel()
	for name, dir := range unsafeDirs(t) {
		want := map[string]string{"foreign": "/other", "link": "/other", "file": "/other"}[name]
		if want == "" {
			want = dir // it is ours, and to be mended
		}
		if got := (FileLocks{Fallback: "/other"}).unlessTaken(dir); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if got := (FileLocks{}).unlessTaken(dir); got != dir {
			t.Errorf("%s without a fallback: %s", name, got)
		}
	}
	if got := (FileLocks{Fallback: "/other"}).unlessTaken("/does/not/exist"); got != "/does/not/exist" {
		t.Errorf("one that is not there yet: %s", got)
	}
}

// TestLenientDirs are directories that a pipeline's runner made with umask 0.
func TestLenientDirs(t *testing.T) {
	t.Parallel()
	dirs := unsafeDirs(t)
	for name, dir := range dirs {
		var said []string
		trust := files.Trust{Lenient: true, Warn: func(text string) { said = append(said, text) }}
		s := &File{FileLocks: FileLocks{Dir: dir, Trust: trust}, Dir: dir, Key: fileKey(t)}
		err := s.Put(t.Context(), testRecord(t))
		loose := name == "group" || name == "all"
		if (err == nil) != loose || (len(said) > 0) != loose || loose && !strings.Contains(said[0], "because CI is set: chmod 700 it") {
			t.Errorf("%s: %v, said %q", name, err, said)
		}
		lock, err := s.Lock(t.Context(), lockKey("a"))
		if (err == nil) != loose {
			t.Errorf("%s: Lock: %v", name, err)
		}
		if lock != nil {
			_ = lock.Unlock()
		}
	}
}

// TestForeignHome makes nothing below another user's home, and finds nothing there.
func TestForeignHome(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	if os.Geteuid() != 0 || os.Chown(home, 12345, -1) != nil {
		t.Skip("only root can give directories away")
	}
	s := &File{FileLocks: FileLocks{Trust: files.Trust{Home: home}}, Dir: filepath.Join(home, "a", "tokens"), Key: fileKey(t)}
	r := testRecord(t)
	if _, err := s.Get(t.Context(), r.Key); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get: %v", err)
	}
	err := s.Put(t.Context(), r)
	wantProblem(t, err, Refused)
	if err == nil || !strings.Contains(err.Error(), "uid 12345") || !strings.Contains(err.Error(), "chown -R 12345 ") {
		t.Errorf("Put: %v", err)
	}
	if list, err := s.List(t.Context()); len(list) != 0 || err != nil {
		t.Errorf("List: %v, %v", list, err)
	}
	if err := s.Delete(t.Context(), r.Key); err != nil {
		t.Errorf("Delete: %v", err)
	}
	if left, _ := os.ReadDir(home); len(left) > 0 {
		t.Errorf("made: %v", left)
	}
}

// TestUnsafeDocuments: who can write what an issuer says decides where secrets are sent.
func TestUnsafeDocuments(t *testing.T) {
	t.Parallel()
	for name, dir := range unsafeDirs(t) {
		d := &Documents{Dir: dir}
		text, err := d.Get(t.Context(), "a")
		if text != nil || err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %q, %v", name, text, err)
		}
		if err := d.Put(t.Context(), "a", []byte("fake")); err == nil {
			t.Errorf("%s: written", name)
		}
	}
	d := newDocuments(t)
	if err := d.Put(t.Context(), "a", []byte("fake")); err != nil {
		t.Fatal(err)
	}
	path := d.file("a")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o622); err != nil {
		t.Fatal(err)
	}
	text, err := d.Get(t.Context(), "a")
	if _, ok := errors.AsType[*files.Error](err); !ok || text != nil {
		t.Errorf("writable by others: %q, %v", text, err)
	}
	if err := d.Put(t.Context(), "a", []byte("mended")); err != nil {
		t.Fatal(err)
	}
	if text, err := d.Get(t.Context(), "a"); string(text) != "mended" || err != nil {
		t.Errorf("replaced: %q, %v", text, err)
	}
	if os.Chown(path, 54321, -1) == nil {
		if text, err := d.Get(t.Context(), "a"); text != nil || err == nil {
			t.Errorf("another user's: %q, %v", text, err)
		}
	}
}
