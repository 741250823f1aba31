//go:build unix

package config

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/secret"
)

func TestUnsafeConfig(t *testing.T) {
	t.Parallel()
	path := writeFile(t, two)
	modes := map[os.FileMode]string{0o600: "", 0o664: "", 0o444: "", 0o666: "can be written by others (mode 0666)", 0o602: "can be written by others (mode 0602)"}
	for mode, want := range modes {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Load(Options{Path: path, LookupEnv: environment()})
		e, _ := errors.AsType[*Error](err)
		if want == "" && err != nil || want != "" && (e == nil || e.Problem != want) {
			t.Errorf("mode %o: %v, want %q", mode, err, want)
		}
		if err := at(path).SetDefault("engage"); (err == nil) != (want == "") && !errors.Is(err, os.ErrPermission) {
			t.Errorf("mode %o: editing: %v", mode, err)
		}
	}
}

func TestConfigOfAnotherUser(t *testing.T) {
	t.Parallel()
	path := writeFile(t, two)
	if err := os.Chown(path, 4242, -1); err != nil {
		t.Skip("only root can give files away")
	}
	_, err := Load(Options{Path: path, LookupEnv: environment()})
	if e, ok := errors.AsType[*Error](err); !ok || e.Problem != "belongs to another user (uid 4242)" {
		t.Errorf("error %v", err)
	}
}

func TestNoConfigDevice(t *testing.T) {
	t.Parallel()
	f, err := Load(Options{Path: os.DevNull, LookupEnv: environment()})
	if err != nil {
		t.Fatal(err)
	}
	if names, err := f.Names(); len(names) != 0 || err != nil {
		t.Errorf("%v %v", names, err)
	}
}

func TestSecretFileOfOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "secret")
	if err := os.WriteFile(path, []byte("fake"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, ok := range map[os.FileMode]bool{0o400: true, 0o644: true, 0o666: false, 0o602: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := fetch(t, Resolver{}, "file:secret", dir); (err == nil) != ok {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if _, err := fetch(t, Resolver{}, "file:"+os.DevNull, dir); err == nil {
		t.Error("a device passes")
	}
}

// TestSecretPipe reads a named pipe as process substitution makes them, and
// gives up on one that nobody writes to.
func TestSecretPipe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() { _ = os.WriteFile(path, []byte("fake\n"), 0o600) }()
	got, err := fetch(t, Resolver{}, "file:pipe", dir)
	if err != nil || !got.Equal(secret.New("fake")) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = newResolver(Resolver{}, environment()).bind("p", "s", reference{kind: "file", arg: path})(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a silent pipe: %v", err)
	}
	// Lets the abandoned reader go, which is waiting for a writer.
	if w, err := os.OpenFile(path, os.O_RDWR, 0); err == nil {
		defer w.Close()
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ line, want, err string }{
		"answer":         {"echo fake", "fake", ""},
		"pipeline":       {"printf 'a\\nfake\\n' | tail -n 1", "fake", ""},
		"no stdin":       {"cat; echo fake", "fake", ""},
		"several lines":  {"printf 'a\\nb\\n\\n'", "a\nb", ""},
		"status":         {"echo leaked-fake; echo also-fake >&2; exit 3", "", "profile p: client_secret from cmd:echo …: the command ended with exit status 3"},
		"not found":      {"/does/not/exist", "", "profile p: client_secret from cmd:/does/not/exist: the command ended with exit status 127"},
		"signal":         {"kill -9 $$", "", "profile p: client_secret from cmd:kill …: the command ended with signal: killed"},
		"nothing":        {"true", "", "profile p: client_secret from cmd:true: it is empty"},
		"endless":        {"yes", "", "profile p: client_secret from cmd:yes: it wrote more than 1048576 bytes"},
		"left behind":    {"echo fake; sleep 10 &", "", "profile p: client_secret from cmd:echo …: a process that the command left behind keeps its output open"},
		"own background": {"sleep 60 >/dev/null 2>&1 & echo fake; kill $!", "fake", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, interactive := range []bool{false, true} {
				got, err := fetch(t, Resolver{Interactive: interactive}, "cmd:"+tt.line, "")
				if err != nil || tt.err != "" {
					if err == nil || err.Error() != tt.err {
						t.Errorf("error %v\nwant  %s", err, tt.err)
					}
				} else if !got.Equal(secret.New(tt.want)) {
					t.Errorf("not %q", tt.want)
				}
			}
		})
	}
}

func TestCommandStderr(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	if _, err := fetch(t, Resolver{Stderr: &stderr}, "cmd:echo touch the key >&2; echo fake", ""); err != nil {
		t.Fatal(err)
	}
	if stderr.String() != "touch the key\n" {
		t.Errorf("stderr %q", stderr.String())
	}
}

// TestCommandIsKilled ends a command whose grandchild holds a named pipe open: the
// pipe is at its end only when the grandchild is dead too.
func TestCommandIsKilled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "alive")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped by the test")
	dead := make(chan error, 1)
	go func() {
		in, err := os.Open(path)
		if err == nil {
			defer in.Close()
			_, err = io.ReadFull(in, make([]byte, 2))
		}
		cancel(stopped)
		if err == nil {
			_, err = io.ReadAll(in)
		}
		dead <- err
	}()
	line := "sh -c 'echo x; exec sleep 600' >" + strconv.Quote(path) + " & wait"
	_, err := newResolver(Resolver{}, environment()).bind("p", "s", reference{kind: "cmd", arg: line})(ctx)
	if !errors.Is(err, stopped) || !strings.Contains(err.Error(), "the command was stopped") {
		t.Errorf("error %v", err)
	}
	if err := <-dead; err != nil {
		t.Error(err)
	}
}

func TestEditKeepsModeAndLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target, link := filepath.Join(dir, "dotfiles.yaml"), filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(target, []byte(two), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("dotfiles.yaml", link); err != nil {
		t.Fatal(err)
	}
	if err := at(link).SetDefault("engage"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	info, err := os.Stat(target)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".config-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.Remove(target); err != nil {
		t.Fatal(err)
	}
	err = at(link).AddProfile("p", []KeyValue{{Key: "provider", Text: "pexip"}})
	if e, ok := errors.AsType[*Error](err); !ok || e.Problem != "is a link to a file that does not exist" {
		t.Errorf("a dangling link: %v", err)
	}
}

func TestEditMakesTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "authctl", "config.yaml")
	if err := at(path).AddProfile("p", []KeyValue{{Key: "provider", Text: "pexip"}}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "profiles:\n  p:\n    provider: pexip\n" {
		t.Errorf("%q, %v", text, err)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
}
