package sandbox

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	callback = "http://127.0.0.1:49152/callback"
	verifier = "obviously-fake-verifier-of-fifty-characters-length"
)

func s256(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func loginServices() []string { return []string{"genesys", "talkdesk"} }

// authorizePath is an authorization request that works, with changes; nil
// removes a parameter.
func authorizePath(service string, changes url.Values) string {
	query := url.Values{
		"client_id": {"sandbox-" + service}, "redirect_uri": {callback}, "response_type": {"code"}, "state": {"s t&é"},
	}
	maps.Copy(query, changes)
	maps.DeleteFunc(query, func(_ string, v []string) bool { return v == nil })
	path := "/auth/v3/oauth/authorize"
	if service == "talkdesk" {
		path = "/oauth/authorize"
	}
	return path + "?" + query.Encode()
}

// signInFor returns the parameters the client gets back.
func signInFor(t *testing.T, s *Server, service string, changes url.Values) url.Values {
	t.Helper()
	at, err := jane(s, service).SignIn(t.Context(), s.URL()+authorizePath(service, changes))
	if err != nil {
		t.Fatal(err)
	}
	return callbackQuery(t, at)
}

func callbackQuery(t *testing.T, at string) url.Values {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil || !strings.HasPrefix(at, callback+"?") {
		t.Fatalf("the browser is sent to %s, %v", at, err)
	}
	return u.Query()
}

// codeCall exchanges a code.
func codeCall(t *testing.T, service, code string) call {
	t.Helper()
	return good(service).withForm(t, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback},
	})
}

// userToken is the token reply of a whole login.
func userToken(t *testing.T, s *Server, service string, changes url.Values) map[string]any {
	t.Helper()
	return wantToken(t, do(t, s, codeCall(t, service, signInFor(t, s, service, changes).Get("code"))))
}

func get(path string) call { return call{method: http.MethodGet, path: path} }

func TestLogin(t *testing.T) {
	t.Parallel()
	for _, service := range loginServices() {
		s, _ := start(t, Options{})
		got := signInFor(t, s, service, nil)
		code := got.Get("code")
		if got.Get("state") != "s t&é" || len(got) != 2 || !strings.Contains(code, Marker) {
			t.Errorf("%s: callback %v", service, got)
		}
		if !slices.Contains(s.IssuedSecrets(), code) {
			t.Errorf("%s: the code is not listed", service)
		}
		fields := wantToken(t, do(t, s, codeCall(t, service, code)))
		refresh := text(t, fields["refresh_token"])
		if text(t, fields["access_token"]) == "" || !slices.Contains(s.IssuedSecrets(), refresh) {
			t.Errorf("%s: %v", service, fields)
		}
		next := wantToken(t, do(t, s, refreshCall(t, service, refresh)))
		if next["refresh_token"] == refresh || next["access_token"] == fields["access_token"] {
			t.Errorf("%s: no rotation: %v", service, next)
		}
	}
}

func TestLoginWithoutState(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	for _, service := range loginServices() {
		if got := signInFor(t, s, service, url.Values{"state": nil}); got.Has("state") || !got.Has("code") {
			t.Errorf("%s: callback %v", service, got)
		}
		if got := signInFor(t, s, service, url.Values{"state": {""}}); got.Has("state") {
			t.Errorf("%s: an empty state counts as none (RFC 6749 §3.1): %v", service, got)
		}
		kept := signInFor(t, s, service, url.Values{"redirect_uri": {callback + "?a=1&code=x"}})
		if kept.Get("a") != "1" || kept.Get("code") == "x" {
			t.Errorf("%s: callback %v", service, kept)
		}
	}
}

func TestCancelSignIn(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	for _, service := range loginServices() {
		at, err := jane(s, service).Cancel(t.Context(), s.URL()+authorizePath(service, nil))
		if err != nil {
			t.Fatal(err)
		}
		want := url.Values{
			"error": {"access_denied"}, "error_description": {"the user cancelled the sign-in"}, "state": {"s t&é"},
		}
		if diff := cmp.Diff(want, callbackQuery(t, at)); diff != "" {
			t.Errorf("%s:\n%s", service, diff)
		}
	}
}

