package genesys_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
	"github.com/google/go-cmp/cmp"
)

// alive reports whether an access token is good at Genesys.
func alive(t *testing.T, s *sandbox.Server, token string) bool {
	t.Helper()
	return sandboxtest.Do(t, s, sandboxtest.GenesysCall("GET", "/userinfo", token)).Status == 200
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "POST"} {
		for query, wantOther := range map[string]bool{"?global=false": true, "": true, "?global=true": false} {
			s, _ := sandboxtest.Start(t, sandbox.Options{})
			first, second := sandboxtest.UserToken(t, s, "genesys", nil), sandboxtest.UserToken(t, s, "genesys", nil)
			token, other := sandboxtest.Text(t, first["access_token"]), sandboxtest.Text(t, second["access_token"])
			client := sandboxtest.ClientToken(t, s, "genesys")
			got := sandboxtest.Do(t, s, sandboxtest.GenesysCall(method, "/sign-out"+query, token))
			if got.Status != 200 || strings.TrimSpace(got.Body) != sandboxtest.GenesysOK("/sign-out") {
				t.Errorf("%s %s: status %d, %s", method, query, got.Status, got.Body)
			}
			if alive(t, s, token) || alive(t, s, other) != wantOther || !alive(t, s, client) {
				t.Errorf("%s %s: the wrong tokens are alive", method, query)
			}
			if got := sandboxtest.Do(t, s, sandboxtest.GenesysCall(method, "/sign-out"+query, token)); got.Status != 401 {
				t.Errorf("%s %s again: status %d", method, query, got.Status)
			}
			if got := sandboxtest.Do(t, s, sandboxtest.RefreshCall(t, "genesys", sandboxtest.Text(t, first["refresh_token"]))); got.Status != 400 {
				t.Errorf("%s %s: the refresh token is good: status %d", method, query, got.Status)
			}
			got = sandboxtest.Do(t, s, sandboxtest.RefreshCall(t, "genesys", sandboxtest.Text(t, second["refresh_token"])))
			if (got.Status == 200) != wantOther {
				t.Errorf("%s %s: the other refresh token: status %d", method, query, got.Status)
			}
		}
	}
}

func TestSignOutRedirect(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	const target = "https://desk.example/bye?a=1"
	query := "?redirectUri=" + url.QueryEscape(target)
	token := sandboxtest.ClientToken(t, s, "genesys")
	for _, bad := range []string{"javascript:alert(1)", "/x", "https:///x", "https://x/\r\ny"} {
		got := sandboxtest.Do(t, s, sandboxtest.GenesysCall("GET", "/sign-out?redirectUri="+url.QueryEscape(bad), token))
		if got.Status != 400 || got.Header.Get("Location") != "" {
			t.Errorf("%q: status %d", bad, got.Status)
		}
	}
	if got := sandboxtest.Do(t, s, sandboxtest.GenesysCall("POST", "/sign-out?global=maybe", token)); got.Status != 400 || !alive(t, s, token) {
		t.Errorf("global=maybe: status %d", got.Status)
	}
	got := sandboxtest.Do(t, s, sandboxtest.GenesysCall("GET", "/sign-out"+query, token))
	if got.Status != 302 || got.Header.Get("Location") != target || alive(t, s, token) {
		t.Errorf("GET: status %d, Location %q", got.Status, got.Header.Get("Location"))
	}
	token = sandboxtest.ClientToken(t, s, "genesys")
	if got := sandboxtest.Do(t, s, sandboxtest.GenesysCall("POST", "/sign-out"+query, token)); got.Status != 200 || alive(t, s, token) {
		t.Errorf("POST: status %d", got.Status)
	}
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	token := sandboxtest.Text(t, sandboxtest.UserToken(t, s, "genesys", nil)["access_token"])
	data := map[string]any{"oldPassword": sandbox.GenesysPassword, "newPassword": sandboxtest.NewPassword}
	got := sandboxtest.Do(t, s, sandboxtest.PasswordChange(token, data, map[string]any{"operationId": "op-1"}))
	if got.Status != 200 || strings.TrimSpace(got.Body) != sandboxtest.GenesysOK("/change-password") {
		t.Fatalf("status %d, %s", got.Status, got.Body)
	}
	if got := sandboxtest.Do(t, s, sandboxtest.PasswordCall(t)); got.Status != 400 {
		t.Errorf("the old password: status %d", got.Status)
	}
	sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.PasswordCall(t).Set("password", sandboxtest.NewPassword)))
	if !alive(t, s, token) {
		t.Error("the token is no longer good")
	}
	person := sandboxtest.Jane(s, "genesys")
	person.Password = sandboxtest.NewPassword
	if _, err := person.SignIn(t.Context(), s.URL()+sandboxtest.AuthorizePath("genesys", nil)); err != nil {
		t.Errorf("the sign-in page does not take the new password: %v", err)
	}
	page, _, _ := sandboxtest.OpenPage(t, s, "genesys", nil)
	if strings.Contains(page.Body, sandboxtest.NewPassword) {
		t.Error("the page tells a password that somebody chose")
	}
	if !slices.Contains(s.IssuedSecrets(), sandboxtest.NewPassword) {
		t.Error("the new password is not listed")
	}
	requests := s.Requests()
	i := slices.IndexFunc(requests, func(r sandbox.Request) bool { return r.Path == "/auth/v3/change-password" })
	want := map[string]string{"data.oldPassword": sandboxtest.Redacted, "data.newPassword": sandboxtest.Redacted, "operationId": "op-1"}
	if diff := cmp.Diff(want, requests[i].JSON); diff != "" {
		t.Errorf("log:\n%s", diff)
	}
}

