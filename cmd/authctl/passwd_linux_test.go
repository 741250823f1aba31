package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
	"golang.org/x/sys/unix"
)

const anotherPassword = sandbox.Marker + " typed: new %pass"

// awaitEcho waits until the terminal shows what is typed, or does not.
func (x *terminal) awaitEcho(on bool) {
	x.t.Helper()
	end := time.After(patience)
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for x.echoes() != on {
		select {
		case <-end:
			x.t.Fatalf("echo is %v", !on)
		case <-look.C:
		}
	}
}

// echoes reports whether the terminal shows what is typed (termios(3)).
func (x *terminal) echoes() bool {
	x.t.Helper()
	state, err := unix.IoctlGetTermios(int(x.master.Fd()), unix.TCGETS)
	if err != nil {
		x.t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// answer types at a prompt, once the prompt is there and hides it.
func (x *terminal) answer(prompt, keys string) {
	x.t.Helper()
	x.awaitScreen(prompt + ": ")
	x.awaitEcho(false)
	if _, err := x.master.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
}

// typePasswd runs passwd and types the answers at its prompts, the last of which ends it.
func typePasswd(t *testing.T, answers ...string) (*place, outcome) {
	t.Helper()
	p := newPlace(t)
	p.fileStore()
	p.set("CI=", "NO_COLOR=1")
	x := p.inTerminal("passwd", "genesys-password")
	for i, prompt := range []string{"old password", "new password", "new password again"} {
		if i < len(answers) {
			x.answer(prompt, answers[i])
		}
	}
	o := x.end()
	if !x.echoes() {
		t.Error("the terminal is left without echo")
	}
	p.wantNothingSecret(o.stderr)
	if o.stdout != "" || strings.Contains(o.stderr, anotherPassword) {
		t.Errorf("%d bytes on stdout, terminal %q", len(o.stdout), o.stderr)
	}
	return p, o
}

func TestPasswordIsChangedInATerminal(t *testing.T) {
	t.Parallel()
	p, o := typePasswd(t, sandbox.GenesysPassword+"\n", anotherPassword+"\n", anotherPassword+"\n")
	if o.code != 0 || !strings.Contains(o.stderr, "authctl: the password is changed\r\n") ||
		!strings.Contains(o.stderr, "authctl: a new token was had with it\r\n") {
		t.Errorf("exit code %d, terminal %q", o.code, o.stderr)
	}
	var paths []string
	for _, r := range p.server.Requests() {
		paths = append(paths, strings.TrimPrefix(r.Path, "/auth/v3"))
	}
	if got := strings.Join(paths, " "); got != "/oauth/token /change-password /oauth/token" {
		t.Errorf("requests %s", got)
	}
	p.wantSource("cache", "genesys-password")
	wantFailures(t, 4, []outcome{p.run("token", "get", "genesys-password", "--no-cache")}) // the file has the old one
	p.set("AUTHCTL_PASSWORD=" + anotherPassword)
	wantTokens(t, []outcome{p.run("token", "get", "genesys-password", "--no-cache")})
}

func TestPasswordIsNotChangedInATerminal(t *testing.T) {
	t.Parallel()
	old := sandbox.GenesysPassword + "\n"
	for name, row := range map[string]struct {
		answers []string
		code    int
		says    string
	}{
		"typed in two ways": {[]string{old, anotherPassword + "\n", anotherPassword + "x\n"}, 2, "typed in two ways; nothing is changed"},
		"no old one":        {[]string{"\n"}, 2, "the old password is empty"},
		"no new one":        {[]string{old, "\n"}, 2, "the new password is empty"},
		"not again":         {[]string{old, anotherPassword + "\n", "\n"}, 2, "the new password again is empty"},
		"Ctrl-C at first":   {[]string{"\x03"}, 130, ""},
		"Ctrl-C":            {[]string{old, anotherPassword[:3] + "\x03"}, 130, ""},
		"Ctrl-C at last":    {[]string{old, anotherPassword + "\n", "\x03"}, 130, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, o := typePasswd(t, row.answers...)
			if o.code != row.code || !strings.Contains(o.stderr, row.says) || strings.Contains(o.stderr, "is changed\r") &&
				!strings.Contains(o.stderr, "nothing is changed\r") {
				t.Errorf("exit code %d, terminal %q; want %d and %q", o.code, o.stderr, row.code, row.says)
			}
			p.wantRequests(0, 0)
			wantTokens(t, []outcome{p.run("token", "get", "genesys-password")}) // with the old one
		})
	}
}

// TestPasswordOfALogin changes the password of the person who logged in with the browser.
func TestPasswordOfALogin(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	p.login("genesys-login")
	r := p.prepare("passwd", "genesys-login", "--stdin")
	r.Stdin = strings.NewReader(sandbox.GenesysPassword + "\n" + anotherPassword + "\n")
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	if o := r.end(); o.code != 0 || !strings.Contains(o.stderr, "authctl: the password is changed\n") {
		t.Fatalf("exit code %d, stderr %q", o.code, o.stderr)
	}
	p.wantLoginAgain("genesys-login")
	l := p.startLogin("genesys-login")
	if _, err := jane(l.address).SignIn(t.Context(), l.address); err == nil {
		t.Error("the old password signs in")
	}
	who := jane(l.address)
	who.Password = anotherPassword
	callback, err := who.SignIn(t.Context(), l.address)
	if err != nil {
		t.Fatal(err)
	}
	visit(t, http.MethodGet, callback, nil)
	if o := l.end(); o.code != 0 {
		t.Errorf("login: exit code %d, terminal %q", o.code, o.stderr)
	}
}