// What cannot be told to the client, because nobody knows who it is, stays here.
func TestAuthorizeNeverRedirectsToStrangers(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	for _, service := range loginServices() {
		unknown, unregistered := 401, 401
		if service == "talkdesk" {
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
			"two redirects":  {url.Values{"redirect_uri": {callback, callback}}, unknown},
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
			path := authorizePath(service, row.change)
			if name == "broken query" {
				path += "&x=%zz"
			}
			got := do(t, s, get(path))
			if got.status != row.status || got.header.Get("Location") != "" ||
				got.header.Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("%s, %s: status %d, Location %q", service, name, got.status, got.header.Get("Location"))
			}
			if _, err := jane(s, service).SignIn(t.Context(), s.URL()+path); err == nil {
				t.Errorf("%s, %s: somebody signs in", service, name)
			}
		}
	}
}

func TestAuthorizeErrorsByRedirect(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	rows := map[string]struct {
		change url.Values
		code   string
	}{
		"no response type": {url.Values{"response_type": nil}, "invalid_request"},
		"implicit":         {url.Values{"response_type": {"token"}}, "unsupported_response_type"},
		"two states":       {url.Values{"state": {"a", "b"}}, "invalid_request"},
		"unknown scope":    {url.Values{"scope": {"apps:fly"}}, "invalid_scope"},
		"no method":        {url.Values{"code_challenge": {s256(verifier)}}, "invalid_request"},
		"plain":            {url.Values{"code_challenge": {verifier}, "code_challenge_method": {"plain"}}, "invalid_request"},
		"no challenge":     {url.Values{"code_challenge_method": {"S256"}}, "invalid_request"},
		"short challenge":  {url.Values{"code_challenge": {"x"}, "code_challenge_method": {"S256"}}, "invalid_request"},
	}
	for _, service := range loginServices() {
		for name, row := range rows {
			got := do(t, s, get(authorizePath(service, row.change)))
			query := callbackQuery(t, got.header.Get("Location"))
			if got.status != 302 || query.Get("error") != row.code || query.Get("error_description") == "" ||
				query.Has("code") || !query.Has("state") {
				t.Errorf("%s, %s: status %d, %v", service, name, got.status, query)
			}
		}
	}
	for name, change := range map[string]url.Values{
		"invalid_scope":   {"scope": {"openid"}}, // sent, and not *
		"invalid_request": {"hideTenant": {"maybe"}},
	} {
		got := do(t, s, get(authorizePath("genesys", change)))
		if query := callbackQuery(t, got.header.Get("Location")); query.Get("error") != name {
			t.Errorf("%v: %v", change, query)
		}
	}
	addFault(t, s, `{"scope_pending":["apps:read"]}`)
	got := do(t, s, get(authorizePath("talkdesk", url.Values{"scope": {"openid apps:read"}})))
	if query := callbackQuery(t, got.header.Get("Location")); query.Get("error") != "invalid_scope" {
		t.Errorf("pending scope: %v", query)
	}
}

func TestAuthorizeMethods(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	for path, allow := range map[string]string{
		"/oauth/authorize": "GET", "/auth/v3/oauth/authorize": "GET",
		"/oauth/sign-in": "GET, POST", "/auth/v3/sign-in": "GET, POST",
	} {
		got := do(t, s, call{method: http.MethodPut, path: path})
		if got.status != 405 || got.header.Get("Allow") != allow {
			t.Errorf("%s: status %d, Allow %q", path, got.status, got.header.Get("Allow"))
		}
	}
}

func TestCodeIsBound(t *testing.T) {
	t.Parallel()
	pkce := url.Values{"code_challenge": {s256(verifier)}, "code_challenge_method": {"S256"}}
	rows := []struct {
		name      string
		authorize url.Values
		form      url.Values
		wait      time.Duration
		problem   string // empty for success
	}{
		{name: "in time", wait: codeLife - time.Second},
		{name: "too late", wait: codeLife, problem: "The authorization code has expired"},
		{name: "other redirect", form: url.Values{"redirect_uri": {callback + "/"}}, problem: "Redirect URI mismatch"},
		{name: "unknown code", form: url.Values{"code": {"x"}}, problem: "Invalid authorization code"},
		{name: "verifier", authorize: pkce, form: url.Values{"code_verifier": {verifier}}},
		{
			name: "no verifier", authorize: pkce,
			problem: "The code_verifier does not fit the code_challenge",
		},
		{
			name: "other verifier", authorize: pkce, form: url.Values{"code_verifier": {verifier + "x"}},
			problem: "The code_verifier does not fit the code_challenge",
		},
		{
			name: "the challenge as verifier", authorize: pkce, form: url.Values{"code_verifier": {s256(verifier)}},
			problem: "The code_verifier does not fit the code_challenge",
		},
		{
			name: "verifier without challenge", form: url.Values{"code_verifier": {verifier}},
			problem: "code_verifier without a code_challenge",
		},
	}
	for _, service := range loginServices() {
		s, c := start(t, Options{})
		for _, row := range rows {
			code := signInFor(t, s, service, row.authorize).Get("code")
			c.advance(row.wait)
			got := do(t, s, codeCall(t, service, code).withForm(t, row.form))
			if row.problem == "" {
				wantToken(t, got)
			} else if got.status != 400 || !strings.Contains(got.body, row.problem) ||
				!strings.Contains(got.body, "invalid_grant") {
				t.Errorf("%s, %s: status %d, %s", service, row.name, got.status, got.body)
			}
		}
	}
}

