package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
)

// TestAnswerWithoutState has a service that sends no state back (as Genesys' own
// simulator does), and answers of other logins.
func TestAnswerWithoutState(t *testing.T) {
	t.Parallel()
	const hint = "set require_state: false in the profile"
	for name, row := range map[string]struct {
		setting  string
		callback map[string]string // what the service changes of its answer
		came     string            // what the terminal says at once, empty when the login is done
		hinted   bool
	}{
		"no state":                         {"", map[string]string{"state": ""}, "it has no state", true},
		"another state":                    {"", map[string]string{"state": "another"}, "state is not the one that was sent", false},
		"nothing at all":                   {"", map[string]string{"state": "", "code": ""}, "it has no state", false},
		"a refusal without state":          {"", map[string]string{"state": "", "code": "", "error": "access_denied"}, "it has no state", true},
		"no state, allowed":                {"require_state: false", map[string]string{"state": ""}, "", false},
		"the right state, none needed":     {"require_state: false", map[string]string{}, "", false},
		"another state, although none has": {"require_state: false", map[string]string{"state": "another"}, "state is not the one that was sent", false},
	} {
		for _, profile := range []string{"genesys-login", "talkdesk-login"} {
			t.Run(name+", "+profile, func(t *testing.T) {
				t.Parallel()
				p := newPlace(t)
				p.fileStore()
				p.set("COLUMNS=1000")
				if row.setting != "" {
					p.setting(profile, row.setting)
				}
				l := p.startLogin(profile)
				if len(row.callback) > 0 {
					p.fault(sandbox.Fault{Path: signInPath(profile), Callback: row.callback})
				}
				status, _ := visit(t, http.MethodGet, l.signIn(), nil)
				if row.came == "" {
					if o := l.end(); o.code != 0 || status != http.StatusOK {
						t.Fatalf("page %d, exit code %d, terminal %q", status, o.code, o.stderr)
					}
					p.wantSource("cache", profile)
					return
				}
				// It is said while the login goes on, and the right answer still counts.
				l.awaitScreen("somebody came")
				text := flat(l.screen())
				if status != http.StatusBadRequest || !strings.Contains(text, "the wait goes on: the redirect cannot be used: "+row.came) ||
					strings.Contains(text, hint) != row.hinted {
					t.Errorf("page %d, hinted %v, terminal %q", status, row.hinted, text)
				}
				p.server.ClearFaults()
				l.finish()
			})
		}
	}
}

// flat is what a terminal shows, its line ends blanks.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// TestRedirectURI is said at the start of a login, and again when nobody came.
func TestRedirectURI(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	for name, row := range map[string]struct{ setting, start, end string }{
		"a free port": {
			"", "on a free port; where the service wants it registered, choose one with redirect_port",
			"register the redirect URI http://127.0.0.1:PORT/callback, with redirect_port: PORT in the profile",
		},
		"a port of ours": {
			"redirect_port: " + port, "the redirect URI is http://127.0.0.1:" + port + "/callback",
			"register the redirect URI http://127.0.0.1:" + port + "/callback",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fileStore()
			if row.setting != "" {
				p.setting("genesys-login", row.setting)
			}
			l := p.startLogin("genesys-login", "--timeout", "3s")
			redirect, err := url.Parse(l.address)
			if err != nil {
				t.Fatal(err)
			}
			visit(t, http.MethodGet, redirect.Query().Get("redirect_uri")+"?code=fake-code", nil)
			text := flat(l.end().stderr)
			for _, part := range []string{
				row.start, row.end, "nobody did within 3s; somebody came, but the redirect cannot be used: it has no state",
				"log in: authctl login genesys-login",
			} {
				if !strings.Contains(text, part) {
					t.Errorf("%q lacks %q", text, part)
				}
			}
		})
	}
}

// TestLoginWithoutRefreshToken says when a person is needed again.
func TestLoginWithoutRefreshToken(t *testing.T) {
	t.Parallel()
	for profile, more := range map[string]string{
		"genesys-login": "", "talkdesk-login": "; in Talkdesk the grant type Refresh token is ticked for a client",
	} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fileStore()
			p.fault(sandbox.Fault{
				Path: tokenPath(profile), Omit: []string{"refresh_token"}, ExpiresIn: []byte("1800"), Times: 1,
			})
			text := flat(p.login(profile).stderr)
			for _, part := range []string{"warning: ", " gave no refresh token: a person has to log in again in ", more} {
				if !strings.Contains(text, part) {
					t.Errorf("%q lacks %q", text, part)
				}
			}
			if again := flat(p.login(profile).stderr); strings.Contains(again, "no refresh token") {
				t.Errorf("with a refresh token: %q", again)
			}
		})
	}
}

// TestStateNeedsProof: without state, PKCE is what is left, and must not be off.
func TestStateNeedsProof(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.setting("genesys-login", "require_state: false\n    pkce: false")
	o := p.run("login", "genesys-login", "--dry-run")
	if o.code != 3 || !strings.Contains(o.stderr, "require_state is false, and pkce too") {
		t.Errorf("exit code %d, %q", o.code, o.stderr)
	}
}
