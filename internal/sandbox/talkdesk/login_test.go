package talkdesk_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
	"github.com/google/go-cmp/cmp"
)

const janesID = "5f0c0de0cafe000000000101"

func TestLogin(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	fields := sandboxtest.UserToken(t, s, "talkdesk", url.Values{"scope": {"openid users:read"}, "nonce": {"obviously-fake-nonce"}})
	key := sandboxtest.PublicOf(s.Service("talkdesk").Signer)
	_, claims := sandboxtest.VerifyES256(t, key, sandboxtest.Text(t, fields["access_token"]))
	header, id := sandboxtest.VerifyES256(t, key, sandboxtest.Text(t, fields["id_token"]))
	sid := sandboxtest.Text(t, fields["sid"])
	if claims["sub"] != janesID || claims["sid"] != sid || sid == "" {
		t.Errorf("access token %v", claims)
	}
	if !slices.Contains(s.IssuedSecrets(), sandboxtest.Text(t, fields["id_token"])) {
		t.Error("the ID token is not listed")
	}
	if header["alg"] != "ES256" || header["kid"] == "" {
		t.Errorf("header %v", header)
	}
	now := float64(c.Now().Unix())
	for name, want := range map[string]any{
		"iss": "https://www.talkdeskid.com", "aud": "sandbox-talkdesk", "sub": janesID, "sid": sid,
		"nonce": "obviously-fake-nonce", "iat": now, "exp": now + 600,
	} {
		if id[name] != want {
			t.Errorf("ID token: %s is %v, want %v", name, id[name], want)
		}
	}
	refresh := sandboxtest.Text(t, fields["refresh_token"])
	for _, name := range []string{"access_token", "id_token", "refresh_token"} {
		delete(fields, name)
	}
	want := map[string]any{"token_type": "Bearer", "expires_in": 600.0, "scope": "openid users:read", "sid": sid}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("reply:\n%s", diff)
	}
	next := sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.RefreshCall(t, "talkdesk", refresh)))
	if next["sid"] != sid || next["id_token"] != nil || next["scope"] != "openid users:read" {
		t.Errorf("refresh reply %v", next)
	}
}

func TestLoginScopes(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	fields := sandboxtest.UserToken(t, s, "talkdesk", url.Values{"nonce": {"x"}})
	if n := len(strings.Fields(sandboxtest.Text(t, fields["scope"]))); n != 31 || fields["id_token"] != nil {
		t.Errorf("without scope: %d scopes, %v", n, fields["id_token"])
	}
	fields = sandboxtest.UserToken(t, s, "talkdesk", url.Values{"scope": {"openid"}})
	_, id := sandboxtest.VerifyES256(t, sandboxtest.PublicOf(s.Service("talkdesk").Signer), sandboxtest.Text(t, fields["id_token"]))
	if _, there := id["nonce"]; there {
		t.Errorf("a nonce that nobody sent: %v", id)
	}
	sandboxtest.AddFault(t, s, `{"path":"/oauth/token","scope_encoded":true}`)
	fields = sandboxtest.UserToken(t, s, "talkdesk", url.Values{"scope": {"openid apps:read"}})
	if fields["scope"] != "openid%20apps%3Aread" {
		t.Errorf("scope %v", fields["scope"])
	}
}

func TestLoginWithAssertion(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	registered := s.Service("talkdesk").Clients[1]
	sign := func(c sandboxtest.Call, jti string, now int64) sandboxtest.Call {
		return sandboxtest.Asserted(c, sandboxtest.SignES256(t, registered.Key, map[string]any{"alg": "ES256", "kid": registered.Key.KeyID},
			sandboxtest.ClaimsOf(registered.ID, s.URL()+"/oauth/token", jti, now)))
	}
	code := sandboxtest.SignInFor(t, s, "talkdesk", url.Values{"client_id": {registered.ID}, "scope": {"openid"}}).Get("code")
	now := c.Now().Unix()
	fields := sandboxtest.WantToken(t, sandboxtest.Do(t, s, sign(sandboxtest.CodeCall(t, "talkdesk", code), "1", now)))
	fields = sandboxtest.WantToken(t, sandboxtest.Do(t, s, sign(sandboxtest.RefreshCall(t, "talkdesk", sandboxtest.Text(t, fields["refresh_token"])), "2", now)))
	if got := sandboxtest.Do(t, s, me(sandboxtest.Text(t, fields["access_token"]))); got.Status != 200 {
		t.Errorf("me: status %d", got.Status)
	}
	if got := sandboxtest.Do(t, s, sandboxtest.RefreshCall(t, "talkdesk", sandboxtest.Text(t, fields["refresh_token"]))); got.Status != 400 {
		t.Errorf("another client's refresh token: status %d", got.Status)
	}
}

