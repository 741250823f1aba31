package main

import (
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
)

const (
	genesysTokenPath  = "/auth/v3/oauth/token"
	talkdeskTokenPath = "/oauth/token"
)

// tokenPath is where a profile of the sandbox gets its tokens.
func tokenPath(profile string) string {
	if strings.HasPrefix(profile, "genesys") {
		return genesysTokenPath
	}
	return talkdeskTokenPath
}

// signInPath is where the form of a profile's sign-in page is posted to.
func signInPath(profile string) string {
	if strings.HasPrefix(profile, "genesys") {
		return "/auth/v3/sign-in"
	}
	return "/oauth/sign-in"
}

// tokenRequests returns the requests to the token endpoints.
func (p *place) tokenRequests() []sandbox.Request {
	var list []sandbox.Request
	for _, r := range p.server.Requests() {
		if r.Path == genesysTokenPath || r.Path == talkdeskTokenPath {
			list = append(list, r)
		}
	}
	return list
}

// tokenGrants returns the grant types of the requests to the token endpoints, in their order.
func (p *place) tokenGrants() string {
	var list []string
	for _, r := range p.tokenRequests() {
		list = append(list, r.GrantType)
	}
	return strings.Join(list, " ")
}

// wantSource requires a token, and where it came from.
func (p *place) wantSource(source, profile string, args ...string) {
	p.t.Helper()
	o := p.run(append([]string{"token", "get", profile, "-o", "json"}, args...)...)
	if o.code != 0 || !strings.Contains(o.stdout, `"source":"`+source+`"`) {
		p.t.Errorf("%s: exit code %d, stderr %q; want a token, %s", profile, o.code, o.stderr, source)
	}
}

// wantLoginAgain requires a failure that tells the exact command to log in with.
func (p *place) wantLoginAgain(profile string, args ...string) {
	p.t.Helper()
	o := p.run(append([]string{"token", "get", profile}, args...)...)
	hint := "authctl: hint: log in: authctl login " + profile + "\n"
	if o.code != 4 || o.stdout != "" || !strings.HasSuffix(o.stderr, hint) {
		p.t.Errorf("exit code %d, %d bytes on stdout, stderr %q; want 4, none, the end %q",
			o.code, len(o.stdout), o.stderr, hint)
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{"genesys-login", "genesys-public", "talkdesk-login", "talkdesk-login-jwt"} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fileStore()
			p.fault(sandbox.Fault{Path: tokenPath(profile), ExpiresIn: json.RawMessage("1"), Times: 1})
			shown := p.login(profile).stderr
			p.wantNothingSecret(shown)
			<-time.After(time.Second) // the token's life
			p.wantSource("refreshed", profile)
			p.wantSource("cache", profile)
			p.wantSource("refreshed", profile, "--force-refresh") // by the refresh token that replaced the first
			if got := p.tokenGrants(); got != "authorization_code refresh_token refresh_token" {
				t.Errorf("the service was asked for %s", got)
			}
			p.wantCodeRequest(profile)

			p.fault(sandbox.Fault{Path: tokenPath(profile), Status: 400, Body: refusedRefresh(profile), Times: 1})
			p.wantLoginAgain(profile, "--force-refresh")
			asked := len(p.tokenRequests())
			// A refused refresh token is not sent again.
			p.wantLoginAgain(profile, "--force-refresh")
			if n := len(p.tokenRequests()); n != asked {
				t.Errorf("the service was asked %d times more", n-asked)
			}
			p.login(profile)
			p.wantSource("cache", profile)
		})
	}
}

// refusedRefresh is how each service refuses a refresh token.
func refusedRefresh(profile string) *string {
	body := `{"error":"invalid_grant","error_description":"Invalid refresh token"}`
	if strings.HasPrefix(profile, "genesys") {
		body = `{"status":{"code":400,"message":"invalid_grant: Invalid refresh token","detail":{}}}`
	}
	return &body
}

// wantNothingSecret requires that text shows no secret that the sandbox knows.
func (p *place) wantNothingSecret(text string) {
	p.t.Helper()
	for _, secret := range append(p.server.IssuedSecrets(), sandbox.Marker) {
		if strings.Contains(text, secret) {
			p.t.Errorf("%q shows a secret", text)
		}
	}
}

