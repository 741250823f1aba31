package talkdesk_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
	"github.com/google/go-cmp/cmp"
)

func TestToken(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	fields := sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("talkdesk").Set("scope", "apps:read users:read")))
	header, claims := sandboxtest.VerifyES256(t, sandboxtest.PublicOf(s.Service("talkdesk").Signer), sandboxtest.Text(t, fields["access_token"]))
	delete(fields, "access_token")
	want := map[string]any{"expires_in": 600.0, "token_type": "Bearer", "scope": "apps:read users:read"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("reply:\n%s", diff)
	}
	if header["kid"] == "" || header["alg"] != "ES256" {
		t.Errorf("header %v", header)
	}
	if claims["iss"] != "https://www.talkdeskid.com" || claims["aud"] != "https://api.talkdeskapp.com" ||
		sandboxtest.Seconds(t, claims) != 600 || claims["iat"] != float64(c.Now().Unix()) {
		t.Errorf("claims %v", claims)
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	granted := sandboxtest.Text(t, sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("talkdesk")))["scope"])
	if n := len(strings.Fields(granted)); n != 31 || strings.Contains(granted, "voicebiometrics") {
		t.Errorf("%d scopes without asking: %s", n, granted)
	}
	pending := func(scope string) sandboxtest.Result {
		return sandboxtest.Do(t, s, sandboxtest.Good("talkdesk").Set("scope", scope))
	}
	if err := s.AddFault(sandbox.Fault{ScopePending: []string{"users:read"}}); err != nil {
		t.Fatal(err)
	}
	if got := pending("apps:read users:read"); got.Status != 401 || got.Fields(t)["error_description"] == "" {
		t.Errorf("pending scope: status %d, %s", got.Status, got.Body)
	}
	sandboxtest.WantToken(t, pending("apps:read"))
	granted = sandboxtest.Text(t, sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("talkdesk")))["scope"])
	if slices.Contains(strings.Fields(granted), "users:read") {
		t.Errorf("a pending scope is granted unasked: %s", granted)
	}
	s.ClearFaults()
	sandboxtest.WantToken(t, pending("apps:read users:read"))
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	get := sandboxtest.Good("talkdesk")
	get.Method, get.Body = "GET", ""
	at := func(path string) sandboxtest.Call { c := sandboxtest.Good("talkdesk"); c.Path = path; return c }
	const (
		badClient = `{"error":"invalid_client","error_description":"client authentication failed"}`
		badScope  = `{"error":"invalid_scope",` +
			`"error_description":"the requested scope is invalid, unknown or not effective yet"}`
		twoWays = `{"error":"invalid_request","error_description":"more than one way of client authentication"}`
		secret  = sandbox.Marker + "+talkdesk%:raw"
	)
	sandboxtest.RunRefusals(t, s, func() { c.Advance(time.Second) }, []sandboxtest.Refusal{
		{
			"other path", at("/oauth/nothing"),
			404, `{"error":"not_found","error_description":"the resource does not exist"}`,
		},
		{"method", get, 405, `{"error":"invalid_request","error_description":"method not allowed"}`},
		{
			"duplicate", sandboxtest.Good("talkdesk").WithForm(t, url.Values{"scope": {"a", "b"}}), 400,
			`{"error":"invalid_request","error_description":"duplicated parameter"}`,
		},
		{
			"query", at("/oauth/token?scope=apps:read"), 400,
			`{"error":"invalid_request","error_description":"parameters belong in the request body"}`,
		},
		{
			"no grant", sandboxtest.Good("talkdesk").WithForm(t, url.Values{"grant_type": nil}), 400,
			`{"error":"invalid_request","error_description":"missing parameter: grant_type"}`,
		},
		{
			"other grant", sandboxtest.Good("talkdesk").Set("grant_type", "password"), 400,
			`{"error":"unsupported_grant_type","error_description":"Unsupported grant type"}`,
		},
		{"no credentials", sandboxtest.Good("talkdesk").Without("Authorization"), 401, badClient},
		{"unknown client", sandboxtest.Good("talkdesk").As("nobody", secret), 401, badClient},
		{"wrong secret", sandboxtest.Good("talkdesk").As("sandbox-talkdesk", "x"), 401, badClient},
		{
			"encoded secret", sandboxtest.Good("talkdesk").WithHeader("Authorization", sandboxtest.FormBasic("sandbox-talkdesk", secret)),
			401, badClient,
		},
		{"no secret for a key client", sandboxtest.Good("talkdesk").As("sandbox-talkdesk-jwt", ""), 401, badClient},
		{"secret in form", sandboxtest.Good("talkdesk").Without("Authorization").WithForm(t,
			url.Values{"client_id": {"sandbox-talkdesk"}, "client_secret": {secret}}), 401, badClient},
		{
			"secret in header and form", sandboxtest.Good("talkdesk").WithForm(t, url.Values{"client_secret": {secret}}),
			400, twoWays,
		},
		{"secret and assertion", sandboxtest.Good("talkdesk").Set("client_assertion", "x"), 400, twoWays},
		{"unknown scope", sandboxtest.Good("talkdesk").Set("scope", "apps:read apps:fly"), 401, badScope},
		{"scope not granted", sandboxtest.Good("talkdesk").Set("scope", "voicebiometrics-enroll:write"), 401, badScope},
		{
			"unknown refresh token", sandboxtest.Good("talkdesk").Set("grant_type", "refresh_token"), 400,
			`{"error":"invalid_grant","error_description":"Invalid refresh token"}`,
		},
	})
}