func me(token string) sandboxtest.Call {
	return sandboxtest.Get("/users/me").WithHeader("Authorization", "Bearer "+token)
}

func TestMe(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	token := sandboxtest.Text(t, sandboxtest.UserToken(t, s, "talkdesk", url.Values{"scope": {"openid"}})["access_token"])
	got := sandboxtest.Do(t, s, me(token))
	want := map[string]any{
		"id": janesID, "sub": janesID, "name": "Jane Doe", "email": "jane@acme.example",
		"_links": map[string]any{"self": map[string]any{"href": s.URL() + "/users/" + janesID}},
	}
	if diff := cmp.Diff(want, got.Fields(t)); got.Status != 200 || diff != "" {
		t.Errorf("status %d\n%s", got.Status, diff)
	}
}

func TestMeRefusals(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	failure := func(code, message, description string) string {
		return `{"code":"` + code + `","description":"` + description + `","fields":[],"message":"` + message + `"}`
	}
	invalid := failure("unauthorized", "Unauthorized", "the access token is missing, invalid or expired")
	openid := url.Values{"scope": {"openid"}}
	expired := sandboxtest.Text(t, sandboxtest.UserToken(t, s, "talkdesk", openid)["access_token"])
	c.Advance(10 * time.Minute)
	reply := sandboxtest.UserToken(t, s, "talkdesk", openid)
	token, id := sandboxtest.Text(t, reply["access_token"]), sandboxtest.Text(t, reply["id_token"])
	forged := sandboxtest.SignES256(t, s.Service("pexip").Signer, map[string]any{"alg": "ES256"}, map[string]any{"sub": janesID, "exp": 1e12})
	put := me(token)
	put.Method = http.MethodPut
	sandboxtest.RunRefusals(t, s, func() {}, []sandboxtest.Refusal{
		{"no token", sandboxtest.Get("/users/me"), 401, invalid},
		{"not a token", me("x"), 401, invalid},
		{"without a scheme", sandboxtest.Get("/users/me").WithHeader("Authorization", token), 401, invalid},
		{"changed", me(token[:len(token)-4] + "AAAA"), 401, invalid},
		{"forged", me(forged), 401, invalid},
		{"expired", me(expired), 401, invalid},
		{"ID token", me(id), 401, invalid},
		{"another service's", me(sandboxtest.ClientToken(t, s, "pexip")), 401, invalid},
		{
			"client's own", me(sandboxtest.ClientToken(t, s, "talkdesk")), 400,
			failure("bad_request", "no user context", "the access token belongs to no user"),
		},
		{
			"no openid", me(sandboxtest.Text(t, sandboxtest.UserToken(t, s, "talkdesk", nil)["access_token"])), 403,
			failure("forbidden", "Forbidden", "the access token lacks the scope openid"),
		},
		{
			"another user", sandboxtest.Get("/users/" + janesID), 404,
			failure("not_found", "Not Found", "the resource does not exist"),
		},
		{"method", put, 405, failure("method_not_allowed", "Method Not Allowed", "method not allowed")},
	})
	sandboxtest.AddFault(t, s, `{"service":"talkdesk","path":"/users/me","status":503}`)
	got := sandboxtest.Do(t, s, me(token))
	if got.Status != 503 || got.Fields(t)["code"] != "service_unavailable" {
		t.Errorf("fault: status %d, %s", got.Status, got.Body)
	}
}
