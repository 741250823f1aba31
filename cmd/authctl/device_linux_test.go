package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/term"
	"golang.org/x/sys/unix"
)

const (
	deviceAskPath   = "/openid/main/device"
	devicePagePath  = "/openid/main/activate"
	oauth2TokenPath = "/openid/main/token"
)

// devicePlace is a place with the profile device, which logs in without a browser of its own; the service may be asked
// each second.
func devicePlace(t *testing.T) *place {
	t.Helper()
	p := newPlace(t)
	p.fileStore()
	p.configure(`profiles:
  device:
    provider: oauth2
    issuer: ` + p.server.URL() + `/openid/main
    client_id: sandbox-oauth2-public
    client_auth: none
    grant: device_code
    scopes: [orders:read, offline_access]
`)
	p.set("CI=", "NO_COLOR=1", "BROWSER=")
	p.fault(sandbox.Fault{Path: deviceAskPath, Extra: map[string]json.RawMessage{"interval": json.RawMessage("1")}})
	return p
}

// userCode is the line of a code, as a person copies it.
var userCode = regexp.MustCompile(`(?m)^([A-Z]{4}-[A-Z]{4})\r?$`)

// decide has a person answer what a text shows.
func (p *place) decide(shown string, allow bool) {
	p.t.Helper()
	code := userCode.FindStringSubmatch(shown)
	if code == nil {
		p.t.Fatalf("no code is shown in %q", shown)
	}
	body, err := json.Marshal(map[string]any{"user_code": code[1], "allow": allow})
	if err != nil {
		p.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.server.URL()+devicePagePath, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		p.t.Errorf("the page answers %d", reply.StatusCode)
	}
}

// polls are the requests of a device to the token endpoint.
func (p *place) polls() (all []sandbox.Request) {
	for _, r := range p.server.Requests() {
		if strings.HasSuffix(r.GrantType, "device_code") {
			all = append(all, r)
		}
	}
	return all
}

