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

func TestTalkdeskToken(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	fields := wantToken(t, do(t, s, good("talkdesk").set("scope", "apps:read users:read")))
	header, claims := verifyES256(t, publicOf(s.services[1].Signer), text(t, fields["access_token"]))
	delete(fields, "access_token")
	want := map[string]any{"expires_in": 600.0, "token_type": "Bearer", "scope": "apps:read users:read"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("reply:\n%s", diff)
	}
	if header["kid"] == "" || header["alg"] != "ES256" {
		t.Errorf("header %v", header)
	}
	if claims["iss"] != "https://www.talkdeskid.com" || claims["aud"] != "https://api.talkdeskapp.com" ||
		seconds(t, claims) != 600 || claims["iat"] != float64(c.now().Unix()) {
		t.Errorf("claims %v", claims)
	}
}

func TestTalkdeskScopes(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	granted := text(t, wantToken(t, do(t, s, good("talkdesk")))["scope"])
	if n := len(strings.Fields(granted)); n != 31 || strings.Contains(granted, "voicebiometrics") {
		t.Errorf("%d scopes without asking: %s", n, granted)
	}
	pending := func(scope string) result { return do(t, s, good("talkdesk").set("scope", scope)) }
	if err := s.AddFault(Fault{ScopePending: []string{"users:read"}}); err != nil {
		t.Fatal(err)
	}
	if got := pending("apps:read users:read"); got.status != 401 || got.fields(t)["error_description"] == "" {
		t.Errorf("pending scope: status %d, %s", got.status, got.body)
	}
	wantToken(t, pending("apps:read"))
	granted = text(t, wantToken(t, do(t, s, good("talkdesk")))["scope"])
	if slices.Contains(strings.Fields(granted), "users:read") {
		t.Errorf("a pending scope is granted unasked: %s", granted)
	}
	s.ClearFaults()
	wantToken(t, pending("apps:read users:read"))
}

func TestTalkdeskRefusals(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	get := good("talkdesk")
	get.method, get.body = "GET", ""
	at := func(path string) call { c := good("talkdesk"); c.path = path; return c }
	const (
		badClient = `{"error":"invalid_client","error_description":"client authentication failed"}`
		badScope  = `{"error":"invalid_scope",` +
			`"error_description":"the requested scope is invalid, unknown or not effective yet"}`
		twoWays = `{"error":"invalid_request","error_description":"more than one way of client authentication"}`
		secret  = Marker + "+talkdesk%:raw"
	)
	runRefusals(t, s, func() { c.advance(time.Second) }, []refusal{
		{
			"other path", at("/oauth/nothing"),
			404, `{"error":"not_found","error_description":"the resource does not exist"}`,
		},
		{"method", get, 405, `{"error":"invalid_request","error_description":"method not allowed"}`},
		{
			"duplicate", good("talkdesk").withForm(t, url.Values{"scope": {"a", "b"}}), 400,
			`{"error":"invalid_request","error_description":"duplicated parameter"}`,
		},
		{
			"query", at("/oauth/token?scope=apps:read"), 400,
			`{"error":"invalid_request","error_description":"parameters belong in the request body"}`,
		},
		{
			"no grant", good("talkdesk").withForm(t, url.Values{"grant_type": nil}), 400,
			`{"error":"invalid_request","error_description":"missing parameter: grant_type"}`,
		},
		{
			"other grant", good("talkdesk").set("grant_type", "password"), 400,
			`{"error":"unsupported_grant_type","error_description":"the grant type is not supported"}`,
		},
		{"no credentials", good("talkdesk").without("Authorization"), 401, badClient},
		{"unknown client", good("talkdesk").as("nobody", secret), 401, badClient},
		{"wrong secret", good("talkdesk").as("sandbox-talkdesk", "x"), 401, badClient},
		{
			"encoded secret", good("talkdesk").withHeader("Authorization", formBasic("sandbox-talkdesk", secret)),
			401, badClient,
		},
		{"no secret for a key client", good("talkdesk").as("sandbox-talkdesk-jwt", ""), 401, badClient},
		{"secret in form", good("talkdesk").without("Authorization").withForm(t,
			url.Values{"client_id": {"sandbox-talkdesk"}, "client_secret": {secret}}), 401, badClient},
		{
			"secret in header and form", good("talkdesk").withForm(t, url.Values{"client_secret": {secret}}),
			400, twoWays,
		},
		{"secret and assertion", good("talkdesk").set("client_assertion", "x"), 400, twoWays},
		{"unknown scope", good("talkdesk").set("scope", "apps:read apps:fly"), 401, badScope},
		{"scope not granted", good("talkdesk").set("scope", "voicebiometrics-enroll:write"), 401, badScope},
		{
			"unknown refresh token", good("talkdesk").set("grant_type", "refresh_token"), 400,
			`{"error":"invalid_grant","error_description":"the refresh token is invalid or expired"}`,
		},
	})
}

