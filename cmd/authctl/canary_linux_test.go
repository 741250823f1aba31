package main

import (
	"net/http"
	"os"
	"path/filepath"
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
			trace := filepath.Join(p.dir, "login.har")
			p.wantSilent(p.startLogin(profile, "--verbose", "--trace", trace).finish().stderr)
			text, err := os.ReadFile(trace)
			if err != nil || !strings.Contains(string(text), `"name":"code","value":"secret:`) {
				t.Errorf("the record has no code: %v", err)
			}
			p.wantSilent(string(text))
			list := []spoken{
				{args: "token get " + profile, prints: true},
				{args: "token get " + profile + " --force-refresh", prints: true},
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
				p.speak(c)
			}
			p.wantCleanDisk(p.dir)
		})
	}
}

// TestSecretsAreNotShownByAFailedLogin has a service whose error repeats the code that came with it.
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
		})
	}
}
