package sandbox

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// alive reports whether an access token is good at Genesys.
func alive(t *testing.T, s *Server, token string) bool {
	t.Helper()
	return do(t, s, genesysCall("GET", "/userinfo", token)).status == 200
}

func TestGenesysSignOut(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "POST"} {
		for query, wantOther := range map[string]bool{"?global=false": true, "": true, "?global=true": false} {
			s, _ := start(t, Options{})
			first, second := userToken(t, s, "genesys", nil), userToken(t, s, "genesys", nil)
			token, other := text(t, first["access_token"]), text(t, second["access_token"])
			client := clientToken(t, s, "genesys")
			got := do(t, s, genesysCall(method, "/sign-out"+query, token))
			if got.status != 200 || strings.TrimSpace(got.body) != genesysOK("/sign-out") {
				t.Errorf("%s %s: status %d, %s", method, query, got.status, got.body)
			}
			if alive(t, s, token) || alive(t, s, other) != wantOther || !alive(t, s, client) {
				t.Errorf("%s %s: the wrong tokens are alive", method, query)
			}
			if got := do(t, s, genesysCall(method, "/sign-out"+query, token)); got.status != 401 {
				t.Errorf("%s %s again: status %d", method, query, got.status)
			}
			if got := do(t, s, refreshCall(t, "genesys", text(t, first["refresh_token"]))); got.status != 400 {
				t.Errorf("%s %s: the refresh token is good: status %d", method, query, got.status)
			}
			got = do(t, s, refreshCall(t, "genesys", text(t, second["refresh_token"])))
			if (got.status == 200) != wantOther {
				t.Errorf("%s %s: the other refresh token: status %d", method, query, got.status)
			}
		}
	}
}

func TestGenesysSignOutRedirect(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	const target = "https://desk.example/bye?a=1"
	query := "?redirectUri=" + url.QueryEscape(target)
	token := clientToken(t, s, "genesys")
	for _, bad := range []string{"javascript:alert(1)", "/x", "https:///x", "https://x/\r\ny"} {
		got := do(t, s, genesysCall("GET", "/sign-out?redirectUri="+url.QueryEscape(bad), token))
		if got.status != 400 || got.header.Get("Location") != "" {
			t.Errorf("%q: status %d", bad, got.status)
		}
	}
	if got := do(t, s, genesysCall("POST", "/sign-out?global=maybe", token)); got.status != 400 || !alive(t, s, token) {
		t.Errorf("global=maybe: status %d", got.status)
	}
	got := do(t, s, genesysCall("GET", "/sign-out"+query, token))
	if got.status != 302 || got.header.Get("Location") != target || alive(t, s, token) {
		t.Errorf("GET: status %d, Location %q", got.status, got.header.Get("Location"))
	}
	token = clientToken(t, s, "genesys")
	if got := do(t, s, genesysCall("POST", "/sign-out"+query, token)); got.status != 200 || alive(t, s, token) {
		t.Errorf("POST: status %d", got.status)
	}
}

// Whose refresh token came twice has lost the access tokens too.
func TestReuseEndsAccessTokens(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	first := userToken(t, s, "genesys", nil)
	second := wantToken(t, do(t, s, refreshCall(t, "genesys", text(t, first["refresh_token"]))))
	if !alive(t, s, text(t, first["access_token"])) || !alive(t, s, text(t, second["access_token"])) {
		t.Error("a refresh ends the access token")
	}
	do(t, s, refreshCall(t, "genesys", text(t, first["refresh_token"])))
	if alive(t, s, text(t, first["access_token"])) || alive(t, s, text(t, second["access_token"])) {
		t.Error("an access token is good after reuse")
	}
}

const newPassword = "obviously-fake-new-password"

func passwordChange(token string, data, more map[string]any) call {
	body := map[string]any{}
	if data != nil {
		body["data"] = data
	}
	maps.Copy(body, more)
	b, _ := json.Marshal(body)
	c := genesysCall("POST", "/change-password", token)
	c.body, c.header["Content-Type"] = string(b), "application/json"
	return c
}

