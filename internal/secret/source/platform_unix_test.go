//go:build unix

package source

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
		if _, err := fetch(t, &Fetcher{}, "file:secret", dir); (err == nil) != ok {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if _, err := fetch(t, &Fetcher{}, "file:"+os.DevNull, dir); err == nil {
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
	got, err := fetch(t, &Fetcher{}, "file:pipe", dir)
	if err != nil || !got.Equal(secret.New("fake")) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = (&Fetcher{Env: environment()}).Bind(Need{Profile: "p", Setting: "s", Reference: Reference{Kind: "file", Arg: path}})(ctx)
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
				got, err := fetch(t, &Fetcher{Interactive: interactive}, "cmd:"+tt.line, "")
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
	if _, err := fetch(t, &Fetcher{Stderr: &stderr}, "cmd:echo touch the key >&2; echo fake", ""); err != nil {
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
	_, err := (&Fetcher{Env: environment()}).Bind(Need{Profile: "p", Setting: "s", Reference: Reference{Kind: "cmd", Arg: line}})(ctx)
	if !errors.Is(err, stopped) || !strings.Contains(err.Error(), "the command was stopped") {
		t.Errorf("error %v", err)
	}
	if err := <-dead; err != nil {
		t.Error(err)
	}
}
