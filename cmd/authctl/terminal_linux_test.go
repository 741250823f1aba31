package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
	"golang.org/x/sys/unix"
)

// terminal is a process whose stdin and stderr are a pseudo-terminal of its own, and whose stdout is not.
type terminal struct {
	*running
	master *os.File
	done   chan struct{} // closed when nothing more is shown

	mu    sync.Mutex
	shown strings.Builder
}

// inTerminal starts a process in a terminal.
func (p *place) inTerminal(args ...string) *terminal {
	p.t.Helper()
	master, slave := openTerminal(p.t)
	defer slave.Close()
	x := &terminal{running: p.prepare(args...), master: master, done: make(chan struct{})}
	x.Cmd.Stdin, x.Cmd.Stderr = slave, slave
	x.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := x.Start(); err != nil {
		p.t.Fatal(err)
	}
	go x.watch()
	return x
}

// openTerminal returns both ends of a new pseudo-terminal (pts(4)).
func openTerminal(t testing.TB) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatalf("opening a pseudo-terminal: %v", err)
	}
	t.Cleanup(func() { _ = master.Close() })
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatalf("unlocking a pseudo-terminal: %v", err)
	}
	slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatalf("opening a pseudo-terminal: %v", err)
	}
	return master, slave
}

// watch keeps what the terminal shows. Reading ends with an error once nobody has the other end.
func (x *terminal) watch() {
	defer close(x.done)
	buffer := make([]byte, 4096)
	for {
		n, err := x.master.Read(buffer)
		x.mu.Lock()
		x.shown.Write(buffer[:n])
		x.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// screen returns all that was shown so far, control characters included.
func (x *terminal) screen() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.shown.String()
}

// end waits for the end of the process; stderr is what the terminal has shown.
func (x *terminal) end() outcome {
	x.t.Helper()
	o := x.running.end()
	select {
	case <-x.done:
	case <-time.After(patience):
		x.t.Error("somebody still has the terminal")
	}
	o.stderr = x.screen()
	return o
}

// awaitScreen waits until the terminal shows text.
func (x *terminal) awaitScreen(text string) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.t.Context(), patience)
	defer cancel()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for !strings.Contains(x.screen(), text) {
		select {
		case <-ctx.Done():
			x.t.Fatalf("the terminal does not show %q but %q", text, x.screen())
		case <-look.C:
		}
	}
}

// mailbox is a named pipe that a script writes lines into.
type mailbox struct {
	t    testing.TB
	pipe *os.File
	r    *bufio.Reader
}

func (p *place) mailbox(name string) *mailbox {
	p.t.Helper()
	if err := unix.Mkfifo(p.path(name), 0o600); err != nil {
		p.t.Fatal(err)
	}
	// Open for writing too: the pipe has then no end when a writer goes.
	pipe, err := os.OpenFile(p.path(name), os.O_RDWR, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = pipe.Close() })
	return &mailbox{p.t, pipe, bufio.NewReader(pipe)}
}

// next returns the next line, when it has come.
func (m *mailbox) next() string {
	m.t.Helper()
	if err := m.pipe.SetReadDeadline(time.Now().Add(patience)); err != nil {
		m.t.Fatal(err)
	}
	line, err := m.r.ReadString('\n')
	if err != nil {
		m.t.Fatalf("waiting for a line: %v", err)
	}
	return strings.TrimSuffix(line, "\n")
}

