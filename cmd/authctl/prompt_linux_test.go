package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/testneed"
)

// promptPlace makes a place whose profile asks has a secret that is typed, and returns the secret.
func promptPlace(t *testing.T) (p *place, secret string) {
	t.Helper()
	p = newPlace(t)
	p.set("CI=", "NO_COLOR=1")
	text, err := os.ReadFile(p.path("config.secrets/talkdesk.client_secret"))
	if err != nil {
		t.Fatal(err)
	}
	p.configure(fmt.Sprintf("profiles:\n  asks: {provider: talkdesk, account: acme, client_id: sandbox-talkdesk, "+
		"client_secret: prompt, base_url: %q}\n  genesys: {provider: genesys, base_url: %q, grant: password, "+
		"username: jane, password: prompt, client_id: x, client_secret: prompt, api_key: prompt}\n",
		p.server.URL(), p.server.URL()+"/auth/v3"))
	return p, strings.TrimSpace(string(text))
}

func (x *terminal) silent() bool { return !x.echoes() }

func (x *terminal) types(text string) {
	x.t.Helper()
	if _, err := x.master.WriteString(text); err != nil {
		x.t.Fatal(err)
	}
}

// shows waits until the terminal has shown a text so many times.
func (x *terminal) shows(text string, times int) {
	x.t.Helper()
	what := fmt.Sprintf("%q is shown %d times", text, times)
	until(x.t, what, func() bool { return strings.Count(x.screen(), text) >= times })
}

