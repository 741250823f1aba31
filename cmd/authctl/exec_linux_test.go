package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
)

// alive is a process whose first lines have been read and whose stdin is still open.
type alive struct {
	*running
	stdin io.WriteCloser
	lines *bufio.Reader
	errs  string
}

// alive starts a process in a session of its own, whose stderr goes to a file.
func (p *place) alive(args ...string) *alive {
	p.t.Helper()
	x := &alive{running: p.prepare(args...), errs: filepath.Join(p.t.TempDir(), "stderr")}
	stderr, err := os.Create(x.errs)
	if err != nil {
		p.t.Fatal(err)
	}
	defer stderr.Close()
	x.Cmd.Stdout, x.Cmd.Stderr = nil, stderr
	x.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if x.stdin, err = x.StdinPipe(); err != nil {
		p.t.Fatal(err)
	}
	stdout, err := x.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	x.lines = bufio.NewReader(stdout)
	if err := x.Start(); err != nil {
		p.t.Fatal(err)
	}
	return x
}

// line returns the next line of stdout.
func (x *alive) line() string {
	x.t.Helper()
	line, err := x.lines.ReadString('\n')
	if err != nil {
		x.t.Fatalf("reading stdout: %v; stderr %q", err, x.said())
	}
	return strings.TrimSuffix(line, "\n")
}

func (x *alive) said() string {
	text, err := os.ReadFile(x.errs)
	if err != nil {
		x.t.Fatal(err)
	}
	return string(text)
}

// finish closes stdin, waits for the end and requires an exit code.
func (x *alive) finish(code int) {
	x.t.Helper()
	if err := x.stdin.Close(); err != nil {
		x.t.Fatal(err)
	}
	x.ends(code)
}

// ends waits for the end and requires an exit code.
func (x *alive) ends(code int) {
	x.t.Helper()
	rest, _ := io.ReadAll(x.lines)
	o := x.end()
	got := o.code
	if status, ok := x.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		got = 128 + int(status.Signal())
	}
	if got != code {
		x.t.Errorf("exit code %d, want %d; then stdout %q, stderr %q", got, code, rest, x.said())
	}
}

// until waits for a condition.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// commandLines returns the arguments of all processes of a session.
func commandLines(t testing.TB, session int) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, entry := range entries {
		if _, err := strconv.Atoi(entry.Name()); err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "stat"))
		if err != nil {
			continue // it has ended
		}
		// After the name, which may have any character: state, parent, group, session (proc(5)).
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if fields[3] != strconv.Itoa(session) {
			continue
		}
		if line, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline")); err == nil {
			list = append(list, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return list
}

// watchArguments collects the arguments of all processes of a session until stop is called.
func watchArguments(t testing.TB, session int) (stop func() string) {
	t.Helper()
	end, all := make(chan struct{}), make(chan []string)
	go func() {
		var seen []string
		for {
			for _, line := range commandLines(t, session) {
				if !slices.Contains(seen, line) {
					seen = append(seen, line)
				}
			}
			select {
			case <-end:
				all <- seen
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	return func() string { close(end); return strings.Join(<-all, "\n") }
}

func TestExecShowsNoSecretInArguments(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--", "--token-file"} {
		p := newPlace(t)
		p.fileStore()
		args := []string{"exec", "pexip", flag, "--", "sh", "-c", "echo ready; read line"}
		if flag == "--" {
			args = slices.Delete(args, 2, 3)
		}
		x := p.alive(args...)
		stop := watchArguments(t, x.Process.Pid)
		if x.line() != "ready" {
			t.Fatal("the child did not begin")
		}
		until(t, "the child is seen", func() bool {
			return slices.ContainsFunc(commandLines(t, x.Process.Pid), func(s string) bool { return strings.HasPrefix(s, "sh -c") })
		})
		x.finish(1)
		p.wantSilent(stop())
		p.wantSilent(x.said())
	}
}

func TestExecPassesSignals(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{"replaced": nil, "token file": {"--token-file"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fileStore()
			exec := append([]string{"exec", "pexip"}, flags...)
			for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1} {
				trap := "trap 'exit 42' INT TERM HUP QUIT USR1; echo ready; while :; do read line; done"
				x := p.alive(append(exec, "--", "sh", "-c", trap)...)
				x.line()
				if err := x.Process.Signal(s); err != nil {
					t.Fatal(err)
				}
				x.ends(42)
			}
			// A child that leaves the signal alone is ended by it.
			x := p.alive(append(exec, "--", "sh", "-c", "echo ready; read line")...)
			x.line()
			if err := x.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			x.ends(143)
		})
	}
}

