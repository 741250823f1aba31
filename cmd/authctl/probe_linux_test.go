package main

import (
	"strings"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
	"golang.org/x/sys/unix"
)

// TestProbeInATerminal: a bar on stderr, in one line however narrow, and nothing left of it, signal or not.
func TestProbeInATerminal(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set("CI=", "NO_COLOR=1", "TERM=xterm")
	client := scattered(p.catalogue("pexip", ""), 5)
	p.fault(sandbox.Fault{Service: "pexip", ClientScopes: client, DelayMS: 30})
	o := p.inTerminal("scopes", "probe", "pexip", "-o", "raw").end()
	shown := strings.Split(o.stderr, "\r")
	last := len(shown) - 1
	if o.code != 0 || len(strings.Fields(o.stdout)) != len(client) || shown[last] != "\x1b[K" ||
		!strings.HasPrefix(shown[last-1], "36 of 36 scopes [========================] ") {
		t.Errorf("exit code %d, stdout %q, terminal %q", o.code, o.stdout, o.stderr)
	}
	if quiet := p.inTerminal("scopes", "probe", "pexip", "-o", "raw", "-q").end(); quiet.code != 0 || quiet.stderr != "" {
		t.Errorf("--quiet: exit code %d, terminal %q", quiet.code, quiet.stderr)
	}
	x := p.inTerminal("scopes", "probe", "pexip")
	if err := unix.IoctlSetWinsize(int(x.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 20}); err != nil {
		t.Fatal(err)
	}
	x.awaitScreen(" of 36")
	if _, err := x.master.WriteString("\x03"); err != nil {
		t.Fatal(err)
	}
	o = x.end()
	if o.code != 130 || o.stdout != "" || !strings.HasSuffix(o.stderr, "\x1b[K") {
		t.Errorf("Ctrl-C: exit code %d, terminal %q", o.code, o.stderr)
	}
}

// TestScopesWaitInATerminal: what is waited for and how long, and a clean end.
func TestScopesWaitInATerminal(t *testing.T) {
	t.Parallel()
	for signal, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.set("CI=", "NO_COLOR=1", "TERM=xterm")
			p.fault(sandbox.Fault{Service: "talkdesk", ScopePending: []string{"users:read"}})
			x := p.inTerminal("scopes", "wait", "talkdesk", "-s", "users:read")
			x.awaitScreen("waiting for users:read at Talkdesk, 1s so far")
			if err := x.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			o := x.end()
			if o.code != code || o.stdout != "" || !strings.HasSuffix(o.stderr, "\r\x1b[K") {
				t.Errorf("exit code %d, stdout %q, terminal %q; want %d and a clean line", o.code, o.stdout, o.stderr, code)
			}
		})
	}
}