// logged starts a login whose stderr is a file, as a pipeline's is, and returns what is in it once the code is shown.
func (p *place) logged(args ...string) (x *running, log func() string) {
	p.t.Helper()
	file, err := os.Create(p.path("log"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer file.Close()
	x = p.prepare(append([]string{"login", "device"}, args...)...)
	x.Cmd.Stderr = file
	if err := x.Start(); err != nil {
		p.t.Fatal(err)
	}
	log = func() string {
		text, err := os.ReadFile(p.path("log"))
		if err != nil {
			p.t.Fatal(err)
		}
		return string(text)
	}
	until(p.t, "a code is shown", func() bool { return userCode.MatchString(log()) })
	return x, log
}

// TestDeviceLoginInALog: nobody is at a terminal, and somebody reads the log.
func TestDeviceLoginInALog(t *testing.T) {
	t.Parallel()
	p := devicePlace(t)
	wantFailures(t, 4, []outcome{p.run("token", "get", "device"), p.run("login", "device", "--no-input")})
	x, log := p.logged("-o", "json")
	p.decide(log(), true)
	o := x.end()
	if o.code != 0 || !strings.Contains(o.stdout, `"refreshable":true`) || !strings.Contains(o.stdout, `"scopes":["orders:read"`) {
		t.Fatalf("exit code %d, %q, %q", o.code, o.stdout, log())
	}
	page := p.server.URL() + devicePagePath
	for _, line := range []string{
		"authctl: to log in, open this address on any device within 10m:\n" + page + "\n",
		"authctl: or open this one, which has the code in it:\n" + page + "?user_code=",
	} {
		if !strings.Contains(log(), line) {
			t.Errorf("%q lacks %q", log(), line)
		}
	}
	if strings.ContainsAny(log(), "\x1b\r█") {
		t.Errorf("the log is for a terminal: %q", log())
	}
	p.wantSource("cache", "device")
	p.wantSource("refreshed", "device", "--force-refresh")
	p.wantNothingSecret(log())
}

// TestDeviceLoginRefused has a person who says no, a code that nobody used, and a service that slows the client down.
func TestDeviceLoginRefused(t *testing.T) {
	t.Parallel()
	again := "\nauthctl: hint: run authctl login device again\n"
	body := func(code string) *string { text := `{"error":"` + code + `"}`; return &text }
	for name, row := range map[string]struct {
		token, ask *sandbox.Fault
		deny       bool
		args       []string
		code       int
		message    string
		hint       string
	}{
		"denied": {deny: true, code: 4, message: "did not log you in: the person refused", hint: "\nauthctl: hint: log in again, as a user who may, and allow it\n"},
		"declined": {
			token: &sandbox.Fault{Status: 400, Body: body("authorization_declined")}, code: 4,
			message: "did not log you in: the person refused", hint: "\nauthctl: hint: log in again, as a user who may, and allow it\n",
		},
		"expired at the service": {
			token: &sandbox.Fault{Status: 400, Body: body("expired_token")}, code: 4, message: "nobody logged in at 127.0.0.1:", hint: again,
		},
		"expired here": {
			ask:  &sandbox.Fault{Extra: map[string]json.RawMessage{"interval": json.RawMessage("1"), "expires_in": json.RawMessage("2")}},
			code: 4, message: "before the code expired", hint: again,
		},
		"given up":     {args: []string{"--timeout", "2s"}, code: 4, message: "nobody did within 2s", hint: again},
		"a fault":      {token: &sandbox.Fault{Status: 503}, args: []string{"--timeout", "2s"}, code: 8, message: "answered 503"},
		"not a client": {token: &sandbox.Fault{Status: 401, Body: body("invalid_client")}, code: 4, message: "invalid_client"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := devicePlace(t)
			if row.ask != nil {
				p.server.ClearFaults()
				row.ask.Path = deviceAskPath
				p.fault(*row.ask)
			}
			if row.token != nil {
				row.token.Path = oauth2TokenPath
				p.fault(*row.token)
			}
			x, log := p.logged(row.args...)
			if row.deny {
				p.decide(log(), false)
			}
			o := x.end()
			if o.code != row.code || o.stdout != "" || !strings.Contains(log(), row.message) || !strings.HasSuffix(log(), row.hint) {
				t.Errorf("exit code %d, %q", o.code, log())
			}
			p.wantNothingSecret(log())
			p.wantLoginAgain("device")
		})
	}
}

// TestDeviceLoginSlowsDown: five seconds more after slow_down (RFC 8628 §3.5), and not only once.
func TestDeviceLoginSlowsDown(t *testing.T) {
	t.Parallel()
	p := devicePlace(t)
	text := `{"error":"slow_down"}`
	p.fault(sandbox.Fault{Path: oauth2TokenPath, Status: 400, Body: &text, Times: 1})
	x, log := p.logged()
	until(t, "the first request is refused", func() bool { return len(p.polls()) == 1 })
	p.decide(log(), true)
	if o := x.end(); o.code != 0 {
		t.Fatalf("exit code %d, %q", o.code, log())
	}
	polls := p.polls()
	if len(polls) != 2 || polls[1].Time.Sub(polls[0].Time) < 6*time.Second {
		t.Errorf("%d requests: %v", len(polls), polls)
	}
}

// TestDeviceLoginOnATerminal: the QR code where it can be shown, and nothing left of it all where somebody gives up.
func TestDeviceLoginOnATerminal(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		rows, columns uint16
		env           []string
		drawn         bool
	}{
		"wide":        {40, 100, []string{"LC_ALL=C.UTF-8"}, true},
		"LANG alone":  {40, 100, []string{"LC_ALL=", "LC_CTYPE=", "LANG=en_US.utf8"}, true},
		"as needed":   {28, 100, []string{"LC_ALL=C.UTF-8"}, true},
		"a line less": {27, 100, []string{"LC_ALL=C.UTF-8"}, false},
		"usual":       {24, 80, []string{"LC_ALL=C.UTF-8"}, false},
		"low":         {20, 100, []string{"LC_ALL=C.UTF-8"}, false},
		"narrow":      {40, 30, []string{"LC_ALL=C.UTF-8"}, false},
		"not UTF-8":   {40, 100, []string{"LC_ALL=C"}, false},
		"no colour":   {40, 100, []string{"LC_ALL=C.UTF-8", "NO_COLOR=1"}, false},
		"unknown":     {0, 0, []string{"LC_ALL=C.UTF-8"}, false},
		"without one": {40, 100, []string{"LC_ALL=C.UTF-8", "TERM=dumb"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := devicePlace(t)
			p.set(append([]string{"NO_COLOR=", "TERM=xterm"}, row.env...)...)
			master, slave := openTerminal(t)
			if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: row.rows, Col: row.columns}); err != nil {
				t.Fatal(err)
			}
			x := &terminal{running: p.prepare("login", "device"), master: master, done: make(chan struct{})}
			x.Cmd.Stdin, x.Cmd.Stderr = slave, slave
			x.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
			err := x.Start()
			_ = slave.Close()
			if err != nil {
				t.Fatal(err)
			}
			go x.watch()
			x.awaitScreen("waiting for the login")
			shown := uncoloured(x.screen())
			page := p.server.URL() + devicePagePath + "?user_code=" + userCode.FindStringSubmatch(shown)[1]
			if drawn := strings.Contains(shown, strings.Join(term.QRCode(page), "\n")); drawn != row.drawn || drawn != strings.Contains(shown, "▀") {
				t.Errorf("drawn: %v, in %q", drawn, x.screen())
			}
			x.types("\x03")
			o, cleared := x.end(), "\r\x1b[K"
			if slices.Contains(row.env, "TERM=dumb") {
				cleared = ""
			}
			if o.code != 130 || !strings.HasSuffix(o.stderr, cleared+"authctl: nobody was logged in\r\n") {
				t.Errorf("exit code %d, terminal %q", o.code, o.stderr)
			}
			if utf8 := !slices.Contains(row.env, "LC_ALL=C"); strings.Contains(o.stderr, "⠋") != (utf8 && cleared != "") {
				t.Errorf("the spinner is in %q", o.stderr)
			}
			if cleared == "" && strings.Contains(o.stderr, "\x1b[K") {
				t.Errorf("a dumb terminal gets %q", o.stderr)
			}
			p.wantLoginAgain("device")
		})
	}
}

