//go:build unix

package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
