package main

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestNobodyWritesToStdin: where stdin is read and nobody writes, the time that the caller gives ends it, and so does
// the first signal.
func TestNobodyWritesToStdin(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"inspect": {[]string{"token", "inspect", "--stdin"}, 8, "reading stdin: nobody has ended it within 1s"},
		"passwd":  {[]string{"passwd", "genesys-password", "--stdin"}, 8, "reading stdin: nobody has ended it within 1s"},
		"explain": {[]string{"scopes", "explain"}, 8, "reading stdin: nobody has ended it within 1s"},
		"a dash":  {[]string{"scopes", "explain", "-"}, 8, "reading stdin: nobody has ended it within 1s"},
		"secret":  {[]string{"token", "get", "asks"}, 3, "client_secret from stdin: reading standard input: it did not end in time"},
	} {
		start := func(t *testing.T, timeout string) (x *running, read func() bool) {
			t.Helper()
			p := newPlace(t)
			if name == "secret" {
				p.configure("profiles: {asks: {provider: talkdesk, account: acme, client_id: x, client_secret: stdin}}\n")
			}
			p.set("AUTHCTL_TIMEOUT=" + timeout)
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = r.Close(); _ = w.Close() })
			x = p.prepare(c.args...)
			x.Stdin = r
			if err := x.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := w.WriteString("x"); err != nil {
				t.Fatal(err)
			}
			return x, func() bool {
				n, err := unix.IoctlGetInt(int(r.Fd()), unix.TIOCINQ)
				return err == nil && n == 0
			}
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, _ := start(t, "1s")
			o := x.end()
			if o.code != c.code || o.stdout != "" || !strings.Contains(o.stderr, c.says) ||
				!strings.Contains(o.stderr, "hint: see who writes to") {
				t.Errorf("exit code %d, stderr %q; want %d and %q", o.code, o.stderr, c.code, c.says)
			}
		})
		t.Run(name+" and a signal", func(t *testing.T) {
			t.Parallel()
			x, read := start(t, "10m")
			until(t, "stdin is read", read)
			if err := x.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if o := x.end(); o.code != 143 || o.stdout != "" || o.stderr != "" {
				t.Errorf("exit code %d, stderr %q; want 143", o.code, o.stderr)
			}
		})
	}
}
