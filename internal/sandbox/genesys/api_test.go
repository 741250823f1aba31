package genesys_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
	"github.com/google/go-cmp/cmp"
)

func TestToken(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	for name, form := range map[string]url.Values{
		"plain": {}, "scope": {"scope": {"*"}}, "client": {"client_id": {"sandbox-genesys"}},
	} {
		fields := sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("genesys").WithForm(t, form)))
		token := sandboxtest.Text(t, fields["access_token"])
		if !strings.HasPrefix(token, sandbox.Marker+"-") || strings.Contains(token, ".") {
			t.Errorf("%s: token %q", name, token)
		}
		delete(fields, "access_token")
		want := map[string]any{"expires_in": 43200.0, "token_type": "bearer", "scope": "*"}
		if diff := cmp.Diff(want, fields); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestAccept(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	for accept, want := range map[string]string{
		"":                                  "application/json",
		"*/*":                               "application/json",
		"text/html, application/json":       "application/json",
		"application/x-www-form-urlencoded": sandboxtest.FormType,
		sandboxtest.FormType + ";q=0.9, application/json": sandboxtest.FormType,
		"application/json, " + sandboxtest.FormType:       "application/json",
	} {
		got := sandboxtest.Do(t, s, sandboxtest.Good("genesys").WithHeader("Accept", accept))
		if got.Status != 200 || got.Header.Get("Content-Type") != want {
			t.Errorf("Accept %q: status %d, %s", accept, got.Status, got.Header.Get("Content-Type"))
		}
		if want != sandboxtest.FormType {
			continue
		}
		form, err := url.ParseQuery(got.Body)
		if err != nil || form.Get("expires_in") != "43200" || form.Get("scope") != "*" ||
			form.Get("token_type") != "bearer" || !strings.HasPrefix(form.Get("access_token"), sandbox.Marker) {
			t.Errorf("Accept %q: %v, %s", accept, err, got.Body)
		}
	}
	bad := sandboxtest.Good("genesys").WithHeader("Accept", sandboxtest.FormType).Without("Authorization")
	if got := sandboxtest.Do(t, s, bad); got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("an error is %s", got.Header.Get("Content-Type"))
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	get := sandboxtest.Good("genesys")
	get.Method, get.Body = "GET", ""
	at := func(path string) sandboxtest.Call { c := sandboxtest.Good("genesys"); c.Path = path; return c }
	status := func(code, message string) string {
		return `{"status":{"code":` + code + `,"detail":{},"message":"` + message + `"}}`
	}
	badClient := status("401", "invalid_client: Bad client credentials")
	badPassword := status("400", "invalid_grant: Bad credentials")
	misplaced := status("400",
		"invalid_request: credentials belong in the Authorization header, parameters in the body")
	const secret = sandbox.Marker + "+genesys%:raw"
	sandboxtest.RunRefusals(t, s, func() { c.Advance(time.Second) }, []sandboxtest.Refusal{
		{"no api key", sandboxtest.Good("genesys").Without("X-Api-Key"), 403, status("603", "Unauthorized")},
		{"wrong api key", sandboxtest.Good("genesys").WithHeader("X-Api-Key", "x"), 403, status("603", "Unauthorized")},
		{"other path", at("/auth/v3/nothing"), 404, status("404", "Not Found")},
		{"method", get, 405, status("405", "Method Not Allowed")},
		{"query", at("/auth/v3/oauth/token?scope=*"), 400, misplaced},
		{"secret in form", sandboxtest.Good("genesys").WithForm(t, url.Values{"client_secret": {secret}}), 400, misplaced},
		{"no credentials", sandboxtest.Good("genesys").Without("Authorization"), 401, badClient},
		{"wrong secret", sandboxtest.Good("genesys").As("sandbox-genesys", "x"), 401, badClient},
		{
			"encoded secret", sandboxtest.Good("genesys").WithHeader("Authorization", sandboxtest.FormBasic("sandbox-genesys", secret)),
			401, badClient,
		},
		{"other client id", sandboxtest.Good("genesys").Set("client_id", "x"), 401, badClient},
		{"scope", sandboxtest.Good("genesys").Set("scope", "openid"), 400, status("400", "invalid_scope: only * is supported")},
		{
			"no grant", sandboxtest.Good("genesys").WithForm(t, url.Values{"grant_type": nil}),
			400, status("400", "invalid_request: missing parameter: grant_type"),
		},
		{
			"other grant", sandboxtest.Good("genesys").Set("grant_type", "magic"), 400,
			status("400", "unsupported_grant_type: Unsupported grant type"),
		},
		{"wrong password", sandboxtest.PasswordCall(t).WithForm(t, url.Values{"password": {"x"}}), 400, badPassword},
		{"no tenant", sandboxtest.PasswordCall(t).WithForm(t, url.Values{"username": {"jane"}}), 400, badPassword},
		{
			"unknown refresh token", sandboxtest.RefreshCall(t, "genesys", "x"),
			400, status("400", "invalid_grant: Invalid refresh token"),
		},
	})
}

func TestRefreshRotates(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	first := sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.PasswordCall(t)))
	old := sandboxtest.Text(t, first["refresh_token"])
	second := sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.RefreshCall(t, "genesys", old)))
	next := sandboxtest.Text(t, second["refresh_token"])
	if next == old || second["access_token"] == first["access_token"] || !strings.Contains(next, sandbox.Marker) {
		t.Errorf("first %v second %v", first, second)
	}
	// The old one again: somebody has a copy, and the whole family ends.
	if got := sandboxtest.Do(t, s, sandboxtest.RefreshCall(t, "genesys", old)); got.Status != 400 {
		t.Errorf("reuse: status %d", got.Status)
	}
	if got := sandboxtest.Do(t, s, sandboxtest.RefreshCall(t, "genesys", next)); got.Status != 400 {
		t.Errorf("the successor after reuse: status %d", got.Status)
	}
	// Another login is another family.
	again := sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.PasswordCall(t)))
	sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.RefreshCall(t, "genesys", sandboxtest.Text(t, again["refresh_token"]))))
}
