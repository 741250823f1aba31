package service_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
	"github.com/google/go-cmp/cmp"
)

func TestCancelSignIn(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	for _, service := range sandboxtest.LoginServices() {
		at, err := sandboxtest.Jane(s, service).Cancel(t.Context(), s.URL()+sandboxtest.AuthorizePath(service, nil))
		if err != nil {
			t.Fatal(err)
		}
		want := url.Values{
			"error": {"access_denied"}, "error_description": {"the user cancelled the sign-in"}, "state": {"s t&é"},
		}
		if service == "oauth2" { // RFC 9207
			want.Set("iss", s.URL()+strings.TrimSuffix(sandboxtest.OAuth2Base, "/"))
		}
		if diff := cmp.Diff(want, sandboxtest.CallbackQuery(t, at)); diff != "" {
			t.Errorf("%s:\n%s", service, diff)
		}
	}
}

// What cannot be told to the client, because nobody knows who it is, stays here.
func TestAuthorizeNeverRedirectsToStrangers(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	for _, service := range sandboxtest.LoginServices() {
		unknown, unregistered := 401, 401
		if service != "genesys" {
			unregistered = 400
		}
		rows := map[string]struct {
			change url.Values
			status int
		}{
			"no client":      {url.Values{"client_id": nil}, unknown},
			"unknown client": {url.Values{"client_id": {"nobody"}}, unknown},
			"two clients":    {url.Values{"client_id": {"sandbox-" + service, "x"}}, unknown},
			"no redirect":    {url.Values{"redirect_uri": nil}, unregistered},
			"two redirects":  {url.Values{"redirect_uri": {sandboxtest.Callback, sandboxtest.Callback}}, unknown},
			"broken query":   {url.Values{}, unknown},
			"neither":        {url.Values{"client_id": nil, "redirect_uri": nil}, unknown},
		}
		for _, uri := range []string{
			"https://127.0.0.1:1/", "http://localhost:1/", "http://127.0.0.1/", "http://127.0.0.1.example.com:1/",
			"http://x@127.0.0.1:1/", "http://127.0.0.1:1/#x", "http://127.0.0.2:1/", "javascript:alert(1)", "/x", "http://[::1]:1/",
		} {
			rows[uri] = struct {
				change url.Values
				status int
			}{url.Values{"redirect_uri": {uri}}, unregistered}
		}
		for name, row := range rows {
			path := sandboxtest.AuthorizePath(service, row.change)
			if name == "broken query" {
				path += "&x=%zz"
			}
			got := sandboxtest.Do(t, s, sandboxtest.Get(path))
			if got.Status != row.status || got.Header.Get("Location") != "" ||
				got.Header.Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("%s, %s: status %d, Location %q", service, name, got.Status, got.Header.Get("Location"))
			}
			if _, err := sandboxtest.Jane(s, service).SignIn(t.Context(), s.URL()+path); err == nil {
				t.Errorf("%s, %s: somebody signs in", service, name)
			}
		}
	}
}

func TestAuthorizeErrorsByRedirect(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	rows := map[string]struct {
		change url.Values
		code   string
	}{
		"no response type": {url.Values{"response_type": nil}, "invalid_request"},
		"implicit":         {url.Values{"response_type": {"token"}}, "unsupported_response_type"},
		"two states":       {url.Values{"state": {"a", "b"}}, "invalid_request"},
		"unknown scope":    {url.Values{"scope": {"apps:fly"}}, "invalid_scope"},
		"no method":        {url.Values{"code_challenge": {sandboxtest.S256(sandboxtest.Verifier)}}, "invalid_request"},
		"plain":            {url.Values{"code_challenge": {sandboxtest.Verifier}, "code_challenge_method": {"plain"}}, "invalid_request"},
		"no challenge":     {url.Values{"code_challenge_method": {"S256"}}, "invalid_request"},
		"short challenge":  {url.Values{"code_challenge": {"x"}, "code_challenge_method": {"S256"}}, "invalid_request"},
	}
	for _, service := range sandboxtest.LoginServices() {
		for name, row := range rows {
			got := sandboxtest.Do(t, s, sandboxtest.Get(sandboxtest.AuthorizePath(service, row.change)))
			query := sandboxtest.CallbackQuery(t, got.Header.Get("Location"))
			if got.Status != 302 || query.Get("error") != row.code || query.Get("error_description") == "" ||
				query.Has("code") || !query.Has("state") {
				t.Errorf("%s, %s: status %d, %v", service, name, got.Status, query)
			}
		}
	}
	for name, change := range map[string]url.Values{
		"invalid_scope": {"scope": {"openid"}}, // sent, and not *
	} {
		got := sandboxtest.Do(t, s, sandboxtest.Get(sandboxtest.AuthorizePath("genesys", change)))
		if query := sandboxtest.CallbackQuery(t, got.Header.Get("Location")); query.Get("error") != name {
			t.Errorf("%v: %v", change, query)
		}
	}
	sandboxtest.AddFault(t, s, `{"scope_pending":["apps:read"]}`)
	got := sandboxtest.Do(t, s, sandboxtest.Get(sandboxtest.AuthorizePath("talkdesk", url.Values{"scope": {"openid apps:read"}})))
	if query := sandboxtest.CallbackQuery(t, got.Header.Get("Location")); query.Get("error") != "invalid_scope" {
		t.Errorf("pending scope: %v", query)
	}
}