// uncoloured is what a terminal shows without its colours.
func uncoloured(screen string) string {
	return strings.ReplaceAll(regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(screen, ""), "\r\n", "\n")
}

// TestDeviceLoginGoesOn: a login that is stopped and continued ends as any other; a browser of the desktop gets the
// address with the code, and a silent login shows only what has to be seen.
func TestDeviceLoginGoesOn(t *testing.T) {
	t.Parallel()
	p := devicePlace(t)
	addresses := p.mailbox("address")
	p.set("BROWSER=" + p.script("browser", `printf '%s\n' "$1" >"${0%/*}/address"`))
	x, log := p.logged("--quiet")
	address := addresses.next()
	if code := userCode.FindStringSubmatch(log())[1]; address != p.server.URL()+devicePagePath+"?user_code="+code {
		t.Errorf("the browser was started with %s", address)
	}
	if lines := strings.Split(strings.TrimSpace(log()), "\n"); len(lines) != 3 || strings.Contains(log(), "authctl") {
		t.Errorf("shown is %q", log())
	}
	for _, signal := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
		if err := x.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	p.decide(log(), true)
	if o := x.end(); o.code != 0 {
		t.Errorf("exit code %d, %q", o.code, log())
	}
	p.wantSource("cache", "device")
}

// TestDeviceRepliesThatCannotBeUsed: nothing of them reaches the terminal raw, and nobody is asked to wait.
func TestDeviceRepliesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	p := devicePlace(t)
	for _, row := range [][3]string{
		{"interval", "1000000000", "interval is 1000000000, which is over five minutes"},
		{"interval", "-1", "interval is negative"},
		{"expires_in", "0", "expires_in is 0"},
		{"expires_in", `"\u001b[31msoon"`, `expires_in is "[31msoon"`},
		{"user_code", `"AB\u001b]0;owned\u0007CD"`, `user_code has characters that nobody can type: "AB ]0;owned CD"`},
		{"user_code", "null", "it has no user_code"},
		{"verification_uri", `"http://id.example/"`, "verification_uri cannot be used: plain http is for loopback only"},
		{"verification_uri", `"https://a:b@id.example/"`, "verification_uri cannot be used: it has a user name or password in it"},
		{"verification_uri_complete", `"https://id.example/\u001b[2J"`, "verification_uri_complete has blanks or bytes outside printable ASCII"},
	} {
		p.server.ClearFaults()
		p.fault(sandbox.Fault{Path: deviceAskPath, Extra: map[string]json.RawMessage{row[0]: json.RawMessage(row[1])}})
		o := p.run("login", "device")
		if o.code != 9 || o.stdout != "" || !strings.Contains(o.stderr, row[2]) || strings.ContainsAny(o.stderr, "\x1b\x07") {
			t.Errorf("%s %s: exit code %d, %q", row[0], row[1], o.code, o.stderr)
		}
	}
	if polls := p.polls(); len(polls) != 0 {
		t.Errorf("the token endpoint was asked %d times", len(polls))
	}
	if asked := slices.DeleteFunc(p.server.Requests(), func(r sandbox.Request) bool { return r.Path != deviceAskPath }); len(asked) != 9 {
		t.Errorf("the device endpoint was asked %d times, want 9", len(asked))
	}
}
