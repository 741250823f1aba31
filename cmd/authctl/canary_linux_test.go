package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
)

// TestSecretsAreNotShownByLogin logs in at the highest log level, and does with that login what there is to do.
func TestSecretsAreNotShownByLogin(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{"genesys-login", "genesys-public", "talkdesk-login", "talkdesk-login-jwt"} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fileStore()
			p.wantSilent(p.startLogin(profile, "--verbose").finish().stderr)
			p.wantSilent(p.startLogin(profile, "--verbose", "--no-browser=false").finish().stderr)
			list := []spoken{
				{args: "token get " + profile, prints: true},
				{args: "token get " + profile + " --force-refresh", prints: true},
				{args: "token get " + profile + " --dry-run --force-refresh"},
				{args: "token list -o json"},
				{args: "token inspect " + profile},
				{args: "token inspect -o json " + profile},
				{args: "userinfo " + profile},
				{args: "userinfo -o json " + profile},
				{args: "signout " + profile + " --dry-run"},
				{args: "signout " + profile},
				{args: "token get " + profile, code: 4},
			}
			for _, c := range list {
				if strings.HasPrefix(profile, "talkdesk") && strings.HasSuffix(c.args, "signout "+profile+" --dry-run") {
					c.code = 6 // there is no request to show
				}
				p.speak(c)
			}
			p.wantCleanDisk(p.dir)
		})
	}
}

// TestSecretsAreNotShownByAFailedLogin has a service that gives the code away, and one that repeats what it was sent.
func TestSecretsAreNotShownByAFailedLogin(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{"genesys-login", "talkdesk-login"} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fileStore()
			text := sandbox.Marker + "-passed-through"
			p.fault(sandbox.Fault{Path: signInPath(profile), Callback: map[string]string{
				"error": "server_error", "error_description": "the code was " + text, "code": text,
			}})
			l := p.startLogin(profile, "--verbose")
			_, page := visit(t, http.MethodGet, l.signIn(), nil)
			o := l.end()
			if o.code == 0 {
				t.Error("the login worked")
			}
			p.wantSilent(page + o.stdout + o.stderr)

			p.server.ClearFaults()
			body := `{"error":"invalid_grant","error_description":"code ` + text + `"}`
			p.fault(sandbox.Fault{Path: tokenPath(profile), Status: 400, Body: &body})
			l = p.startLogin(profile, "--verbose")
			callback := l.signIn()
			_, page = visit(t, http.MethodGet, callback, nil)
			o = l.end()
			if o.code == 0 {
				t.Error("the login worked")
			}
			p.wantSilent(page + o.stdout + strings.ReplaceAll(o.stderr, text, ""))
		})
	}
}