func TestAssertion(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	key := s.Service("talkdesk").Clients[1].Key
	kid := key.KeyID
	now := c.Now().Unix()
	rows := []struct {
		name    string
		change  map[string]any
		header  map[string]any
		form    url.Values
		refused bool
	}{
		{name: "good"},
		{name: "with client_id", form: url.Values{"client_id": {"sandbox-talkdesk-jwt"}}},
		{name: "five minutes", change: map[string]any{"exp": now + 300}},
		{name: "other client_id", form: url.Values{"client_id": {"x"}}, refused: true},
		{name: "no type", form: url.Values{"client_assertion_type": nil}, refused: true},
		{name: "no kid", header: map[string]any{"alg": "ES256"}, refused: true},
		{name: "other kid", header: map[string]any{"alg": "ES256", "kid": "x"}, refused: true},
		{name: "alg RS256", header: map[string]any{"alg": "RS256", "kid": kid}, refused: true},
		{name: "other issuer", change: map[string]any{"iss": "x"}, refused: true},
		{name: "no subject", change: map[string]any{"sub": nil, "iss": nil}, refused: true},
		{
			name: "client without key", refused: true,
			change: map[string]any{"sub": "sandbox-talkdesk", "iss": "sandbox-talkdesk"},
		},
		{name: "audience with slash", change: map[string]any{"aud": s.URL() + "/oauth/token/"}, refused: true},
		{
			name: "audience elsewhere", refused: true,
			change: map[string]any{"aud": "https://acme.talkdeskid.com/oauth/token"},
		},
		{name: "two audiences", change: map[string]any{"aud": []string{s.URL() + "/oauth/token", "x"}}, refused: true},
		{name: "no jti", change: map[string]any{"jti": nil}, refused: true},
		{name: "no iat", change: map[string]any{"iat": nil}, refused: true},
		{name: "no exp", change: map[string]any{"exp": nil}, refused: true},
		{name: "too long", change: map[string]any{"exp": now + 301}, refused: true},
		{name: "expired", change: map[string]any{"iat": now - 60, "exp": now - 16}, refused: true},
		{name: "future", change: map[string]any{"iat": now + 61, "exp": now + 120}, refused: true},
		{name: "again", change: map[string]any{"jti": "good"}, refused: true},
	}
	for _, row := range rows {
		claims := sandboxtest.ClaimsOf("sandbox-talkdesk-jwt", s.URL()+"/oauth/token", row.name, now)
		header := map[string]any{"alg": "ES256", "kid": kid}
		if row.header != nil {
			header = row.header
		}
		assertion := sandboxtest.SignES256(t, key, header, sandboxtest.Change(claims, row.change))
		got := sandboxtest.Do(t, s, sandboxtest.Asserted(sandboxtest.Good("talkdesk"), assertion).WithForm(t, row.form))
		if !row.refused {
			sandboxtest.WantToken(t, got)
		} else if got.Status != 401 || got.Fields(t)["error"] != "invalid_client" {
			t.Errorf("%s: status %d, %s", row.name, got.Status, got.Body)
		}
	}
	foreign := sandboxtest.SignES256(t, s.Service("talkdesk").Signer, map[string]any{"alg": "ES256", "kid": kid},
		sandboxtest.ClaimsOf("sandbox-talkdesk-jwt", s.URL()+"/oauth/token", "foreign", now))
	if got := sandboxtest.Do(t, s, sandboxtest.Asserted(sandboxtest.Good("talkdesk"), foreign)); got.Status != 401 {
		t.Errorf("signed with another key: status %d, %s", got.Status, got.Body)
	}
}

func TestAudienceIsTheHostPostedTo(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	host := strings.Replace(strings.TrimPrefix(s.URL(), "http://"), "127.0.0.1", "localhost", 1)
	for aud, want := range map[string]int{"http://" + host + "/oauth/token": 200, s.URL() + "/oauth/token": 401} {
		registered := s.Service("talkdesk").Clients[1]
		assertion := sandboxtest.SignES256(t, registered.Key, map[string]any{"alg": "ES256", "kid": registered.Key.KeyID},
			sandboxtest.ClaimsOf(registered.ID, aud, aud, c.Now().Unix()))
		if got := sandboxtest.Do(t, s, sandboxtest.Asserted(sandboxtest.Good("talkdesk"), assertion).WithHeader("Host", host)); got.Status != want {
			t.Errorf("aud %s at %s: status %d, want %d", aud, host, got.Status, want)
		}
	}
}
