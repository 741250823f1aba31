package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
)

// wantAnswer requires that a command prints all parts and nothing on stderr but what stderr says.
func (p *place) wantAnswer(command, stderr string, parts ...string) {
	p.t.Helper()
	o := p.run(strings.Fields(command)...)
	if o.code != 0 || !strings.Contains(o.stderr, stderr) || stderr == "" && o.stderr != "" {
		p.t.Errorf("%s: exit code %d, stderr %q", command, o.code, o.stderr)
	}
	for _, part := range parts {
		if !strings.Contains(o.stdout, part) {
			p.t.Errorf("%s: %q lacks %q", command, o.stdout, part)
		}
	}
	p.wantNothingSecret(o.stdout + o.stderr)
}

func TestWhoLoggedInAtTalkdesk(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	p.login("talkdesk-login")
	p.wantAnswer("userinfo talkdesk-login", "", "\nemail ", sandbox.TalkdeskUser, "\nname ", "Jane Doe")
	p.wantAnswer("userinfo talkdesk-login -o json", "", `"email":"`+sandbox.TalkdeskUser+`"`, `"name":"Jane Doe"`)

	// The service's own 403: this person's token lacks the scope.
	narrow := []string{"--scope", "account:read"}
	p.startLogin("talkdesk-login", narrow...).finish()
	o := p.run(append([]string{"userinfo", "talkdesk-login"}, narrow...)...)
	wantFailures(t, 5, []outcome{o})
	if !strings.Contains(o.stderr, "/users/me answered 403 ") || !strings.Contains(o.stderr, "the scope openid is needed") {
		t.Errorf("stderr %q", o.stderr)
	}
	if got := p.tokenGrants(); got != "authorization_code authorization_code" {
		t.Errorf("the service was asked for %s", got)
	}
}

// TestKeptOfALogin has the session and the ID token in the record for who asks, and for nobody else.
func TestKeptOfALogin(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	p.login("talkdesk-login")
	const kept = `"scopes_granted":["openid","account:read"],"sid":"`
	o := p.run("token", "inspect", "talkdesk-login", "-o", "json")
	if o.code != 0 || strings.Contains(o.stdout, "id_token_claims") || strings.Contains(o.stdout, kept) {
		t.Errorf("unasked: exit code %d, %s", o.code, o.stdout)
	}
	p.set("AUTHCTL_KEEP=sid,id_token")
	p.login("talkdesk-login")
	p.wantAnswer("token inspect talkdesk-login", "", "\nsession ", "\nID token, unverified\n", "\nnonce ")
	p.wantAnswer("token inspect talkdesk-login -o json", "", kept, `"id_token_claims":{`)
	// A refresh brings no ID token: what the login brought stays.
	p.wantSource("refreshed", "talkdesk-login", "--force-refresh")
	p.wantAnswer("token inspect talkdesk-login -o json", "", kept, `"id_token_claims":{`)
}

func TestWhoLoggedInAtGenesys(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	p.login("genesys-login")
	const unverified = "authctl: warning: unverified: "
	p.wantAnswer("userinfo genesys-login", "", "\nloginName ", "\ndbid ")
	p.wantAnswer("userinfo genesys-login --view user -o json", "", `"cmeUserName":"jane"`)
	p.wantAnswer("userinfo genesys-login --view openid", "", "\nemail ", "jane@acme.example")
	p.wantAnswer("userinfo genesys-login --view openid -o json", "", `"user_name":"jane"`)
	p.wantAnswer("userinfo genesys-login --view jwt", unverified, "\nsub ", "\nexp ")
	p.wantAnswer("userinfo genesys-login --view jwt -o json", unverified, `"client_id":"sandbox-genesys"`)
	p.wantAnswer("ping genesys-login", "", "/auth/v3/ping answers and accepts the token")
	p.wantAnswer("signout genesys-login --require-remote", "authctl: genesys-login: ended this session\n")
	p.wantLoginAgain("genesys-login")
	if got := p.tokenGrants(); got != "authorization_code" {
		t.Errorf("the service was asked for %s", got)
	}
}

// TestSignInThatTheServiceRefuses has a person who meets an error page: the program learns nothing of it and waits.
func TestSignInThatTheServiceRefuses(t *testing.T) {
	t.Parallel()
	for profile, path := range map[string]string{
		"genesys-login": "/auth/v3/oauth/authorize", "talkdesk-login": "/oauth/authorize",
	} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fileStore()
			p.fault(sandbox.Fault{Path: path, Status: 401, Times: 1})
			l := p.startLogin(profile)
			if at, err := jane(l.address).SignIn(t.Context(), l.address); err == nil || !strings.Contains(err.Error(), "401") {
				t.Errorf("the browser is sent to %s, %v; want a page with status 401", at, err)
			}
			// The same address, opened again.
			l.finish()
			p.wantSource("cache", profile)
		})
		t.Run(profile+" for ever", func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fileStore()
			p.set("AUTHCTL_CLIENT_ID=nobody")
			l := p.startLogin(profile, "--timeout", "2s")
			if at, err := jane(l.address).SignIn(t.Context(), l.address); err == nil || !strings.Contains(err.Error(), "401") {
				t.Errorf("the browser is sent to %s, %v; want the service's own page with status 401", at, err)
			}
			o := l.end()
			if o.code != 4 || o.stdout != "" || !strings.Contains(o.stderr, "nobody did within 2s") {
				t.Errorf("exit code %d, terminal %q", o.code, o.stderr)
			}
			l.wantPortFree()
			if n := len(p.tokenRequests()); n != 0 {
				t.Errorf("%d token requests, want none", n)
			}
		})
	}
}

// TestIssuerOfTheAnswer has services that say who they are (RFC 9207).
func TestIssuerOfTheAnswer(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{"genesys-login", "talkdesk-login"} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fileStore()
			foreign := map[string]string{"iss": "https://evil.example/\x1b[2J"}
			p.fault(sandbox.Fault{Path: signInPath(profile), Callback: foreign})
			l := p.startLogin(profile)
			status, page := visit(t, http.MethodGet, l.signIn(), nil)
			o := l.end()
			if status != http.StatusOK || !strings.Contains(page, "Login did not work") || strings.Contains(page, "evil") {
				t.Errorf("status %d, page %q", status, page)
			}
			if o.code != 9 || o.stdout != "" || !strings.Contains(o.stderr, "RFC 9207") || strings.Contains(o.stderr, "\x1b[2J") {
				t.Errorf("exit code %d, terminal %q", o.code, o.stderr)
			}
			p.wantLoginAgain(profile)
			if n := len(p.tokenRequests()); n != 0 {
				t.Errorf("%d token requests: the code went to the service that did not give it", n)
			}
			p.server.ClearFaults()
			p.fault(sandbox.Fault{Path: signInPath(profile), Callback: map[string]string{"iss": p.server.URL()}})
			p.login(profile)
			p.wantSource("cache", profile)
		})
	}
}