func TestChangePasswordByName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"jane", `acme\jane`} {
		s, _ := sandboxtest.Start(t, sandbox.Options{})
		token := sandboxtest.Text(t, sandboxtest.UserToken(t, s, "genesys", nil)["access_token"])
		data := map[string]any{"oldPassword": sandbox.GenesysPassword, "newPassword": sandboxtest.NewPassword, "userName": name}
		if got := sandboxtest.Do(t, s, sandboxtest.PasswordChange("", data, nil)); got.Status != 200 {
			t.Errorf("without a token, %s: status %d, %s", name, got.Status, got.Body)
		}
		data["oldPassword"], data["newPassword"] = sandboxtest.NewPassword, "12345678"
		if got := sandboxtest.Do(t, s, sandboxtest.PasswordChange(token, data, nil)); got.Status != 200 {
			t.Errorf("with a token, %s: status %d, %s", name, got.Status, got.Body)
		}
	}
}

func TestChangePasswordRefusals(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	token := sandboxtest.Text(t, sandboxtest.UserToken(t, s, "genesys", nil)["access_token"])
	data := func(old, replacement, name string) map[string]any {
		m := map[string]any{"oldPassword": old, "newPassword": replacement}
		if name != "" {
			m["userName"] = name
		}
		return m
	}
	fine := data(sandbox.GenesysPassword, sandboxtest.NewPassword, "")
	raw := func(body string) sandboxtest.Call {
		c := sandboxtest.PasswordChange(token, fine, nil)
		c.Body = body
		return c
	}
	unable := genesysStatus("403", "Unable to update password")
	bad := genesysStatus("400", "Bad Request")
	sandboxtest.RunRefusals(t, s, func() {}, []sandboxtest.Refusal{
		{"wrong old password", sandboxtest.PasswordChange(token, data("x", sandboxtest.NewPassword, ""), nil), 403, unable},
		{"too short", sandboxtest.PasswordChange(token, data(sandbox.GenesysPassword, "1234567", ""), nil), 403, unable},
		{"no new password", sandboxtest.PasswordChange(token, map[string]any{"oldPassword": sandbox.GenesysPassword}, nil), 403, unable},
		{"other user", sandboxtest.PasswordChange(token, data(sandbox.GenesysPassword, sandboxtest.NewPassword, "john"), nil), 403, unable},
		{"unknown token", sandboxtest.PasswordChange("x", data(sandbox.GenesysPassword, sandboxtest.NewPassword, "jane"), nil), 403, unable},
		{"client's token", sandboxtest.PasswordChange(sandboxtest.ClientToken(t, s, "genesys"), fine, nil), 403, unable},
		{"nobody", sandboxtest.PasswordChange("", fine, nil), 403, unable},
		{"no data", sandboxtest.PasswordChange(token, nil, nil), 400, bad},
		{"not JSON", raw("{"), 400, bad},
		{"not an object", raw("[]"), 400, bad},
		{"wrong type", raw(`{"data":{"newPassword":7}}`), 400, bad},
		{"empty", raw(""), 400, bad},
		{"a form", raw("").WithHeader("Content-Type", sandboxtest.FormType), 415, genesysStatus("415", "Unsupported Media Type")},
		{
			"no key", sandboxtest.PasswordChange(token, fine, nil).Without("X-Api-Key"), 403,
			genesysStatus("603", "Unauthorized"),
		},
	})
	sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.PasswordCall(t)))
}