func TestGenesysChangePassword(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	token := text(t, userToken(t, s, "genesys", nil)["access_token"])
	data := map[string]any{"oldPassword": GenesysPassword, "newPassword": newPassword}
	got := do(t, s, passwordChange(token, data, map[string]any{"operationId": "op-1"}))
	if got.status != 200 || strings.TrimSpace(got.body) != genesysOK("/change-password") {
		t.Fatalf("status %d, %s", got.status, got.body)
	}
	if got := do(t, s, passwordCall(t)); got.status != 400 {
		t.Errorf("the old password: status %d", got.status)
	}
	wantToken(t, do(t, s, passwordCall(t).set("password", newPassword)))
	if !alive(t, s, token) {
		t.Error("the token is no longer good")
	}
	if got := jane(s, "genesys").Password; got != newPassword {
		t.Fatalf("the account's password is %q", got)
	}
	userToken(t, s, "genesys", nil) // by the sign-in page, which takes the new one
	page, _, _ := openPage(t, s, "genesys", nil)
	if strings.Contains(page.body, newPassword) || strings.Contains(page.body, "pass:word") {
		t.Error("the page tells a password that somebody chose, or the old one")
	}
	if !slices.Contains(s.IssuedSecrets(), newPassword) {
		t.Error("the new password is not listed")
	}
	requests := s.Requests()
	i := slices.IndexFunc(requests, func(r Request) bool { return r.Path == "/auth/v3/change-password" })
	want := map[string]string{"data.oldPassword": redacted, "data.newPassword": redacted, "operationId": "op-1"}
	if diff := cmp.Diff(want, requests[i].JSON); diff != "" {
		t.Errorf("log:\n%s", diff)
	}
}

func TestGenesysChangePasswordByName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"jane", `acme\jane`} {
		s, _ := start(t, Options{})
		data := map[string]any{"oldPassword": GenesysPassword, "newPassword": newPassword, "userName": name}
		if got := do(t, s, passwordChange("", data, nil)); got.status != 200 {
			t.Errorf("without a token, %s: status %d, %s", name, got.status, got.body)
		}
		data["oldPassword"], data["newPassword"] = newPassword, "12345678"
		token := text(t, userToken(t, s, "genesys", nil)["access_token"])
		if got := do(t, s, passwordChange(token, data, nil)); got.status != 200 {
			t.Errorf("with a token, %s: status %d, %s", name, got.status, got.body)
		}
	}
}

func TestGenesysChangePasswordRefusals(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	token := text(t, userToken(t, s, "genesys", nil)["access_token"])
	data := func(old, replacement, name string) map[string]any {
		m := map[string]any{"oldPassword": old, "newPassword": replacement}
		if name != "" {
			m["userName"] = name
		}
		return m
	}
	fine := data(GenesysPassword, newPassword, "")
	raw := func(body string) call { c := passwordChange(token, fine, nil); c.body = body; return c }
	unable := genesysStatus("403", "Unable to update password")
	bad := genesysStatus("400", "Bad Request")
	runRefusals(t, s, func() {}, []refusal{
		{"wrong old password", passwordChange(token, data("x", newPassword, ""), nil), 403, unable},
		{"too short", passwordChange(token, data(GenesysPassword, "1234567", ""), nil), 403, unable},
		{"no new password", passwordChange(token, map[string]any{"oldPassword": GenesysPassword}, nil), 403, unable},
		{"other user", passwordChange(token, data(GenesysPassword, newPassword, "john"), nil), 403, unable},
		{"unknown token", passwordChange("x", data(GenesysPassword, newPassword, "jane"), nil), 403, unable},
		{"client's token", passwordChange(clientToken(t, s, "genesys"), fine, nil), 403, unable},
		{"nobody", passwordChange("", fine, nil), 403, unable},
		{"no data", passwordChange(token, nil, nil), 400, bad},
		{"not JSON", raw("{"), 400, bad},
		{"not an object", raw("[]"), 400, bad},
		{"wrong type", raw(`{"data":{"newPassword":7}}`), 400, bad},
		{"empty", raw(""), 400, bad},
		{"a form", raw("").withHeader("Content-Type", formType), 415, genesysStatus("415", "Unsupported Media Type")},
		{
			"too large", raw(strings.Repeat(" ", maxForm+1)), 413,
			genesysStatus("413", "the request body is too large"),
		},
		{
			"no key", passwordChange(token, fine, nil).without("X-Api-Key"), 403,
			genesysStatus("603", "Unauthorized"),
		},
	})
	wantToken(t, do(t, s, passwordCall(t)))
}