func TestCodeIsBound(t *testing.T) {
	t.Parallel()
	pkce := url.Values{"code_challenge": {sandboxtest.S256(sandboxtest.Verifier)}, "code_challenge_method": {"S256"}}
	rows := []struct {
		name      string
		authorize url.Values
		form      url.Values
		wait      time.Duration
		problem   string // empty for success
	}{
		{name: "in time", wait: time.Minute - time.Second},
		{name: "too late", wait: time.Minute, problem: "The authorization code has expired"},
		{name: "other redirect", form: url.Values{"redirect_uri": {sandboxtest.Callback + "/"}}, problem: "Redirect URI mismatch"},
		{name: "unknown code", form: url.Values{"code": {"x"}}, problem: "Invalid authorization code"},
		{name: "verifier", authorize: pkce, form: url.Values{"code_verifier": {sandboxtest.Verifier}}},
		{
			name: "no verifier", authorize: pkce,
			problem: "The code_verifier does not fit the code_challenge",
		},
		{
			name: "other verifier", authorize: pkce, form: url.Values{"code_verifier": {sandboxtest.Verifier + "x"}},
			problem: "The code_verifier does not fit the code_challenge",
		},
		{
			name: "the challenge as verifier", authorize: pkce, form: url.Values{"code_verifier": {sandboxtest.S256(sandboxtest.Verifier)}},
			problem: "The code_verifier does not fit the code_challenge",
		},
		{
			name: "verifier without challenge", form: url.Values{"code_verifier": {sandboxtest.Verifier}},
			problem: "code_verifier without a code_challenge",
		},
	}
	for _, service := range sandboxtest.LoginServices() {
		s, c := sandboxtest.Start(t, sandbox.Options{})
		for _, row := range rows {
			code := sandboxtest.SignInFor(t, s, service, row.authorize).Get("code")
			c.Advance(row.wait)
			got := sandboxtest.Do(t, s, sandboxtest.CodeCall(t, service, code).WithForm(t, row.form))
			if row.problem == "" {
				sandboxtest.WantToken(t, got)
			} else if got.Status != 400 || !strings.Contains(got.Body, row.problem) ||
				!strings.Contains(got.Body, "invalid_grant") {
				t.Errorf("%s, %s: status %d, %s", service, row.name, got.Status, got.Body)
			}
		}
	}
}

func TestCodeIsGoodOnce(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	for _, service := range sandboxtest.LoginServices() {
		code := sandboxtest.SignInFor(t, s, service, nil).Get("code")
		sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.CodeCall(t, service, code)))
		if got := sandboxtest.Do(t, s, sandboxtest.CodeCall(t, service, code)); got.Status != 400 {
			t.Errorf("%s: a code twice: status %d", service, got.Status)
		}
		// A failed exchange spends the code too.
		code = sandboxtest.SignInFor(t, s, service, nil).Get("code")
		wrong := sandboxtest.CodeCall(t, service, code).Set("redirect_uri", "http://127.0.0.1:1/")
		if got := sandboxtest.Do(t, s, wrong); got.Status != 400 {
			t.Errorf("%s: status %d", service, got.Status)
		}
		if got := sandboxtest.Do(t, s, sandboxtest.CodeCall(t, service, code)); got.Status != 400 {
			t.Errorf("%s: a code after a failure: status %d", service, got.Status)
		}
	}
	// A code of one client is none of another's.
	code := sandboxtest.SignInFor(t, s, "genesys", url.Values{"client_id": {"sandbox-genesys-public"}}).Get("code")
	if got := sandboxtest.Do(t, s, sandboxtest.CodeCall(t, "genesys", code)); got.Status != 400 {
		t.Errorf("another client's code: status %d", got.Status)
	}
	code = sandboxtest.SignInFor(t, s, "genesys", nil).Get("code")
	if got := sandboxtest.Do(t, s, sandboxtest.CodeCall(t, "talkdesk", code)); got.Status != 400 {
		t.Errorf("another service's code: status %d", got.Status)
	}
}
