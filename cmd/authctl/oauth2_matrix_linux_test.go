package main

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
	"go.yaml.in/yaml/v3"
)

// proof is a client authentication: the ready profile that has it, and what of it to change to be refused.
type proof struct {
	profile string
	wrong   map[string]string
}

func proofs() map[string]proof {
	wrongSecret := map[string]string{"client_secret": "env:WRONG"}
	return map[string]proof{
		"client_secret_basic": {"oauth2", wrongSecret},
		"client_secret_post":  {"oauth2-post", wrongSecret},
		"client_secret_jwt":   {"oauth2-secret-jwt", wrongSecret},
		"private_key_jwt":     {"oauth2-key", map[string]string{"private_key": "file:config.secrets/talkdesk-jwt.private_key"}},
		"none":                {"oauth2-public", map[string]string{"client_id": "sandbox-oauth2-key"}},
		"tls_client_auth": {"oauth2-mtls", map[string]string{
			"tls_certificate": "file:config.secrets/oauth2-mtls-self.tls_certificate",
			"tls_key":         "file:config.secrets/oauth2-mtls-self.tls_key",
		}},
		"self_signed_tls_client_auth": {"oauth2-mtls-self", map[string]string{
			"tls_certificate": "file:config.secrets/oauth2-mtls.tls_certificate",
			"tls_key":         "file:config.secrets/oauth2-mtls.tls_key",
		}},
		"client_assertion": {"oauth2-federated", map[string]string{"client_assertion": "env:OTHER_JOB"}},
	}
}

// proofOf is how the client of a grant proves who it is. An assertion that is the grant names the client, if nothing else
// does (RFC 7521 §4.1).
func proofOf(grant, method string) proof {
	if grant == "jwt_bearer" && method == "none" {
		return proof{"oauth2-jwt", map[string]string{"private_key": "file:config.secrets/talkdesk-jwt.private_key"}}
	}
	return proofs()[method]
}

// ways are the grants, with what a profile says beside them.
func ways() map[string]map[string]string {
	return map[string]map[string]string{
		"client_credentials": {},
		"password":           {"username": "jane", "password": "file:config.secrets/oauth2-password.password"},
		"jwt_bearer": {
			"private_key": "file:config.secrets/oauth2-jwt.private_key", "assertion_issuer": "sandbox-oauth2-jwt",
		},
		"token_exchange":     {"subject_token": "profile:oauth2"},
		"authorization_code": {},
		"device_code":        {},
	}
}

// grantPlace is a place with the profile device, of one grant and one client authentication, and wrong, which is refused
// for what it proves.
func grantPlace(t *testing.T, grant, method string) *place {
	t.Helper()
	p := newPlace(t)
	p.fileStore()
	p.set("CI=", "NO_COLOR=1", "BROWSER=", "WRONG=fake-and-wrong-but-of-32-bytes-and-more",
		"SSL_CERT_FILE="+p.path("config.secrets/ca.pem"), "OTHER_JOB="+sandboxtest.JobToken(t, p.server, "somebody-else"))
	p.fault(sandbox.Fault{Path: deviceAskPath, Interval: json.RawMessage("1")})
	usual, by := p.ready("oauth2"), proofOf(grant, method)
	profile := p.ready(by.profile)
	maps.Copy(profile, map[string]any{"grant": grant, "client_auth": method, "scopes": []string{"orders:read"}})
	for name, value := range ways()[grant] {
		if method != "private_key_jwt" || grant != "jwt_bearer" { // which signs both with its own key
			profile[name] = value
		}
	}
	wrong := maps.Clone(profile)
	wrong["scopes"] = []string{"orders:write"} // another token
	if grant == "token_exchange" {
		wrong["scopes"] = []string{}
	}
	for name, value := range by.wrong {
		wrong[name] = value
	}
	config := map[string]any{"profiles": map[string]any{"oauth2": usual, "device": profile, "wrong": wrong}}
	text, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	p.configure(string(text))
	return p
}