// wantCodeRequest looks at how the code was traded.
func (p *place) wantCodeRequest(profile string) {
	p.t.Helper()
	r := p.tokenRequests()[0]
	_, basic := r.Headers["Authorization"]
	_, id := r.Form["client_id"]
	_, assertion := r.Form["client_assertion"]
	_, verifier := r.Form["code_verifier"]
	wantBasic := profile == "genesys-login" || profile == "talkdesk-login"
	wantID := profile == "genesys-public"
	if basic != wantBasic || wantID && !id || assertion != strings.HasSuffix(profile, "jwt") || !verifier ||
		!strings.HasPrefix(r.Form["redirect_uri"], "http://127.0.0.1:") {
		p.t.Errorf("basic %v, client_id %v, assertion %v, verifier %v, redirect_uri %q",
			basic, id, assertion, verifier, r.Form["redirect_uri"])
	}
}

func TestLoginKeepsTokensInEachStore(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, p *place) {
		p.login("genesys-login")
		p.wantSource("cache", "genesys-login")
		if o := p.run("token", "list"); o.code != 0 || !strings.Contains(o.stdout, "genesys-login") {
			t.Errorf("token list: exit code %d, %q", o.code, o.stdout)
		}
	})
}

// setting adds a line to a profile of the sandbox's configuration.
func (p *place) setting(profile, line string) {
	p.t.Helper()
	text, err := os.ReadFile(p.path("config.yaml"))
	if err != nil {
		p.t.Fatal(err)
	}
	head := "  " + profile + ":\n"
	if strings.Count(string(text), head) != 1 {
		p.t.Fatalf("no profile %s", profile)
	}
	p.configure(strings.Replace(string(text), head, head+"    "+line+"\n", 1))
}

func TestLoginSettings(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	tests := []struct {
		name, profile, setting string
		want, without          []string // parts of the address
	}{
		{
			"as it is", "genesys-login", "",
			[]string{"response_type=code", "code_challenge_method=S256", "code_challenge=", "state=", "client_id=sandbox-genesys"},
			[]string{"hideTenant=true", "nonce="},
		},
		{"hidden tenant", "genesys-login", "hide_tenant: true", []string{"hideTenant=true"}, nil},
		{
			"fixed port", "genesys-login", `redirect_port: "` + port + `"`,
			[]string{"redirect_uri=" + url.QueryEscape("http://127.0.0.1:"+port+"/callback") + "&"},
			nil,
		},
		{"no proof", "genesys-login", "pkce: false", []string{"state="}, []string{"code_challenge"}},
		{"no proof from talkdesk", "talkdesk-login", "pkce: false", []string{"state=", "nonce="}, []string{"code_challenge"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fileStore()
			if tt.setting != "" {
				p.setting(tt.profile, tt.setting)
			}
			l := p.startLogin(tt.profile)
			for _, part := range tt.want {
				if !strings.Contains(l.address, part) {
					t.Errorf("%s lacks %s", l.address, part)
				}
			}
			for _, part := range tt.without {
				if strings.Contains(l.address, part) {
					t.Errorf("%s has %s", l.address, part)
				}
			}
			l.finish()
			_, verifier := p.tokenRequests()[0].Form["code_verifier"]
			if verifier != strings.Contains(l.address, "code_challenge") {
				t.Errorf("verifier sent: %v", verifier)
			}
		})
	}
}

// freePort returns a port that nobody has, or had a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestLoginWithoutBrowser(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	p.set("CI=", "NO_COLOR=1", "BROWSER="+p.script("browser", `: >"${0%/*}/started"`))
	x := p.inTerminal("login", "genesys-login", "--no-browser")
	x.awaitScreen("waiting for the browser")
	_, rest, _ := strings.Cut(x.screen(), "\r\nhttp://")
	address, _, _ := strings.Cut(rest, "\r\n")
	l := &login{x, p, "http://" + address}
	l.finish()
	if _, err := os.Stat(p.path("started")); err == nil {
		t.Error("a browser was started")
	}
	p.wantSource("cache", "genesys-login")
}