func TestTokenFileIsKeptFresh(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	p.fault(sandbox.Fault{Service: "pexip", ExpiresIn: json.RawMessage("2")})
	x := p.alive("exec", "pexip", "--token-file", "--", "sh", "-c", `echo "$AUTHCTL_TOKEN_FILE"; echo "${AUTHCTL_TOKEN-none}"; read line`)
	path := x.line()
	if got := x.line(); got != "none" {
		t.Errorf("AUTHCTL_TOKEN is %q beside the file", got)
	}
	if !strings.HasPrefix(path, p.path("xdg")) {
		t.Errorf("the token file is %s, not in the runtime directory", path)
	}
	for name, mode := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): os.ModeDir | 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v; want mode %v", name, info, err, mode)
		}
	}
	token := func() string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(p.server.IssuedSecrets(), string(text)) {
			t.Fatalf("the token file holds %q", text)
		}
		return string(text)
	}
	first := token()
	until(t, "the token is replaced", func() bool { return token() != first })
	// A service that is away is a warning, and is asked again.
	p.server.ClearFaults()
	p.fault(sandbox.Fault{Service: "pexip", Status: 500})
	until(t, "a failure is told", func() bool { return strings.Contains(x.said(), "authctl: warning: the token file is not renewed") })
	second := token()
	p.server.ClearFaults()
	until(t, "the token is replaced again", func() bool { return token() != second })
	x.finish(1)
	p.wantSilent(x.said())
	p.wantNoTokenFile()
}

// wantNoTokenFile requires that nothing is left in the runtime directory.
func (p *place) wantNoTokenFile() {
	p.t.Helper()
	left, err := filepath.Glob(filepath.Join(p.path("xdg"), "authctl-token-*"))
	if err != nil || len(left) > 0 {
		p.t.Errorf("a token file is left: %v, %v", left, err)
	}
}

func TestTokenFileIsRemoved(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	exec := []string{"exec", "pexip", "--token-file", "--"}
	if o := p.run(append(exec, "sh", "-c", "exit 3")...); o.code != 3 {
		t.Errorf("exit code %d, want 3: %s", o.code, o.stderr)
	}
	p.wantNoTokenFile()
	if o := p.run(append(exec, "sh", "-c", "kill -KILL $$")...); o.code != 137 {
		t.Errorf("exit code %d, want 137: %s", o.code, o.stderr)
	}
	p.wantNoTokenFile()
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		x := p.alive(append(exec, "sh", "-c", "echo ready; read line")...)
		x.line()
		if err := x.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		x.ends(128 + int(s))
		p.wantNoTokenFile()
	}
}

// A typed interrupt reaches the child from the terminal itself: it must not come twice.
func TestTypedInterruptComesOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	x := p.inTerminal("exec", "pexip", "--token-file", "--", "sh", "-c",
		`n=0; trap 'n=$((n+1)); echo "interrupt $n" >&2' INT; echo ready >&2; while [ "$line" != end ]; do read line; done; exit 7`)
	shown := func(part string) func() bool {
		return func() bool { x.mu.Lock(); defer x.mu.Unlock(); return strings.Contains(x.shown.String(), part) }
	}
	until(t, "the child is ready", shown("ready"))
	for i, key := range []string{"\x03", "\x03"} {
		if _, err := x.master.WriteString(key); err != nil {
			t.Fatal(err)
		}
		until(t, "the interrupt came", shown("interrupt "+strconv.Itoa(i+1)))
	}
	if _, err := x.master.WriteString("end\n"); err != nil {
		t.Fatal(err)
	}
	if o := x.end(); o.code != 7 {
		t.Errorf("exit code %d, want 7", o.code)
	}
	if shown("interrupt 3")() {
		t.Error("two keys made three interrupts")
	}
	p.wantNoTokenFile()
}