// ready is a ready profile of the sandbox, as it is configured.
func (p *place) ready(name string) map[string]any {
	p.t.Helper()
	all := p.server.Profiles()
	i := slices.IndexFunc(all, func(s sandbox.Profile) bool { return s.Name == name })
	if i < 0 {
		p.t.Fatalf("no profile %s", name)
	}
	profile := map[string]any{"scopes": all[i].Scopes}
	for key, text := range all[i].Text {
		profile[key] = text
	}
	for key := range all[i].Secrets {
		profile[key] = "file:config.secrets/" + name + "." + key
	}
	return profile
}

// obtain gets the first token of a profile, with the person that it may need, and returns how that ended.
func (p *place) obtain(grant, profile string) outcome {
	p.t.Helper()
	switch grant {
	case "authorization_code":
		l := p.startLogin(profile)
		visit(p.t, http.MethodGet, l.signIn(), nil)
		o := l.end()
		_ = os.Remove(p.path("browser"))
		return outcome{o.code, "", o.stderr}
	case "device_code":
		if profile != "device" {
			return p.run("login", profile) // it is refused before it shows a code
		}
		x, log := p.logged()
		p.decide(log(), true)
		return outcome{x.end().code, "", log()}
	}
	o := p.run("token", "get", profile, "-o", "json")
	if o.code == 0 && !strings.Contains(o.stdout, `"source":"issued"`) {
		p.t.Errorf("the first token: %q", o.stdout)
	}
	return outcome{o.code, "", o.stderr}
}

// TestGrantByClientAuthentication has every grant with every client authentication: a token is had, kept, renewed, and
// refused to who cannot prove who it is.
func TestGrantByClientAuthentication(t *testing.T) {
	t.Parallel()
	for grant := range ways() {
		for method := range proofs() {
			t.Run(grant+" "+method, func(t *testing.T) {
				t.Parallel()
				p := grantPlace(t, grant, method)
				o := p.obtain(grant, "device")
				if grant == "client_credentials" && method == "none" {
					if o.code != 3 || !strings.Contains(o.stderr, "unauthorized_client") {
						t.Errorf("a public client: exit code %d, %q", o.code, o.stderr)
					}
					return
				}
				if o.code != 0 {
					t.Fatalf("exit code %d, %q", o.code, o.stderr)
				}
				asked := p.asked()
				p.wantSource("cache", "device")
				if n := p.asked(); n != asked {
					t.Errorf("%d requests for a token that was kept", n-asked)
				}
				renewed := "issued"
				if slices.Contains([]string{"authorization_code", "device_code", "password"}, grant) {
					renewed = "refreshed"
				}
				p.wantSource(renewed, "device", "--force-refresh")
				p.wantBound(grant, method)
				o, refused := p.obtain(grant, "wrong"), "invalid_client"
				if grant == "jwt_bearer" && method == "none" {
					refused = "invalid_grant"
				}
				if o.code != 4 || !strings.Contains(o.stderr, refused) {
					t.Errorf("refused: exit code %d, %q", o.code, o.stderr)
				}
				p.wantNothingSecret(o.stderr)
			})
		}
	}
}

// wantBound looks at whom the kept token was issued to, and what it is bound to (RFC 8705 §3.1).
func (p *place) wantBound(grant, method string) {
	p.t.Helper()
	parts := strings.Split(p.run("token", "get", "device").stdout, ".")
	if len(parts) != 3 {
		p.t.Fatalf("a token of %d parts", len(parts))
	}
	var claims struct {
		ClientID string            `json:"client_id"`
		CNF      map[string]string `json:"cnf"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(payload, &claims)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	bound := claims.CNF["x5t#S256"] != ""
	if want := p.ready(proofOf(grant, method).profile)["client_id"]; claims.ClientID != want || bound != strings.HasSuffix(method, "tls_client_auth") {
		p.t.Errorf("the token says %+v, want %s", claims, want)
	}
}
