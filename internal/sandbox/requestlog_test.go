package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRequestLog(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	for _, service := range allServices() {
		wantToken(t, do(t, s, good(service)))
	}
	do(t, s, good("talkdesk").withForm(t, url.Values{
		"scope": {"account:read"}, "client_secret": {"sent in the wrong place"},
		"note": {"holds " + Marker + "+qmatic%:raw"},
	}))
	got := do(t, s, call{method: http.MethodGet, path: "/_sandbox/requests?a=1"})
	var log struct{ Requests []Request }
	if err := json.Unmarshal([]byte(got.body), &log); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.Requests(), log.Requests); diff != "" {
		t.Errorf("the method and the page differ:\n%s", diff)
	}
	if len(log.Requests) != 5 {
		t.Fatalf("%d requests", len(log.Requests))
	}
	g, last := log.Requests[3], log.Requests[4]
	if g.Service != "genesys" || g.Method != "POST" || g.Path != "/auth/v3/oauth/token" || g.Status != 200 ||
		g.ClientID != "sandbox-genesys" || g.GrantType != "client_credentials" || !g.Time.Equal(c.now()) {
		t.Errorf("entry %+v", g)
	}
	if g.Headers["Authorization"] != redacted || g.Headers["X-Api-Key"] != redacted ||
		g.Headers["Accept"] != "application/json" {
		t.Errorf("headers %v", g.Headers)
	}
	want := map[string]string{
		"grant_type": "client_credentials", "scope": "account:read", "client_secret": redacted, "note": redacted,
	}
	if diff := cmp.Diff(want, last.Form); diff != "" || last.Status != 400 || last.Scope != "account:read" {
		t.Errorf("status %d scope %q form:\n%s", last.Status, last.Scope, diff)
	}
	for _, secret := range s.IssuedSecrets() {
		if strings.Contains(got.body, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if got := do(t, s, call{method: http.MethodDelete, path: "/_sandbox/requests"}); got.status != 200 {
		t.Errorf("DELETE: status %d", got.status)
	}
	if n := len(s.Requests()); n != 0 {
		t.Errorf("%d requests after DELETE", n)
	}
}

func TestRequestLogRedactsByName(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	const value = "obviously-fake-value"
	form := url.Values{}
	for _, name := range []string{"client_secret", "password", "client_assertion", "refresh_token", "code", "Token"} {
		form.Set(name, value)
	}
	header := map[string]string{"Cookie": "a=" + value, "X-API-Key": value}
	do(t, s, post("/oauth/token?access_token="+value, form, header))
	b, err := json.Marshal(s.Requests())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), value) {
		t.Errorf("log %s", b)
	}
}

func TestRequestLogIsBounded(t *testing.T) {
	t.Parallel()
	var l requestLog
	for range 3 * maxKept {
		l.begin(Request{})
	}
	first := l.begin(Request{Path: "/last"})
	list := l.list()
	if n := len(list); n < maxKept || n > maxKept+maxKept/10 {
		t.Errorf("%d entries", n)
	}
	l.finish(first, 418)
	if last := l.list()[len(list)-1]; last.Path != "/last" || last.Status != 418 {
		t.Errorf("last entry %+v", last)
	}
}

// All that a login and its tokens bring along stays out of the log.
func TestRequestLogOfOperations(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	pkce := url.Values{"code_challenge": {s256(verifier)}, "code_challenge_method": {"S256"}, "scope": {"*"}}
	code := signInFor(t, s, "genesys", pkce).Get("code")
	fields := wantToken(t, do(t, s, codeCall(t, "genesys", code).set("code_verifier", verifier)))
	token := text(t, fields["access_token"])
	do(t, s, genesysCall("GET", "/jwt-userinfo", token).withHeader("X-GWS-User", "obviously-fake-header"))
	do(t, s, passwordChange(token, map[string]any{
		"oldPassword": GenesysPassword, "newPassword": newPassword,
	}, map[string]any{"list": []int{1}, "deep": map[string]any{"x": map[string]any{"password": "hidden-by-depth"}}}))
	_, action, session := openPage(t, s, "genesys", nil)
	do(t, s, post(action, url.Values{"session": {"obviously-fake-session"}, "password": {"obviously-fake-password"}}, nil))
	pexip := clientToken(t, s, "pexip")
	// JWTs in places that have no secret's name.
	do(t, s, post("/realms/acme/protocol/openid-connect/nothing?note="+pexip, url.Values{"note": {pexip}}, nil))

	requests := s.Requests()
	b, err := json.Marshal(requests)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range append(s.IssuedSecrets(), Marker, verifier, session, "obviously-fake-header",
		"obviously-fake-session", "obviously-fake-password", "hidden-by-depth") {
		if strings.Contains(string(b), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if r := requests[0]; r.Path != "/auth/v3/oauth/authorize" || r.ClientID != "sandbox-genesys" || r.Scope != "*" ||
		r.Query["state"] != "s t&é" || r.Query["code_challenge"] != s256(verifier) || r.Status != 302 {
		t.Errorf("authorize: %+v", r)
	}
	if r := requests[2]; r.Form["session"] != redacted || r.Form["username"] != "jane" || r.Form["password"] != redacted {
		t.Errorf("sign-in: %+v", r)
	}
	if r := requests[3]; r.Form["code"] != redacted || r.Form["code_verifier"] != redacted {
		t.Errorf("token: %+v", r)
	}
	want := map[string]string{
		"data.oldPassword": redacted, "data.newPassword": redacted, "list": "…", "deep.x": "…",
	}
	if diff := cmp.Diff(want, requests[5].JSON); diff != "" {
		t.Errorf("change-password:\n%s", diff)
	}
}
