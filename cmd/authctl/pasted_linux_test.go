package main

import (
	"strings"
	"testing"
)

// question is what is asked for over SSH.
const question = "the address that the browser ended at (it is not shown): "

// overSSH starts a login over SSH, where the browser is on another machine.
func overSSH(t *testing.T, profile string) *login {
	t.Helper()
	p := newPlace(t)
	p.fileStore()
	p.set("SSH_CONNECTION=192.0.2.1 50000 192.0.2.2 22")
	l := p.startLogin(profile)
	l.awaitScreen(question)
	until(t, "nothing typed is shown", l.silent)
	return l
}

// TestPastedAddress: over SSH the browser's last address may be pasted. It is checked as any answer, and never shown.
func TestPastedAddress(t *testing.T) {
	t.Parallel()
	l := overSSH(t, "talkdesk-login")
	answer := l.signIn()
	l.types("fake-pasted-code\n")
	l.shows("this cannot be taken: the whole address is wanted, which begins with http://127.0.0.1:", 1)
	l.shows(question, 2)
	l.types(strings.Replace(answer, "state=", "state=x", 1) + "\n")
	l.shows("an answer that is not taken, and the wait goes on: ", 1)
	l.shows(question, 3)
	l.types(strings.TrimPrefix(answer, "http://") + "\n")
	o := l.end()
	if o.code != 0 || !strings.Contains(o.stderr, "logged in as profile talkdesk-login") {
		t.Fatalf("exit code %d, terminal %q", o.code, o.stderr)
	}
	l.wantSpent(o, answer)
	l.p.wantSource("cache", "talkdesk-login")
}

// wantSpent requires that the terminal shows what is typed, and has shown nothing of an answer; and that nobody listens.
func (l *login) wantSpent(o outcome, answer string) {
	l.t.Helper()
	_, code, _ := strings.Cut(answer, "code=")
	code, _, _ = strings.Cut(code, "&")
	if !l.echoes() || code == "" || strings.Contains(o.stderr, code) || strings.Contains(o.stderr, "fake-pasted-code") {
		l.t.Errorf("the terminal has shown %q, and shows what is typed: %v", o.stderr, l.echoes())
	}
	l.wantPortFree()
	l.p.wantNothingSecret(o.stderr)
}

// TestPastedRefusal: an error of the service ends the login, and a redirect that gets through does too.
func TestPastedRefusal(t *testing.T) {
	t.Parallel()
	l := overSSH(t, "talkdesk-login")
	answer := l.signIn()
	_, state, _ := strings.Cut(answer, "state=")
	state, _, _ = strings.Cut(state, "&")
	address, _, _ := strings.Cut(answer, "?")
	l.types(address + "?error=access_denied&error_description=no%1B%5B2Jway&state=" + state + "\n")
	o := l.end()
	if o.code != 4 || !strings.Contains(o.stderr, "access_denied") || strings.Contains(o.stderr, "\x1b[2J") {
		t.Errorf("exit code %d, terminal %q", o.code, o.stderr)
	}
	l.wantSpent(o, answer)

	l = overSSH(t, "genesys-login")
	answer = l.signIn()
	if status, page := visit(t, "GET", answer, nil); status != 200 || !strings.Contains(page, "Logged in") {
		t.Errorf("the browser gets %d, %q", status, page)
	}
	if o = l.end(); o.code != 0 {
		t.Errorf("exit code %d, terminal %q", o.code, o.stderr)
	}
	l.wantSpent(o, answer)
}

// TestPastingGivenUp: who ends the question still waits for the browser, and who interrupts it ends the login.
func TestPastingGivenUp(t *testing.T) {
	t.Parallel()
	l := overSSH(t, "genesys-login")
	answer := l.signIn()
	l.types("\x04")
	until(t, "the question is over", l.echoes)
	visit(t, "GET", answer, nil)
	if o := l.end(); o.code != 0 {
		t.Errorf("exit code %d, terminal %q", o.code, o.stderr)
	}

	l = overSSH(t, "genesys-login")
	l.types("\x03")
	if o := l.end(); o.code != 130 || !l.echoes() || strings.Contains(o.stderr, "error") {
		t.Errorf("exit code %d, terminal %q", o.code, o.stderr)
	}
	l.wantPortFree()
	l.p.wantLoginAgain("genesys-login")
}