func TestLoginWithoutTerminal(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set("CI=")
	wantFailures(t, 4, []outcome{p.run("login", "genesys-login")})
	p.set("CI=true")
	if o := p.inTerminal("login", "genesys-login").end(); o.code != 4 {
		t.Errorf("CI=true: exit code %d, want 4", o.code)
	}
	p.wantRequests(0, 0)
}

// TestRefusedLogin has a service that would write on the terminal.
func TestRefusedLogin(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{"genesys-login", "talkdesk-login"} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fileStore()
			l := p.startLogin(profile)
			p.fault(sandbox.Fault{Path: signInPath(profile), Callback: map[string]string{
				"code": "", "error": "access_denied",
				"error_description": "no \x1b]0;owned\x07\x1b[2J\u202e\nauthctl: logged in" + strings.Repeat("x", 5000),
			}})
			status, page := visit(t, http.MethodGet, l.signIn(), nil)
			o := l.end()
			if status != http.StatusOK || !strings.Contains(page, "Login did not work") || strings.Contains(page, "owned") {
				t.Errorf("status %d, page %q", status, page)
			}
			if o.code != 4 || o.stdout != "" || !strings.Contains(o.stderr, "access_denied") {
				t.Errorf("exit code %d, terminal %q", o.code, o.stderr)
			}
			for _, raw := range []string{"\x1b]", "\x1b[2J", "\x07", "\u202e", "\nauthctl: logged in", strings.Repeat("x", 300)} {
				if strings.Contains(o.stderr, raw) {
					t.Errorf("the terminal was sent %q: %q", raw, o.stderr)
				}
			}
			p.wantLoginAgain(profile)
			if n := len(p.tokenRequests()); n != 0 {
				t.Errorf("%d token requests, want none", n)
			}
		})
	}
}

func TestInterruptedLogin(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		end  func(l *login) error
		code int
	}{
		"Ctrl-C":  {func(l *login) error { _, err := l.master.WriteString("\x03"); return err }, 130},
		"SIGTERM": {func(l *login) error { return l.Process.Signal(syscall.SIGTERM) }, 143},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fileStore()
			l := p.startLogin("genesys-login")
			l.awaitScreen("waiting for the browser")
			if err := row.end(l); err != nil {
				t.Fatal(err)
			}
			o := l.end()
			if o.code != row.code || o.stdout != "" || strings.Contains(o.stderr, "error") {
				t.Errorf("exit code %d, %d bytes on stdout, terminal %q", o.code, len(o.stdout), o.stderr)
			}
			if !strings.HasSuffix(o.stderr, "\x1b[K") {
				t.Errorf("the spinner is left behind: %q", o.stderr)
			}
			l.wantPortFree()
			p.wantLoginAgain("genesys-login")
		})
	}
}

// wantPortFree requires that nobody listens for the redirect any more.
func (l *login) wantPortFree() {
	l.t.Helper()
	address, err := url.Parse(l.address)
	if err != nil {
		l.t.Fatal(err)
	}
	redirect, err := url.Parse(address.Query().Get("redirect_uri"))
	if err != nil {
		l.t.Fatal(err)
	}
	listener, err := net.Listen("tcp4", redirect.Host)
	if err != nil {
		l.t.Fatalf("the port is not free: %v", err)
	}
	_ = listener.Close()
}

// TestLoginOfAnotherNonce has an ID token that was made for another login (OpenID Connect Core §3.1.3.7).
func TestLoginOfAnotherNonce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	idToken, err := json.Marshal(part(`{"alg":"ES256"}`) + "." + part(`{"nonce":"of-another-login"}`) + "." + part("unsigned"))
	if err != nil {
		t.Fatal(err)
	}
	p.fault(sandbox.Fault{Path: talkdeskTokenPath, Times: 1, Extra: map[string]json.RawMessage{"id_token": idToken}})
	l := p.startLogin("talkdesk-login")
	if !strings.Contains(l.address, "nonce=") {
		t.Errorf("%s has no nonce", l.address)
	}
	_, page := visit(t, http.MethodGet, l.signIn(), nil)
	o := l.end()
	if o.code != 9 || !strings.Contains(page, "Login did not work") || !strings.Contains(o.stderr, "nonce") {
		t.Errorf("exit code %d, terminal %q", o.code, o.stderr)
	}
	p.wantLoginAgain("talkdesk-login")
}

