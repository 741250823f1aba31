package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secretservicetest"
	"github.com/authctl/authctl/internal/testneed"
)

// TestKeyringHoldsEachToken: one request for each profile, the second call is served from the keyring, and the token
// is found there by another program and nowhere on disk.
func TestKeyringHoldsEachToken(t *testing.T) {
	t.Parallel()
	tool := testneed.Program(t, "secret-tool")
	p := newPlace(t)
	session := p.keyringStore()
	// auto, which is the keyring where there is one
	p.set("AUTHCTL_STORE=", "SSL_CERT_FILE="+p.path("config.secrets/ca.pem"))
	tokens := map[string]string{}
	for _, profile := range p.server.Profiles() {
		if oauth.Grant(profile.Text["grant"]).NeedsPerson() {
			continue // login_linux_test.go, device_linux_test.go
		}
		before := p.asked()
		first := p.run("token", "get", profile.Name)
		asked := p.asked()
		second := p.run("token", "get", profile.Name)
		tokens[profile.Name] = wantTokens(t, []outcome{first, second})
		p.wantRequests(max(asked, before+1), asked)
	}
	search := exec.CommandContext(t.Context(), tool, "search", "--all", "service", "authctl")
	search.Env = p.env
	found, err := search.CombinedOutput()
	if err != nil {
		t.Fatalf("secret-tool: %v", err)
	}
	for profile, token := range tokens {
		if n := bytes.Count(found, []byte(token)); n != 1 {
			t.Errorf("secret-tool finds the token of %s %d times, want once", profile, n)
		}
	}
	if n := bytes.Count(found, []byte("secret = ")); n != len(tokens) {
		t.Errorf("secret-tool finds %d entries, want %d", n, len(tokens))
	}
	// The files of the keyring itself are among those that are searched.
	if kept, err := filepath.Glob(filepath.Join(session.KeyringDir(), "*.keyring")); err != nil || len(kept) == 0 {
		t.Errorf("the keyring has no file (%v): nothing has been tested", err)
	}
	p.wantCleanDisk(p.dir, session.Home())
}

// breakage is a way in which there is no usable keyring.
type breakage struct {
	name string
	// arrange returns the environment in which it is so.
	arrange func(t *testing.T, p *place) []string
}

func breakages() []breakage {
	bus := func(path string) []string { return []string{"DBUS_SESSION_BUS_ADDRESS=unix:path=" + path} }
	return []breakage{
		{"no session bus", func(t *testing.T, _ *place) []string {
			withoutUserBus(t)
			return nil
		}},
		{"no session bus but a way to start one", func(t *testing.T, _ *place) []string {
			withoutUserBus(t)
			return []string{"DBUS_SESSION_BUS_ADDRESS=autolaunch:", "DISPLAY=:97"}
		}},
		{"dead bus socket", func(t *testing.T, _ *place) []string {
			path, l := listen(t)
			l.SetUnlinkOnClose(false)
			_ = l.Close()
			return bus(path)
		}},
		{"silent bus socket", func(t *testing.T, _ *place) []string {
			path, l := listen(t)
			go func() {
				for {
					// Held open and never answered, until the test ends.
					conn, err := l.Accept()
					if err != nil {
						return
					}
					t.Cleanup(func() { _ = conn.Close() })
				}
			}()
			return bus(path)
		}},
		{"bus without a Secret Service", func(t *testing.T, _ *place) []string {
			return secretservicetest.StartBus(t).Env()
		}},
		{"no collection", func(t *testing.T, _ *place) []string {
			return secretservicetest.StartEmpty(t).Env()
		}},
		{"locked collection", func(t *testing.T, _ *place) []string {
			return secretservicetest.StartLocked(t).Env()
		}},
	}
}

func TestKeyringThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for _, b := range breakages() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			launched := recordLaunches(t, p)
			mark := "TEST_MARK=" + p.dir
			p.set(append(b.arrange(t, p), mark)...)

			o := p.refused("token", "get", "pexip", "--store", "auto")
			token := strings.TrimSuffix(o.stdout, "\n")
			if o.code != 0 || !slices.Contains(p.server.IssuedSecrets(), token) {
				t.Errorf("auto: exit code %d, %d bytes on stdout; want 0 and a token", o.code, len(o.stdout))
			}
			if strings.Count(o.stderr, "\n") != 1 || !strings.HasPrefix(o.stderr, "authctl: warning: ") {
				t.Errorf("auto: stderr %q, want one warning and no more", o.stderr)
			}
			p.wantSilent(o.stderr)
			p.wantRequests(1, 1)

			// What was chosen is not replaced by something else, and nothing is asked for in vain.
			wantFailures(t, 7, []outcome{p.run("token", "get", "pexip", "--store", "keyring")})
			p.wantRequests(1, 1)

			if text, err := os.ReadFile(launched); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("dbus-launch was run: %s (%v)", text, err)
			}
			if left := processesWith(t, mark); len(left) > 0 {
				t.Errorf("processes were left behind: %v", left)
			}
			p.wantCleanDisk(p.dir)

			// Where the kernel lets us, its key stands for the keyring, and nobody is told.
			testneed.Need(t, "a kernel that keeps keys", kernelKeys())
			for range 2 {
				if o := p.run("token", "get", "pexip", "--store", "auto"); o.code != 0 || o.stderr != "" {
					t.Errorf("with the kernel's key: exit code %d, stderr %q; want 0 and nothing", o.code, o.stderr)
				}
			}
			p.wantRequests(2, 2)
		})
	}
}

// withoutUserBus skips a test where the user's own bus would be found and used: systemd's socket is looked for
// whatever the environment says.
func withoutUserBus(t *testing.T) {
	t.Helper()
	path := fmt.Sprintf("/run/user/%d/bus", os.Geteuid())
	if _, err := os.Stat(path); err == nil {
		t.Skipf("this user has a session bus, %s", path)
	}
}

// listen listens on a socket whose path is short enough for one.
func listen(t *testing.T) (string, *net.UnixListener) {
	t.Helper()
	dir, err := os.MkdirTemp("", "authctl-bus-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "bus")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return path, l
}

// recordLaunches puts a dbus-launch first in PATH that leaves a trace in the returned file and starts nothing.
func recordLaunches(t *testing.T, p *place) string {
	t.Helper()
	bin, trace := p.path("bin"), p.path("launched")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\necho \"$0 $*\" >>'" + trace + "'\nexit 1\n"
	if err := os.WriteFile(filepath.Join(bin, "dbus-launch"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	p.set("PATH=" + bin + ":" + os.Getenv("PATH"))
	return trace
}

// processesWith returns the command lines of the running processes with an entry in their environment.
func processesWith(t *testing.T, entry string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil || len(files) == 0 {
		t.Fatalf("looking for processes: %d found: %v", len(files), err)
	}
	var found []string
	for _, file := range files {
		environ, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(environ, []byte(entry)) {
			continue // gone, or another user's
		}
		dir := filepath.Dir(file)
		line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		pid, _ := strconv.Atoi(filepath.Base(dir))
		found = append(found, fmt.Sprintf("%d %q", pid, line))
	}
	return found
}
