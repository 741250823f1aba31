//go:build unix

package files

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// foreign is the number of a user that is not there.
const foreign = 54321

func make1(t *testing.T, name string, mode os.FileMode, owner int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := errors.Join(os.WriteFile(path, []byte("fake"), 0o600), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
	if owner != 0 && os.Chown(path, owner, -1) != nil {
		t.Skip("only root can give files away")
	}
	return path
}

// TestOwnerAndMode is the one rule for files with secrets, certificates and the
// configuration.
func TestOwnerAndMode(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		mode    os.FileMode
		owner   int
		rule    Rule
		problem string
		warning string
	}{
		"private":                {0o600, 0, Rule{Secret: true}, "", ""},
		"readable":               {0o644, 0, Rule{}, "", ""},
		"readable secret":        {0o644, 0, Rule{Secret: true}, "", "other users can read the secret in PATH (mode 0644): chmod 600 it"},
		"writable":               {0o666, 0, Rule{Secret: true}, "can be written by others (mode 0666)", ""},
		"writable in a pipeline": {0o666, 0, Rule{Secret: true, Trust: Trust{Lenient: true}}, "", "PATH can be written by others (mode 0666), which is let pass because CI is set: chmod 600 it"},
		"own group":              {0o660, 0, Rule{Secret: true}, "", ""},
		"foreign":                {0o600, foreign, Rule{}, "belongs to another user (uid 54321)", ""},
		"foreign in a pipeline":  {0o666, foreign, Rule{Trust: Trust{Lenient: true}}, "belongs to another user (uid 54321)", ""},
		"anybody's":              {0o666, foreign, Rule{Anybodys: true}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, warned := make1(t, "file", tt.mode, tt.owner), ""
			tt.rule.Limit, tt.rule.Warn = 100, func(text string) { warned += text }
			text, err := Read(t.Context(), path, tt.rule)
			unsafe, _ := errors.AsType[*Error](err)
			switch {
			case tt.problem == "" && (err != nil || string(text) != "fake"):
				t.Errorf("%q, %v", text, err)
			case tt.problem != "" && (unsafe == nil || unsafe.Problem != tt.problem || unsafe.Remedy == ""):
				t.Errorf("%v", err)
			}
			if got := strings.ReplaceAll(warned, path, "PATH"); got != tt.warning {
				t.Errorf("warned %q", got)
			}
		})
	}
}

// TestNotRegular opens nothing that it would wait for.
func TestNotRegular(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(fifo, link); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		fifo: "is not a regular file", link: "is not a regular file", dir: "is a directory", os.DevNull: "is not a regular file",
	} {
		_, err := Read(t.Context(), path, Rule{Limit: 10})
		if unsafe, ok := errors.AsType[*Error](err); !ok || unsafe.Problem != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	if text, err := Read(t.Context(), os.DevNull, Rule{Limit: 10, Device: true}); len(text) != 0 || err != nil {
		t.Errorf("no configuration: %q, %v", text, err)
	}
	if err := Overwrite(fifo, nil); err == nil {
		t.Error("a pipe is written")
	}
	if _, err := Read(t.Context(), filepath.Join(dir, "missing"), Rule{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestPipe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ended, path, Rule{Limit: 10, Pipe: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody writes: %v", err)
	}
	// Lets the abandoned reader go.
	w, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	other := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(other, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() { _ = os.WriteFile(other, []byte("fake"), 0o600) }()
	if text, err := Read(t.Context(), other, Rule{Limit: 10, Pipe: true}); string(text) != "fake" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

// TestForeignHome is a sudo that keeps HOME.
func TestForeignHome(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	if err := os.Chown(home, foreign, -1); err != nil {
		t.Skip("only root can give directories away")
	}
	elsewhere := t.TempDir()
	link := filepath.Join(elsewhere, "link")
	if err := os.Symlink(home, link); err != nil {
		t.Fatal(err)
	}
	for path, refused := range map[string]bool{
		filepath.Join(home, "a", "b"): true, home: true, filepath.Join(link, "a"): true,
		filepath.Join(elsewhere, "a"): false, home + "-other": false,
	} {
		err := Trust{Home: home}.CheckHome(path)
		if unsafe, ok := errors.AsType[*Error](err); ok != refused ||
			ok && (!strings.Contains(unsafe.Problem, "uid 54321") || !strings.Contains(unsafe.Remedy, "chown -R 54321 ")) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := (Trust{Home: home}).MakeDir(filepath.Join(home, "a")); err == nil {
		t.Error("a directory is made")
	}
	if entries, _ := os.ReadDir(home); len(entries) > 0 {
		t.Errorf("made: %v", entries)
	}
}

func TestTempDir(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"": "/tmp", "relative": "/tmp", "./x": "/tmp", "/var/x": "/var/x"} {
		if got := Environ(func(string) (string, bool) { return value, true }).TempDir(); got != want {
			t.Errorf("%q: %s", value, got)
		}
	}
}