// TestCallbackUnderFire sends everything at a waiting login that is not its answer.
func TestCallbackUnderFire(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{"genesys-login", "talkdesk-login"} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			underFire(t, profile)
		})
	}
}

func underFire(t *testing.T, profile string) {
	t.Helper()
	p := newPlace(t)
	p.fileStore()
	l := p.startLogin(profile)
	answer := l.signIn()
	right, err := url.Parse(answer)
	if err != nil {
		t.Fatal(err)
	}
	slow := slowClient(t, right.Host)
	query := right.Query()
	with := func(name, value string) string {
		u, changed := *right, right.Query()
		changed.Set(name, value)
		if value == "" {
			changed.Del(name)
		}
		u.RawQuery = changed.Encode()
		return u.String()
	}
	at := func(path string) string { return "http://" + right.Host + path }
	for _, shot := range []struct {
		name, method, address string
		change                func(*http.Request)
		status                []int
	}{
		{"wrong state", "GET", with("state", "another"), nil, []int{400}},
		{"no state", "GET", with("state", ""), nil, []int{400}},
		{"two states", "GET", answer + "&state=another", nil, []int{400}},
		{"error of another login", "GET", at("/callback?error=access_denied&state=x"), nil, []int{400}},
		{"error without state", "GET", at("/callback?error=access_denied&error_description=%1B%5B2J"), nil, []int{400}},
		{"nothing", "GET", at("/callback"), nil, []int{400}},
		// The server may hang up on headers that long before they are sent.
		{"a long query", "GET", with("state", strings.Repeat("s", 1<<20)), nil, []int{431, 0}},
		{"a rather long query", "GET", with("state", strings.Repeat("s", 20<<10)), nil, []int{414}},
		{"favicon", "GET", at("/favicon.ico"), nil, []int{404}},
		{"another path", "GET", at("/callback/?" + right.RawQuery), nil, []int{404}},
		{"POST", "POST", answer, nil, []int{405}},
		{"HEAD", "HEAD", answer, nil, []int{405}},
		{"foreign host", "GET", answer, func(r *http.Request) { r.Host = "evil.example" }, []int{421}},
	} {
		status, page := visit(t, shot.method, shot.address, shot.change)
		ok := false
		for _, want := range shot.status {
			ok = ok || status == want
		}
		if !ok || strings.Contains(page, query.Get("code")) && status != 0 {
			t.Errorf("%s: status %d, want one of %v, and no code on the page", shot.name, status, shot.status)
		}
	}
	if o := l.screen(); strings.Contains(o, "error") {
		t.Errorf("the terminal shows %q", o)
	}
	// The second success comes while the first is being traded for a token.
	p.fault(sandbox.Fault{Path: tokenPath(profile), DelayMS: 500, Times: 1})
	first := make(chan int, 1)
	go func() {
		status, _ := visit(t, http.MethodGet, answer, nil)
		first <- status
	}()
	p.awaitTokenRequests(1)
	second, _ := visit(t, http.MethodGet, answer, nil)
	o := l.end()
	if status := <-first; status != http.StatusOK || second == http.StatusOK || o.code != 0 {
		t.Errorf("first %d, second %d, exit code %d, terminal %q; want one success", status, second, o.code, o.stderr)
	}
	_ = slow.Close()
	p.wantNothingSecret(o.stderr)
	p.wantSource("cache", profile)
	if got := p.tokenGrants(); got != "authorization_code" {
		t.Errorf("the service was asked for %s, want one code", got)
	}
}

// slowClient connects, says half a request and leaves it at that.
func slowClient(t *testing.T, host string) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp4", host) //nolint:noctx // loopback
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	if _, err := connection.Write([]byte("GET /callback?state=")); err != nil {
		t.Fatal(err)
	}
	return connection
}

// awaitTokenRequests waits until the token endpoints have seen n requests.
func (p *place) awaitTokenRequests(n int) {
	p.t.Helper()
	end := time.After(patience)
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for len(p.tokenRequests()) < n {
		select {
		case <-end:
			p.t.Fatalf("the token endpoint has seen %d requests, want %d", len(p.tokenRequests()), n)
		case <-look.C:
		}
	}
}
