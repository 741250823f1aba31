package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTalkdeskLogin(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	fields := userToken(t, s, "talkdesk", url.Values{"scope": {"openid users:read"}, "nonce": {"obviously-fake-nonce"}})
	key := publicOf(s.services[1].Signer)
	_, claims := verifyES256(t, key, text(t, fields["access_token"]))
	header, id := verifyES256(t, key, text(t, fields["id_token"]))
	sid := text(t, fields["sid"])
	if claims["sub"] != janesID || claims["sid"] != sid || sid == "" {
		t.Errorf("access token %v", claims)
	}
	if !slices.Contains(s.IssuedSecrets(), text(t, fields["id_token"])) {
		t.Error("the ID token is not listed")
	}
	if header["alg"] != "ES256" || header["kid"] == "" {
		t.Errorf("header %v", header)
	}
	now := float64(c.now().Unix())
	for name, want := range map[string]any{
		"iss": "https://www.talkdeskid.com", "aud": "sandbox-talkdesk", "sub": janesID, "sid": sid,
		"nonce": "obviously-fake-nonce", "iat": now, "exp": now + 600,
	} {
		if id[name] != want {
			t.Errorf("ID token: %s is %v, want %v", name, id[name], want)
		}
	}
	refresh := text(t, fields["refresh_token"])
	for _, name := range []string{"access_token", "id_token", "refresh_token"} {
		delete(fields, name)
	}
	want := map[string]any{"token_type": "Bearer", "expires_in": 600.0, "scope": "openid users:read", "sid": sid}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("reply:\n%s", diff)
	}
	next := wantToken(t, do(t, s, refreshCall(t, "talkdesk", refresh)))
	if next["sid"] != sid || next["id_token"] != nil || next["scope"] != "openid users:read" {
		t.Errorf("refresh reply %v", next)
	}
}

func TestTalkdeskLoginScopes(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	fields := userToken(t, s, "talkdesk", url.Values{"nonce": {"x"}})
	if n := len(strings.Fields(text(t, fields["scope"]))); n != 31 || fields["id_token"] != nil {
		t.Errorf("without scope: %d scopes, %v", n, fields["id_token"])
	}
	fields = userToken(t, s, "talkdesk", url.Values{"scope": {"openid"}})
	_, id := verifyES256(t, publicOf(s.services[1].Signer), text(t, fields["id_token"]))
	if _, there := id["nonce"]; there {
		t.Errorf("a nonce that nobody sent: %v", id)
	}
	addFault(t, s, `{"path":"/oauth/token","scope_encoded":true}`)
	fields = userToken(t, s, "talkdesk", url.Values{"scope": {"openid apps:read"}})
	if fields["scope"] != "openid%20apps%3Aread" {
		t.Errorf("scope %v", fields["scope"])
	}
}

func TestTalkdeskLoginWithAssertion(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	registered := s.services[1].Clients[1]
	sign := func(c call, jti string, now int64) call {
		return asserted(c, signES256(t, registered.Key, map[string]any{"alg": "ES256", "kid": registered.KeyID},
			claimsOf(registered.ID, s.URL()+"/oauth/token", jti, now)))
	}
	code := signInFor(t, s, "talkdesk", url.Values{"client_id": {registered.ID}, "scope": {"openid"}}).Get("code")
	now := c.now().Unix()
	fields := wantToken(t, do(t, s, sign(codeCall(t, "talkdesk", code), "1", now)))
	fields = wantToken(t, do(t, s, sign(refreshCall(t, "talkdesk", text(t, fields["refresh_token"])), "2", now)))
	if got := do(t, s, me(text(t, fields["access_token"]))); got.status != 200 {
		t.Errorf("me: status %d", got.status)
	}
	if got := do(t, s, refreshCall(t, "talkdesk", text(t, fields["refresh_token"]))); got.status != 400 {
		t.Errorf("another client's refresh token: status %d", got.status)
	}
}

func TestTalkdeskCodeParameters(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	for _, name := range []string{"code", "redirect_uri"} {
		got := do(t, s, codeCall(t, "talkdesk", "x").withForm(t, url.Values{name: nil}))
		want := map[string]any{"error": "invalid_request", "error_description": "missing parameter: " + name}
		if diff := cmp.Diff(want, got.fields(t)); got.status != 400 || diff != "" {
			t.Errorf("no %s: status %d\n%s", name, got.status, diff)
		}
	}
}

func me(token string) call {
	return get("/users/me").withHeader("Authorization", "Bearer "+token)
}

func TestTalkdeskMe(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	token := text(t, userToken(t, s, "talkdesk", url.Values{"scope": {"openid"}})["access_token"])
	got := do(t, s, me(token))
	want := map[string]any{
		"id": janesID, "sub": janesID, "name": "Jane Doe", "email": "jane@acme.example",
		"_links": map[string]any{"self": map[string]any{"href": s.URL() + "/users/" + janesID}},
	}
	if diff := cmp.Diff(want, got.fields(t)); got.status != 200 || diff != "" {
		t.Errorf("status %d\n%s", got.status, diff)
	}
}

func TestTalkdeskMeRefusals(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	failure := func(code, message, description string) string {
		return `{"code":"` + code + `","description":"` + description + `","fields":[],"message":"` + message + `"}`
	}
	invalid := failure("unauthorized", "Unauthorized", "the access token is missing, invalid or expired")
	openid := url.Values{"scope": {"openid"}}
	expired := text(t, userToken(t, s, "talkdesk", openid)["access_token"])
	c.advance(10 * time.Minute)
	reply := userToken(t, s, "talkdesk", openid)
	token, id := text(t, reply["access_token"]), text(t, reply["id_token"])
	forged := signES256(t, newKey(), map[string]any{"alg": "ES256"}, map[string]any{"sub": janesID, "exp": 1e12})
	put := me(token)
	put.method = http.MethodPut
	runRefusals(t, s, func() {}, []refusal{
		{"no token", get("/users/me"), 401, invalid},
		{"not a token", me("x"), 401, invalid},
		{"without a scheme", get("/users/me").withHeader("Authorization", token), 401, invalid},
		{"changed", me(token[:len(token)-4] + "AAAA"), 401, invalid},
		{"forged", me(forged), 401, invalid},
		{"expired", me(expired), 401, invalid},
		{"ID token", me(id), 401, invalid},
		{"another service's", me(clientToken(t, s, "pexip")), 401, invalid},
		{
			"client's own", me(clientToken(t, s, "talkdesk")), 400,
			failure("bad_request", "no user context", "the access token belongs to no user"),
		},
		{
			"no openid", me(text(t, userToken(t, s, "talkdesk", nil)["access_token"])), 403,
			failure("forbidden", "Forbidden", "the access token lacks the scope openid"),
		},
		{
			"another user", get("/users/" + janesID), 404,
			failure("not_found", "Not Found", "the resource does not exist"),
		},
		{"method", put, 405, failure("method_not_allowed", "Method Not Allowed", "method not allowed")},
	})
	addFault(t, s, `{"service":"talkdesk","path":"/users/me","status":503}`)
	got := do(t, s, me(token))
	if got.status != 503 || got.fields(t)["code"] != "service_unavailable" {
		t.Errorf("fault: status %d, %s", got.status, got.body)
	}
}