func TestTalkdeskAssertion(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	key, kid := s.services[1].Clients[1].Key, s.services[1].Clients[1].KeyID
	now := c.now().Unix()
	rows := []struct {
		name    string
		change  map[string]any
		header  map[string]any
		form    url.Values
		problem string
	}{
		{name: "good"},
		{name: "with client_id", form: url.Values{"client_id": {"sandbox-talkdesk-jwt"}}},
		{name: "five minutes", change: map[string]any{"exp": now + 300}},
		{
			name: "other client_id", form: url.Values{"client_id": {"x"}},
			problem: "client_id is not the assertion's",
		},
		{
			name: "no type", form: url.Values{"client_assertion_type": nil},
			problem: "client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
		},
		{
			name: "no assertion", form: url.Values{"client_assertion": nil},
			problem: "the client assertion cannot be read",
		},
		{
			name: "garbage", form: url.Values{"client_assertion": {"a.b.c"}},
			problem: "the client assertion cannot be read",
		},
		{
			name: "alg none", header: map[string]any{"alg": "none", "kid": kid},
			problem: "the client assertion cannot be read",
		},
		{name: "no kid", header: map[string]any{"alg": "ES256"}, problem: "no such key"},
		{name: "other kid", header: map[string]any{"alg": "ES256", "kid": "x"}, problem: "no such key"},
		{
			name: "alg RS256", header: map[string]any{"alg": "RS256", "kid": kid},
			problem: "the assertion's algorithm must be ES256",
		},
		{name: "other issuer", change: map[string]any{"iss": "x"}, problem: "iss and sub must be the client id"},
		{
			name: "no subject", change: map[string]any{"sub": nil, "iss": nil},
			problem: "iss and sub must be the client id",
		},
		{
			name: "client without key", change: map[string]any{"sub": "sandbox-talkdesk", "iss": "sandbox-talkdesk"},
			problem: "no such key",
		},
		{
			name: "audience with slash", change: map[string]any{"aud": s.URL() + "/oauth/token/"},
			problem: "aud must be the token URL",
		},
		{
			name: "audience elsewhere", change: map[string]any{"aud": "https://acme.talkdeskid.com/oauth/token"},
			problem: "aud must be the token URL",
		},
		{
			name: "two audiences", change: map[string]any{"aud": []string{s.URL() + "/oauth/token", "x"}},
			problem: "aud must be the token URL",
		},
		{name: "no jti", change: map[string]any{"jti": nil}, problem: "jti, iat and exp are required"},
		{name: "no iat", change: map[string]any{"iat": nil}, problem: "jti, iat and exp are required"},
		{name: "no exp", change: map[string]any{"exp": nil}, problem: "jti, iat and exp are required"},
		{
			name: "too long", change: map[string]any{"exp": now + 301},
			problem: "the assertion lives longer than five minutes",
		},
		{
			name: "expired", change: map[string]any{"iat": now - 10, "exp": now},
			problem: "the assertion has expired",
		},
		{
			name: "future", change: map[string]any{"iat": now + 61, "exp": now + 120},
			problem: "the assertion was issued in the future",
		},
		{name: "again", change: map[string]any{"jti": "good"}, problem: "the assertion was used before"},
		{
			name: "unreadable exp", change: map[string]any{"exp": "soon"},
			problem: "the client assertion cannot be read",
		},
	}
	for _, row := range rows {
		claims := claimsOf("sandbox-talkdesk-jwt", s.URL()+"/oauth/token", row.name, now)
		header := map[string]any{"alg": "ES256", "kid": kid}
		if row.header != nil {
			header = row.header
		}
		assertion := signES256(t, key, header, change(claims, row.change))
		got := do(t, s, asserted(good("talkdesk"), assertion).withForm(t, row.form))
		if row.problem == "" {
			if got.status != http.StatusOK {
				t.Errorf("%s: status %d, %s", row.name, got.status, got.body)
			}
			continue
		}
		want := map[string]any{"error": "invalid_client", "error_description": row.problem}
		if diff := cmp.Diff(want, got.fields(t)); got.status != 401 || diff != "" {
			t.Errorf("%s: status %d\n%s", row.name, got.status, diff)
		}
	}
	foreign := signES256(t, newKey(), map[string]any{"alg": "ES256", "kid": kid},
		claimsOf("sandbox-talkdesk-jwt", s.URL()+"/oauth/token", "foreign", now))
	if got := do(t, s, asserted(good("talkdesk"), foreign)); got.status != 401 ||
		got.fields(t)["error_description"] != "the assertion's signature is wrong" {
		t.Errorf("signed with another key: status %d, %s", got.status, got.body)
	}
}

func TestTalkdeskAudienceIsTheHostPostedTo(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	host := strings.Replace(strings.TrimPrefix(s.URL(), "http://"), "127.0.0.1", "localhost", 1)
	for aud, want := range map[string]int{"http://" + host + "/oauth/token": 200, s.URL() + "/oauth/token": 401} {
		registered := s.services[1].Clients[1]
		assertion := signES256(t, registered.Key, map[string]any{"alg": "ES256", "kid": registered.KeyID},
			claimsOf(registered.ID, aud, aud, c.now().Unix()))
		if got := do(t, s, asserted(good("talkdesk"), assertion).withHeader("Host", host)); got.status != want {
			t.Errorf("aud %s at %s: status %d, want %d", aud, host, got.status, want)
		}
	}
}