func TestCodeIsGoodOnce(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	for _, service := range loginServices() {
		code := signInFor(t, s, service, nil).Get("code")
		fields := wantToken(t, do(t, s, codeCall(t, service, code)))
		c.advance(5 * time.Minute) // a second use is known long after
		if got := do(t, s, codeCall(t, service, code)); got.status != 400 {
			t.Errorf("%s: a code twice: status %d", service, got.status)
		}
		if got := do(t, s, refreshCall(t, service, text(t, fields["refresh_token"]))); got.status != 400 {
			t.Errorf("%s: the refresh token of a code that came twice: status %d", service, got.status)
		}
		// A failed exchange spends the code too.
		code = signInFor(t, s, service, nil).Get("code")
		wrong := codeCall(t, service, code).set("redirect_uri", "http://127.0.0.1:1/")
		if got := do(t, s, wrong); got.status != 400 {
			t.Errorf("%s: status %d", service, got.status)
		}
		if got := do(t, s, codeCall(t, service, code)); got.status != 400 {
			t.Errorf("%s: a code after a failure: status %d", service, got.status)
		}
	}
	// A code of one client is none of another's.
	code := signInFor(t, s, "genesys", url.Values{"client_id": {"sandbox-genesys-public"}}).Get("code")
	if got := do(t, s, codeCall(t, "genesys", code)); got.status != 400 {
		t.Errorf("another client's code: status %d", got.status)
	}
	code = signInFor(t, s, "genesys", nil).Get("code")
	if got := do(t, s, codeCall(t, "talkdesk", code)); got.status != 400 {
		t.Errorf("another service's code: status %d", got.status)
	}
}

func TestCallbackFault(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	addFault(t, s, `{"path":"/auth/v3/sign-in","callback":{"iss":"https://id.example","state":"","x":"\u001b[31m"}}`)
	got := signInFor(t, s, "genesys", nil)
	want := url.Values{"iss": {"https://id.example"}, "x": {"\x1b[31m"}, "code": {got.Get("code")}}
	if diff := cmp.Diff(want, got); diff != "" || got.Get("code") == "" {
		t.Error(diff)
	}
	s.ClearFaults()
	if err := s.AddFault(Fault{Callback: map[string]string{"error": "access_denied", "code": ""}}); err != nil {
		t.Fatal(err)
	}
	if got := signInFor(t, s, "talkdesk", nil); got.Has("code") || got.Get("error") != "access_denied" {
		t.Errorf("callback %v", got)
	}
}

// Of many that present a code, or a rotating refresh token, one gets an answer.
func TestOneTakesIt(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	for _, service := range loginServices() {
		code := signInFor(t, s, service, nil).Get("code")
		refresh := text(t, userToken(t, s, service, nil)["refresh_token"])
		for name, c := range map[string]call{
			"code": codeCall(t, service, code), "refresh": refreshCall(t, service, refresh),
		} {
			var granted atomic.Int32
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					resp, err := newHTTPClient(t).Do(c.request(t, s))
					if err != nil {
						t.Error(err)
						return
					}
					_ = resp.Body.Close()
					if resp.StatusCode == http.StatusOK {
						granted.Add(1)
					}
				})
			}
			wg.Wait()
			if n := granted.Load(); n != 1 {
				t.Errorf("%s, %s: granted %d times", service, name, n)
			}
		}
	}
}
