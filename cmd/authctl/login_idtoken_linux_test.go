package main

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
)

// issuerPlace is a place with one profile, which logs in at the sandbox's plain issuer.
func issuerPlace(t *testing.T) *place {
	t.Helper()
	p := newPlace(t)
	p.fileStore()
	profile := "profiles: {jane: {provider: oauth2, issuer: " + p.server.URL() + "/openid/main, grant: authorization_code, " +
		"client_id: sandbox-oauth2-public, client_auth: none, scopes: [openid, profile], keep: [id_token]}}"
	if err := os.WriteFile(p.path("config.yaml"), []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	p.set("XDG_STATE_HOME=" + p.path("state"))
	return p
}

// TestLoginChecksIDTokens logs in at an issuer whose ID tokens are good, and at one whose are somebody else's: then
// there is no login, whatever the access token is worth, and the browser is told too.
func TestLoginChecksIDTokens(t *testing.T) {
	t.Parallel()
	const path = "/openid/main/token"
	claims := func(name, value string) sandbox.Fault {
		return sandbox.Fault{Path: path, Claims: map[string]json.RawMessage{name: json.RawMessage(value)}}
	}
	for name, c := range map[string]struct {
		fault sandbox.Fault
		want  string
	}{
		"another client": {claims("aud", `"other\u001b[2J"`), `the ID token is for "other [2J", not for this client`},
		"several":        {claims("azp", `null`), ""},
		"given to other": {claims("azp", `"other"`), `the ID token was given to "other" (azp), not to this client`},
		"another issuer": {claims("iss", `"https://evil.example"`), `the ID token's issuer is "https://evil.example", not "http://127.0.0.1:`},
		"expired":        {claims("exp", `1000000000`), "the ID token has expired, or this machine's clock is ahead"},
		"another login":  {claims("nonce", `"fake"`), "the ID token's nonce is not the one that was sent"},
		"another token":  {claims("at_hash", `"fake"`), "the ID token is not of the access token that came with it (at_hash)"},
		"nobody signed":  {sandbox.Fault{Path: path, Algorithm: "none"}, `algorithm is "none", which proves nothing`},
		"anybody signed": {sandbox.Fault{Path: path, Algorithm: "HS256"}, `algorithm is "HS256", which proves nothing`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := issuerPlace(t)
			if c.want == "" {
				p.fault(c.fault)
				p.login("jane")
				return
			}
			p.fault(c.fault)
			l := p.startLogin("jane")
			_, page := visit(t, http.MethodGet, l.signIn(), nil)
			o := l.end()
			if o.code != 9 || o.stdout != "" || !strings.Contains(o.stderr, c.want) || strings.Contains(o.stderr, "\x1b[2J") {
				t.Errorf("exit code %d, terminal %q; want 9 and %q", o.code, o.stderr, c.want)
			}
			if !strings.Contains(page, "Login did not work") {
				t.Errorf("the browser is told of a login: %q", page)
			}
			p.wantNothingSecret(o.stderr)
			p.wantLoginAgain("jane")
		})
	}
}

// TestLoginsKeysAreAskedForOnce: of a second login neither the document nor the keys are asked for, and inspect checks
// the signature with what is at hand.
func TestLoginsKeysAreAskedForOnce(t *testing.T) {
	t.Parallel()
	p := issuerPlace(t)
	count := func(path string) (n int) {
		for _, r := range p.server.Requests() {
			if strings.HasSuffix(r.Path, path) {
				n++
			}
		}
		return n
	}
	p.login("jane")
	p.login("jane")
	if o := p.run("token", "inspect", "jane"); !strings.Contains(o.stdout, "verified with the keys that the service publishes") {
		t.Errorf("exit code %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
	}
	if documents, keys := count("/openid-configuration"), count("/jwks"); documents != 1 || keys != 1 {
		t.Errorf("the document was asked for %d times and the keys %d times, want 1 each", documents, keys)
	}
}