// script writes an executable shell script and returns its path.
func (p *place) script(name, text string) string {
	p.t.Helper()
	path := p.path(name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// login is `authctl login` that waits for a browser, whose part the test plays.
type login struct {
	*terminal
	p *place
	// address is what the browser was started with.
	address string
}

// startLogin starts a login and takes the address that it gives to $BROWSER.
func (p *place) startLogin(profile string, args ...string) *login {
	p.t.Helper()
	if _, err := os.Stat(p.path("address")); err == nil {
		p.t.Fatal("a place has one login at a time")
	}
	addresses := p.mailbox("address")
	defer func() { _ = os.Remove(p.path("address")) }()
	p.set("CI=", "NO_COLOR=1", "TERM=xterm", "BROWSER="+p.script("browser", `printf '%s\n' "$1" >"${0%/*}/address"`))
	x := p.inTerminal(append([]string{"login", profile}, args...)...)
	return &login{x, p, addresses.next()}
}

// jane is the one user of the service whose page it is.
func jane(address string) sandboxtest.Person {
	if strings.Contains(address, "/auth/v3/") {
		return sandboxtest.Person{
			Tenant: sandbox.GenesysTenant, Username: sandbox.GenesysUser, Password: sandbox.GenesysPassword,
		}
	}
	if strings.Contains(address, "/openid/") {
		return sandboxtest.Person{Username: sandbox.OAuth2User, Password: sandbox.OAuth2Password}
	}
	return sandboxtest.Person{Username: sandbox.TalkdeskUser, Password: sandbox.TalkdeskPassword}
}

// signIn signs in as the service's user and returns the address that ends the login.
func (l *login) signIn() string {
	l.t.Helper()
	callback, err := jane(l.address).SignIn(l.t.Context(), l.address)
	if err != nil {
		l.t.Fatal(err)
	}
	return callback
}

// finish signs in, ends the login and requires that it was one.
func (l *login) finish() outcome {
	l.t.Helper()
	status, page := visit(l.t, http.MethodGet, l.signIn(), nil)
	o := l.end()
	if status != http.StatusOK || !strings.Contains(page, "Logged in") || o.code != 0 || o.stdout != "" ||
		!strings.Contains(o.stderr, "authctl: logged in as profile ") {
		l.t.Fatalf("login: exit code %d, %d bytes on stdout, page with status %d, terminal %q; want a login",
			o.code, len(o.stdout), status, o.stderr)
	}
	return o
}

// login logs in.
func (p *place) login(profile string) outcome {
	p.t.Helper()
	return p.startLogin(profile).finish()
}

// visit asks for a page as a browser would, with change made to the request.
func visit(t testing.TB, method, address string, change func(*http.Request)) (status int, page string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestTableKnowsTheTerminal has stdout on a terminal of 80 columns, where no line may be longer, and in a pipe, where
// lines are as long as they are.
func TestTableKnowsTheTerminal(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set("NO_COLOR=1")
	shown := p.onTerminal(80, "providers", "show", "talkdesk")
	piped := p.run("providers", "show", "talkdesk").stdout
	if n := widest(shown); n > 80 || n < 70 {
		t.Errorf("the longest line on the terminal has %d columns:\n%s", n, shown)
	}
	if n := widest(piped); n <= 80 {
		t.Errorf("the longest line in the pipe has %d columns only:\n%s", n, piped)
	}
	for word := range strings.FieldsSeq(piped) {
		if !strings.Contains(shown, word) {
			t.Errorf("%q is not on the terminal:\n%s", word, shown)
		}
	}
}

// TestScopesKnowTheTerminal has the tables of scopes on terminals of two widths: no line is longer, and nothing is lost.
// They are in colour, unless NO_COLOR takes it out.
func TestScopesKnowTheTerminal(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set("TERM=xterm")
	bold := strings.NewReplacer("\x1b[1m", "", "\x1b[2m", "", "\x1b[22m", "", "\x1b[0m", "")
	for _, args := range [][]string{{"scopes", "list", "talkdesk"}, {"scopes", "check", "talkdesk"}} {
		for _, columns := range []uint16{80, 300} {
			p.set("NO_COLOR=")
			coloured := p.onTerminal(columns, args...)
			p.set("NO_COLOR=1")
			shown := p.onTerminal(columns, args...)
			if !strings.Contains(coloured, "\x1b[1m") || strings.Contains(shown, "\x1b") {
				t.Errorf("%v: in colour %q, without %q", args, coloured, shown)
			}
			if got := bold.Replace(coloured); got != shown && !strings.Contains(shown, "just issued") &&
				!strings.Contains(got, "just issued") {
				t.Errorf("%v: colour changes more than colour:\n%s\n%s", args, got, shown)
			}
			if n := widest(shown); n > int(columns) {
				t.Errorf("%v: the longest line on %d columns has %d:\n%s", args, columns, n, shown)
			}
			about := strings.Contains(shown, "ABOUT")
			if args[1] == "list" && about != (columns == 300) {
				t.Errorf("on %d columns ABOUT is there: %v\n%s", columns, about, shown)
			}
			for _, word := range []string{"contacts:read", "account:read"} {
				if !strings.Contains(shown, word) {
					t.Errorf("%v: %s is not on %d columns:\n%s", args, word, columns, shown)
				}
			}
		}
	}
}

// onTerminal runs a command with stdout on a terminal of some columns, and returns what it shows.
func (p *place) onTerminal(columns uint16, args ...string) string {
	p.t.Helper()
	master, slave := openTerminal(p.t)
	defer slave.Close()
	size := &unix.Winsize{Row: 24, Col: columns}
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, size); err != nil {
		p.t.Fatal(err)
	}
	x := &terminal{running: p.prepare(args...), master: master, done: make(chan struct{})}
	x.Cmd.Stdout = slave
	if err := x.Start(); err != nil {
		p.t.Fatal(err)
	}
	_ = slave.Close()
	go x.watch()
	if o := x.end(); o.code != 0 {
		p.t.Fatalf("%v: exit code %d, %q", args, o.code, o.stderr)
	}
	return strings.ReplaceAll(x.screen(), "\r\n", "\n")
}

// widest returns the length of the longest line in runes.
func widest(text string) int {
	n := 0
	for line := range strings.Lines(text) {
		n = max(n, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")))
	}
	return n
}
