package main

import (
	"strings"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
	"golang.org/x/sys/unix"
)

// TestProbeGoesOn ends a probe in the middle. The second one sends what is left.
func TestProbeGoesOn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	client := scattered(p.catalogue("pexip", ""), 18)
	slow := sandbox.Fault{Service: "pexip", ClientScopes: client, DelayMS: 30}
	p.fault(slow)
	undisturbed := p.wantExactly("pexip", client)
	before := p.asked()
	x := p.start("scopes", "probe", "pexip")
	p.awaitRequests(before + undisturbed/2)
	if err := x.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	o := x.end()
	if o.code != 130 || o.stdout != "" || !strings.Contains(o.stderr, "the same command goes on from there within an hour\n") {
		t.Errorf("exit code %d, stdout %q, stderr %q; want 130 and how to go on", o.code, o.stdout, o.stderr)
	}
	rest := p.run("scopes", "probe", "pexip", "-o", "raw")
	if rest.code != 0 || len(strings.Fields(rest.stdout)) != len(client) || !strings.Contains(rest.stderr, "authctl: warning: going on with ") {
		t.Errorf("going on: exit code %d, %q, stderr %q", rest.code, rest.stdout, rest.stderr)
	}
	// The one that was under way when the signal came is asked again, and once for what had been refused.
	p.wantRequests(before+undisturbed+1, before+undisturbed+2)
	p.server.ClearFaults()
	slow.DelayMS = 0
	p.fault(slow)
	if again := p.wantExactly("pexip", client); again != undisturbed {
		t.Errorf("a new probe takes %d requests, want %d: the old one's state is still there", again, undisturbed)
	}
}

// TestProbeRestarts has a probe that does not want what an earlier one found.
func TestProbeRestarts(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	client := scattered(p.catalogue("pexip", ""), 18)
	p.fault(sandbox.Fault{Service: "pexip", ClientScopes: client, Times: 10})
	p.fault(sandbox.Fault{Service: "pexip", Status: 500, Times: 1})
	if o := p.run("scopes", "probe", "pexip"); o.code != 8 {
		t.Fatalf("exit code %d, %q, want 8", o.code, o.stderr)
	}
	p.fault(sandbox.Fault{Service: "pexip", ClientScopes: client})
	if requests := p.wantExactly("pexip", client, "--restart"); requests < 18 {
		t.Errorf("%d requests: that is not from the beginning", requests)
	}
}

// TestProbeInATerminal: a bar on stderr, in one line however narrow, and nothing left of it, signal or not.
func TestProbeInATerminal(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set("CI=", "NO_COLOR=1")
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
	if _, said, ok := strings.Cut(o.stderr[strings.LastIndex(o.stderr, "\x1b[K"):], "authctl: "); o.code != 130 || !ok ||
		!strings.Contains(strings.Join(strings.Fields(said), " "), "the same command goes on from there") {
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
			p.set("CI=", "NO_COLOR=1")
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
