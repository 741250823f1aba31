package main

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
)

// expiredLogin logs in and returns when the token has ended. The sandbox takes each refresh token once, and a second
// use ends the session (RFC 9700 §4.14.2).
func (p *place) expiredLogin(profile string) {
	p.t.Helper()
	p.fault(sandbox.Fault{Path: tokenPath(profile), ExpiresIn: json.RawMessage("1"), Times: 1})
	p.login(profile)
	<-time.After(time.Second) // the token's life
}

func TestManyProcessesRefreshALoginOnce(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{"genesys-login", "talkdesk-login"} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, p *place) {
				p.expiredLogin(profile)
				p.fault(sandbox.Fault{Path: tokenPath(profile), DelayMS: 300, Times: 1})
				wantTokens(t, p.atOnce(20, "token", "get", profile))
				// The session is alive: this needs the refresh token that replaced the first.
				p.wantSource("refreshed", profile, "--force-refresh")
				if got := p.tokenGrants(); got != "authorization_code refresh_token refresh_token" {
					t.Errorf("the service was asked for %s, want one refresh, then the forced one", got)
				}
			})
		})
	}
}

// TestKilledBetweenReplyAndWrite has a process that dies when the service has replaced the refresh token and the store
// has the old one.
func TestKilledBetweenReplyAndWrite(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{"genesys-login", "talkdesk-login"} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, p *place) {
				p.expiredLogin(profile)
				p.fault(sandbox.Fault{Path: tokenPath(profile), DelayMS: aWhile, Times: 1})
				holder := p.start("token", "get", profile)
				p.awaitTokenRequests(2)
				if err := holder.Process.Signal(syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				if o := holder.end(); o.code != -1 || o.stdout != "" {
					t.Errorf("the killed process: exit code %d, %d bytes on stdout", o.code, len(o.stdout))
				}
				first := p.run("token", "get", profile)
				hint := "authctl: hint: log in: authctl login " + profile + "\n"
				if first.code != 4 || first.stdout != "" || !strings.Contains(first.stderr, "broken off") ||
					!strings.HasSuffix(first.stderr, hint) {
					t.Errorf("exit code %d, stderr %q; want 4, the reason and %q", first.code, first.stderr, hint)
				}
				p.wantLoginAgain(profile)
				if got := p.tokenGrants(); got != "authorization_code refresh_token" {
					t.Errorf("the service was asked for %s, want no second refresh", got)
				}
				p.login(profile)
				p.wantSource("cache", profile)
			})
		})
	}
}

// TestLoginWithoutLifetime has a service that never says how long its tokens live (RFC 6749 §5.1 only recommends it).
func TestLoginWithoutLifetime(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	p.fault(sandbox.Fault{Path: genesysTokenPath, ExpiresIn: json.RawMessage(`"missing"`), Times: 3})
	p.login("genesys-login")
	p.wantSource("refreshed", "genesys-login")
	p.wantSource("refreshed", "genesys-login")
	p.wantSource("refreshed", "genesys-login") // with a lifetime
	p.wantSource("cache", "genesys-login")
}