// nohup's children ignore the hangup, although authctl waits for signals.
func TestIgnoredSignalStaysIgnored(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	x := p.alive("sandbox", "run", "--", "sh", "-c", `trap '' HUP; exec authctl exec pexip --token-file -- sh -c 'echo ready; read line; exit 5'`)
	x.line()
	var told int
	for _, line := range commandLines(t, x.Process.Pid) {
		if strings.HasPrefix(line, "sh -c echo ready") {
			told++
		}
	}
	if told != 1 {
		t.Fatalf("%d children are seen, want 1", told)
	}
	signalSession(t, x.Process.Pid, "sh -c echo ready", syscall.SIGHUP)
	x.finish(5)
}

// signalSession signals the processes of a session whose command line begins so.
func signalSession(t *testing.T, session int, prefix string, s syscall.Signal) {
	t.Helper()
	entries, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, entry := range entries {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(entry)))
		if err != nil {
			t.Fatal(err)
		}
		line, _ := os.ReadFile(entry)
		if !strings.HasPrefix(strings.ReplaceAll(string(line), "\x00", " "), prefix) {
			continue
		}
		if sid, _, errno := syscall.RawSyscall(syscall.SYS_GETSID, uintptr(pid), 0, 0); errno != 0 || int(sid) != session {
			continue
		}
		if err := syscall.Kill(pid, s); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTokenFileOutlivesASignal: what the child was told and takes no notice of does not end the renewal.
func TestTokenFileOutlivesASignal(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	p.fault(sandbox.Fault{Service: "pexip", ExpiresIn: json.RawMessage("2")})
	x := p.alive("exec", "pexip", "--token-file", "--", "sh", "-c",
		// A signal ends read as the end of the input does: that many signals do not come.
		`trap 'echo told' TERM; echo "$AUTHCTL_TOKEN_FILE"
		while [ "$line" != end ] && [ "$n" != xxxxxxxx ]; do line=; read line || n=x$n; done`)
	path := x.line()
	if err := x.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := x.line(); got != "told" {
		t.Fatalf("the child says %q", got)
	}
	read := func() string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for range 2 {
		first := read()
		until(t, "the token is replaced", func() bool { return read() != first })
	}
	if _, err := io.WriteString(x.stdin, "end\n"); err != nil {
		t.Fatal(err)
	}
	x.finish(0)
	if said := x.said(); said != "" {
		t.Errorf("stderr has %q", said)
	}
	p.wantNoTokenFile()
}

// TestTokenFileElsewhere: without a usable runtime directory the file is where temporary files are.
func TestTokenFileElsewhere(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	if err := os.Mkdir(p.path("tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	p.set("XDG_RUNTIME_DIR="+p.path("missing"), "TMPDIR="+p.path("tmp"))
	o := p.run("exec", "pexip", "--token-file", "--", "sh", "-c", `cat "$AUTHCTL_TOKEN_FILE"; echo " $AUTHCTL_TOKEN_FILE"`)
	token, path, _ := strings.Cut(strings.TrimSuffix(o.stdout, "\n"), " ")
	if o.code != 0 || !strings.HasPrefix(path, p.path("tmp")) || !slices.Contains(p.server.IssuedSecrets(), token) {
		t.Errorf("exit code %d, the file is %q; %s", o.code, path, o.stderr)
	}
	if left, err := os.ReadDir(p.path("tmp")); err != nil || len(left) > 0 {
		t.Errorf("a token file is left: %v, %v", left, err)
	}
}

// TestChildEndsWithItsParent: nobody renews the token of a child whose authctl was killed.
func TestChildEndsWithItsParent(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	x := p.alive("exec", "pexip", "--token-file", "--", "sh", "-c", "trap 'echo told; exit' TERM; echo ready; while read line; do :; done")
	x.line()
	if err := x.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if got := x.line(); got != "told" {
		t.Errorf("the child says %q", got)
	}
	x.ends(137)
}