// TestPromptsEndInOrder: whatever ends a prompt, the terminal shows again what is typed, and the process ends as that
// which ended it says.
func TestPromptsEndInOrder(t *testing.T) {
	t.Parallel()
	prompts := map[string]struct {
		args   []string
		label  string
		hidden bool
	}{
		"a secret":   {[]string{"token", "get", "asks"}, "client_secret of profile asks: ", true},
		"a password": {[]string{"passwd", "genesys"}, "old password: ", true},
		"a line":     {[]string{"profile", "add", "fresh"}, "provider (", false},
	}
	ends := map[string]struct {
		key    string
		signal syscall.Signal
		code   int            // as a shell tells it
		by     syscall.Signal // what it has to die of
	}{
		"ctrl-c":  {key: "\x03", code: 130, by: syscall.SIGINT},
		"ctrl-d":  {key: "\x04", code: 3},
		`ctrl-\`:  {key: "\x1c", code: 131, by: syscall.SIGQUIT},
		"SIGINT":  {signal: syscall.SIGINT, code: 130, by: syscall.SIGINT},
		"SIGTERM": {signal: syscall.SIGTERM, code: 143, by: syscall.SIGTERM},
		"SIGHUP":  {signal: syscall.SIGHUP, code: 129, by: syscall.SIGHUP},
		"SIGQUIT": {signal: syscall.SIGQUIT, code: 131, by: syscall.SIGQUIT},
	}
	for prompt, asked := range prompts {
		for how, end := range ends {
			t.Run(prompt+"/"+how, func(t *testing.T) {
				t.Parallel()
				p, _ := promptPlace(t)
				x := p.inTerminal(asked.args...)
				x.awaitScreen(asked.label)
				if asked.hidden {
					until(t, "nothing typed is shown", x.silent)
				}
				if end.key != "" {
					x.types(end.key)
				} else if err := x.Process.Signal(end.signal); err != nil {
					t.Fatal(err)
				}
				o := x.end()
				status, _ := x.ProcessState.Sys().(syscall.WaitStatus)
				if o.code != end.code || end.by != 0 && (!status.Signaled() || status.Signal() != end.by) || status.CoreDump() {
					t.Errorf("exit code %d, status %#x, want %d (%v)", o.code, status, end.code, end.by)
				}
				if !x.echoes() {
					t.Error("the terminal does not show what is typed")
				}
				if strings.Contains(o.stderr, "goroutine") || o.stdout != "" {
					t.Errorf("it says %q, stdout %q", o.stderr, o.stdout)
				}
			})
		}
	}
}

// TestInterruptEndsTheLoop: a shell ends its loop where what it runs died of SIGINT, and goes on where that merely says 130.
func TestInterruptEndsTheLoop(t *testing.T) {
	t.Parallel()
	bash := testneed.Program(t, "bash")
	for how, awaited := range map[string]struct{ command, label string }{
		"a secret":   {"token get asks", "client_secret of profile asks: "},
		"a password": {"passwd genesys", "old password: "},
		"a line":     {"profile add fresh", "provider ("},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			p, _ := promptPlace(t)
			loop := "for i in 1 2 3; do " + binary(t) + " " + awaited.command + "; echo went on with $?; done; echo after the loop"
			x := p.inShell(bash, "--norc", "-c", loop)
			x.shows(awaited.label, 1)
			x.types("\x03")
			o := x.end()
			if o.code != 130 || strings.Contains(o.stderr, "went on") || strings.Contains(o.stderr, "after") {
				t.Errorf("exit code %d, terminal %q", o.code, o.stderr)
			}
		})
	}
}

// TestStoppedPromptStaysHidden stops the process at a hidden prompt and continues it, as a shell with job control
// does: the shell has its terminal, and what is typed afterwards is not shown.
func TestStoppedPromptStaysHidden(t *testing.T) {
	t.Parallel()
	bash := testneed.Program(t, "bash")
	for how, stop := range map[string]func(t *testing.T, x *terminal){
		"ctrl-z":  func(_ *testing.T, x *terminal) { x.types("\x1a") },
		"SIGTSTP": func(t *testing.T, x *terminal) { signalChild(t, x, syscall.SIGTSTP) },
		"SIGSTOP": func(t *testing.T, x *terminal) { signalChild(t, x, syscall.SIGSTOP) },
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			p, secret := promptPlace(t)
			p.set("PS1=next> ", "TERM=dumb")
			x := p.inShell(bash, "--norc", "--noediting", "-i")
			x.shows("next> ", 1)
			x.types(binary(t) + " token get asks >token\n")
			for round := 1; round <= 2; round++ {
				x.shows("client_secret of profile asks: ", round)
				until(t, "nothing typed is shown", x.silent)
				stop(t, x)
				x.shows("Stopped", round)
				until(t, "the shell shows what is typed", x.echoes)
				x.types("fg; echo ended $?\n")
			}
			x.shows("client_secret of profile asks: ", 3)
			until(t, "nothing typed is shown", x.silent)
			x.types(secret + "\n")
			x.shows("ended 0", 1)
			x.types("exit\n")
			if o := x.end(); strings.Contains(o.stderr, secret) {
				t.Errorf("the secret is shown: %q", o.stderr)
			}
			if token, _ := os.ReadFile(p.path("token")); !strings.HasPrefix(string(token), "ey") {
				t.Error("there is no token")
			}
		})
	}
}

// TestPromptWithoutAShell: where nobody could continue it, the process is not stopped, and goes on hiding.
func TestPromptWithoutAShell(t *testing.T) {
	t.Parallel()
	p, secret := promptPlace(t)
	x := p.inTerminal("token", "get", "asks")
	x.awaitScreen("client_secret of profile asks: ")
	until(t, "nothing typed is shown", x.silent)
	x.types("\x1a")
	x.shows("client_secret of profile asks: ", 2)
	until(t, "nothing typed is shown", x.silent)
	x.types(secret + "\n")
	if o := x.end(); o.code != 0 || !strings.HasPrefix(o.stdout, "ey") || strings.Contains(o.stderr, secret) {
		t.Errorf("exit code %d, terminal %q", o.code, o.stderr)
	}
	if !x.echoes() {
		t.Error("the terminal does not show what is typed")
	}
}

// TestPromptBesideAPipe: who pipes something in can still be asked, but not from a job in the background.
func TestPromptBesideAPipe(t *testing.T) {
	t.Parallel()
	p, secret := promptPlace(t)
	bash, get := testneed.Program(t, "bash"), "echo piped | "+binary(t)+" token get asks"
	x := p.inShell(bash, "--norc", "-c", get+"; echo ended with $?")
	x.awaitScreen("client_secret of profile asks: ")
	until(t, "nothing typed is shown", x.silent)
	x.types(secret + "\n")
	if o := x.end(); !strings.Contains(o.stderr, "ended with 0") || strings.Contains(o.stderr, secret) {
		t.Errorf("terminal %q", o.stderr)
	}
	x = p.inShell(bash, "--norc", "-mc", get+" & wait; true")
	if o := x.end(); !strings.Contains(o.stderr, "nobody can be asked: stdin is not a terminal") {
		t.Errorf("in the background: terminal %q", o.stderr)
	}
}

// inShell starts a shell in a terminal that is all of its streams.
func (p *place) inShell(shell string, args ...string) *terminal {
	p.t.Helper()
	master, slave := openTerminal(p.t)
	defer slave.Close()
	x := &terminal{running: p.prepare(), master: master, done: make(chan struct{})}
	x.Path, x.Args = shell, append([]string{filepath.Base(shell)}, args...)
	x.Cmd.Stdin, x.Cmd.Stdout, x.Cmd.Stderr = slave, slave, slave
	x.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := x.Start(); err != nil {
		p.t.Fatal(err)
	}
	go x.watch()
	return x
}

// signalChild signals the one child of a shell.
func signalChild(t *testing.T, x *terminal, s syscall.Signal) {
	t.Helper()
	pid := x.Process.Pid
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(children)))
	if err != nil {
		t.Fatalf("the shell's children are %q", children)
	}
	if err := syscall.Kill(child, s); err != nil {
		t.Fatal(err)
	}
}
