package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestRequestLog(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	for _, service := range sandboxtest.AllServices() {
		sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good(service)))
	}
	sandboxtest.Do(t, s, sandboxtest.Good("talkdesk").WithForm(t, url.Values{
		"scope": {"account:read"}, "client_secret": {"sent in the wrong place"},
		"note": {"holds " + sandbox.Marker + "+qmatic%:raw"},
	}))
	got := sandboxtest.Do(t, s, sandboxtest.Call{Method: http.MethodGet, Path: "/_sandbox/requests?a=1"})
	var log struct{ Requests []sandbox.Request }
	if err := json.Unmarshal([]byte(got.Body), &log); err != nil || !strings.HasSuffix(got.Body, "}\n") {
		t.Fatalf("%v\n%q", err, got.Body)
	}
	if diff := cmp.Diff(s.Requests(), log.Requests, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the method and the page differ:\n%s", diff)
	}
	if len(log.Requests) != len(sandboxtest.AllServices())+1 {
		t.Fatalf("%d requests", len(log.Requests))
	}
	g, last := log.Requests[3], log.Requests[len(log.Requests)-1]
	if g.Service != "genesys" || g.Method != "POST" || g.Path != "/auth/v3/oauth/token" || g.Status != 200 ||
		g.ClientID != "sandbox-genesys" || g.GrantType != "client_credentials" || !g.Time.Equal(c.Now()) {
		t.Errorf("entry %+v", g)
	}
	if g.Headers["Authorization"] != sandboxtest.Redacted || g.Headers["X-Api-Key"] != sandboxtest.Redacted ||
		g.Headers["Accept"] != "application/json" {
		t.Errorf("headers %v", g.Headers)
	}
	want := map[string]string{
		"grant_type": "client_credentials", "scope": "account:read", "client_secret": sandboxtest.Redacted, "note": sandboxtest.Redacted,
	}
	if diff := cmp.Diff(want, last.Form); diff != "" || last.Status != 400 || last.Scope != "account:read" {
		t.Errorf("status %d scope %q form:\n%s", last.Status, last.Scope, diff)
	}
	for _, secret := range s.IssuedSecrets() {
		if strings.Contains(got.Body, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if got := sandboxtest.Do(t, s, sandboxtest.Call{Method: http.MethodDelete, Path: "/_sandbox/requests"}); got.Status != 200 {
		t.Errorf("DELETE: status %d", got.Status)
	}
	if n := len(s.Requests()); n != 0 {
		t.Errorf("%d requests after DELETE", n)
	}
}

func TestRequestLogRedactsByName(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	const value = "obviously-fake-value"
	form := url.Values{}
	for _, name := range []string{"client_secret", "password", "client_assertion", "refresh_token", "code", "Token"} {
		form.Set(name, value)
	}
	header := map[string]string{"Cookie": "a=" + value, "X-API-Key": value}
	sandboxtest.Do(t, s, sandboxtest.Post("/oauth/token?access_token="+value, form, header))
	b, err := json.Marshal(s.Requests())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), value) {
		t.Errorf("log %s", b)
	}
}

// All that a login and its tokens bring along stays out of the log.
func TestRequestLogOfOperations(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	pkce := url.Values{"code_challenge": {sandboxtest.S256(sandboxtest.Verifier)}, "code_challenge_method": {"S256"}, "scope": {"*"}}
	code := sandboxtest.SignInFor(t, s, "genesys", pkce).Get("code")
	fields := sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.CodeCall(t, "genesys", code).Set("code_verifier", sandboxtest.Verifier)))
	token := sandboxtest.Text(t, fields["access_token"])
	sandboxtest.Do(t, s, sandboxtest.GenesysCall("GET", "/jwt-userinfo", token).WithHeader("X-GWS-User", "obviously-fake-header"))
	sandboxtest.Do(t, s, sandboxtest.PasswordChange(token, map[string]any{
		"oldPassword": sandbox.GenesysPassword, "newPassword": sandboxtest.NewPassword,
	}, map[string]any{"list": []int{1}, "deep": map[string]any{"x": map[string]any{"password": "hidden-by-depth"}}}))
	_, action, session := sandboxtest.OpenPage(t, s, "genesys", nil)
	sandboxtest.Do(t, s, sandboxtest.Post(action, url.Values{"session": {"obviously-fake-session"}, "password": {"obviously-fake-password"}}, nil))
	pexip := sandboxtest.ClientToken(t, s, "pexip")
	// JWTs in places that have no secret's name.
	sandboxtest.Do(t, s, sandboxtest.Post("/realms/acme/protocol/openid-connect/nothing?note="+pexip, url.Values{"note": {pexip}}, nil))

	requests := s.Requests()
	b, err := json.Marshal(requests)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range append(s.IssuedSecrets(), sandbox.Marker, sandboxtest.Verifier, session, "obviously-fake-header",
		"obviously-fake-session", "obviously-fake-password", "hidden-by-depth") {
		if strings.Contains(string(b), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if r := requests[0]; r.Path != "/auth/v3/oauth/authorize" || r.ClientID != "sandbox-genesys" || r.Scope != "*" ||
		r.Query["state"] != "s t&é" || r.Query["code_challenge"] != sandboxtest.S256(sandboxtest.Verifier) || r.Status != 302 {
		t.Errorf("authorize: %+v", r)
	}
	if r := requests[2]; r.Form["session"] != sandboxtest.Redacted || r.Form["username"] != "jane" || r.Form["password"] != sandboxtest.Redacted {
		t.Errorf("sign-in: %+v", r)
	}
	if r := requests[3]; r.Form["code"] != sandboxtest.Redacted || r.Form["code_verifier"] != sandboxtest.Redacted {
		t.Errorf("token: %+v", r)
	}
	want := map[string]string{
		"data.oldPassword": sandboxtest.Redacted, "data.newPassword": sandboxtest.Redacted, "deep.x.password": sandboxtest.Redacted,
	}
	if diff := cmp.Diff(want, requests[5].JSON); diff != "" {
		t.Errorf("change-password:\n%s", diff)
	}
}
