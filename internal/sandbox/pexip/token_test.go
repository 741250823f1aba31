package pexip_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
	"github.com/google/go-cmp/cmp"
)

const pexipToken = "/realms/acme/protocol/openid-connect/token"

func TestToken(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	fields := sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("pexip").WithForm(t, url.Values{
		"scope": {"engage:forms:readOnly email engage:regions:readWrite"},
	})))
	header, claims := sandboxtest.VerifyES256(t, sandboxtest.PublicOf(s.Service("pexip").Signer), sandboxtest.Text(t, fields["access_token"]))
	delete(fields, "access_token")
	scope := "engage:forms:readOnly email engage:regions:readWrite profile"
	want := map[string]any{
		"expires_in": 300.0, "refresh_expires_in": 0.0, "token_type": "Bearer",
		"not-before-policy": 0.0, "scope": scope,
	}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("reply:\n%s", diff)
	}
	if header["kid"] == "" || header["typ"] != "JWT" || header["alg"] != "ES256" {
		t.Errorf("header %v", header)
	}
	for name, want := range map[string]any{
		"iss": s.URL() + "/realms/acme", "aud": "account", "azp": "sandbox-pexip", "scope": scope, "typ": "Bearer",
		"iat": float64(c.Now().Unix()), "exp": float64(c.Now().Unix() + 300),
	} {
		if claims[name] != want {
			t.Errorf("claim %s is %v, want %v", name, claims[name], want)
		}
	}
	if claims["jti"] == "" || claims["realm_access"] == nil {
		t.Errorf("claims %v", claims)
	}
}

func TestEveryScope(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	if n := len(s.Service("pexip").Scopes); n != 36 {
		t.Fatalf("%d scopes", n)
	}
	all := strings.Join(s.Service("pexip").Scopes, " ")
	fields := sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("pexip").WithForm(t, url.Values{"scope": {all}})))
	if fields["scope"] != all+" profile email" {
		t.Errorf("scope %q", fields["scope"])
	}
	fields = sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("pexip").Set("scope", "openid")))
	_, claims := sandboxtest.VerifyES256(t, sandboxtest.PublicOf(s.Service("pexip").Signer), sandboxtest.Text(t, fields["id_token"]))
	if claims["aud"] != "sandbox-pexip" {
		t.Errorf("id token %v", claims)
	}
	fields = sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("pexip")))
	if fields["scope"] != "profile email" || fields["id_token"] != nil {
		t.Errorf("without scope: %v", fields)
	}
}

func TestSecretInForm(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	credentials := url.Values{"client_id": {"sandbox-pexip"}, "client_secret": {sandbox.Marker + "+pexip/100%:é secret"}}
	sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("pexip").Without("Authorization").WithForm(t, credentials)))
	// The form goes before the header, whichever of the two is right.
	sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("pexip").As("x", "y").WithForm(t, credentials)))
	sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("pexip").WithHeader("Authorization", "Basic ?").WithForm(t, credentials)))
	credentials.Set("client_secret", "wrong")
	if got := sandboxtest.Do(t, s, sandboxtest.Good("pexip").WithForm(t, credentials)); got.Status != 401 {
		t.Errorf("a wrong secret in the form, a right one in the header: status %d", got.Status)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	get := sandboxtest.Good("pexip")
	get.Method, get.Body = "GET", ""
	at := func(path string) sandboxtest.Call { c := sandboxtest.Good("pexip"); c.Path = path; return c }
	inQuery := at(pexipToken+"?grant_type=client_credentials").WithForm(t, url.Values{"grant_type": nil, "a": {"b"}})
	const wrong = `"error_description":"Invalid client or Invalid client credentials"}`
	sandboxtest.RunRefusals(t, s, func() { c.Advance(time.Second) }, []sandboxtest.Refusal{
		{
			"other realm", at("/realms/nobody/protocol/openid-connect/token"),
			404, `{"error":"Realm does not exist"}`,
		},
		{
			"realm in other case", at("/realms/Acme/protocol/openid-connect/token"),
			404, `{"error":"Realm does not exist"}`,
		},
		{
			"realm with slash", at("/realms/acme%2Fx/protocol/openid-connect/token"),
			404, `{"error":"Realm does not exist"}`,
		},
		{"other path", at("/realms/acme/nothing"), 404, `{"error":"HTTP 404 Not Found"}`},
		{"method", get, 405, `{"error":"HTTP 405 Method Not Allowed"}`},
		{
			"content type", sandboxtest.Good("pexip").WithHeader("Content-Type", "text/plain"),
			415, `{"error":"HTTP 415 Unsupported Media Type"}`,
		},
		{
			"duplicate", sandboxtest.Good("pexip").WithForm(t, url.Values{"scope": {"a", "b"}}), 400,
			`{"error":"invalid_request","error_description":"duplicated parameter"}`,
		},
		{
			"no grant", sandboxtest.Good("pexip").WithForm(t, url.Values{"grant_type": nil}), 400,
			`{"error":"invalid_request","error_description":"Missing form parameter: grant_type"}`,
		},
		{
			"grant in query", inQuery, 400,
			`{"error":"invalid_request","error_description":"Missing form parameter: grant_type"}`,
		},
		{
			"other grant", sandboxtest.Good("pexip").Set("grant_type", "magic"), 400,
			`{"error":"unsupported_grant_type","error_description":"Unsupported grant_type"}`,
		},
		{
			"no client", sandboxtest.Good("pexip").Without("Authorization"), 400,
			`{"error":"invalid_client","error_description":"Missing client_id parameter"}`,
		},
		{"unknown client", sandboxtest.Good("pexip").As("nobody", "x"), 401, `{"error":"invalid_client",` + wrong},
		{
			"wrong secret", sandboxtest.Good("pexip").As("sandbox-pexip", "x"), 401,
			`{"error":"unauthorized_client",` + wrong,
		},
		{
			"no secret", sandboxtest.Good("pexip").Without("Authorization").Set("client_id", "sandbox-pexip"), 401,
			`{"error":"unauthorized_client",` + wrong,
		},
		{
			"no secret for a key client", sandboxtest.Good("pexip").As("sandbox-pexip-jwt", ""), 401,
			`{"error":"unauthorized_client",` + wrong,
		},
		{
			"raw secret", sandboxtest.Good("pexip").As("sandbox-pexip", sandbox.Marker+"+pexip/100%:é secret"),
			401, "",
		},
		{"other scheme", sandboxtest.Good("pexip").WithHeader("Authorization", "Bearer x"), 401, ""},
		{
			"unknown scope", sandboxtest.Good("pexip").Set("scope", "engage:forms:readOnly engage:forms:READ"), 400,
			`{"error":"invalid_scope",` +
				`"error_description":"Invalid scopes: engage:forms:readOnly engage:forms:READ"}`,
		},
		{
			"unknown refresh token", sandboxtest.RefreshCall(t, "pexip", "x"), 400,
			`{"error":"invalid_grant","error_description":"Invalid refresh token"}`,
		},
	})
	got := sandboxtest.Do(t, s, sandboxtest.Good("pexip").WithHeader("Authorization", "Bearer x"))
	if h := got.Header.Get("WWW-Authenticate"); h != `Basic realm="acme"` {
		t.Errorf("WWW-Authenticate %q", h)
	}
	if _, ok := got.Header["Content-Type"]; ok {
		t.Error("an empty body has a Content-Type")
	}
}

func TestAssertion(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	key := s.Service("pexip").Clients[1].Key
	rows := []struct {
		name    string
		change  map[string]any // of the claims; nil removes
		header  map[string]any
		form    url.Values
		problem string // empty for success
	}{
		{name: "issuer as audience", change: map[string]any{"aud": s.URL() + "/realms/acme"}},
		{name: "token URL as audience"},
		{name: "audience in an array", change: map[string]any{"aud": []string{s.URL() + pexipToken}}},
		{name: "no kid", header: map[string]any{"alg": "ES256"}},
		{name: "client_id too", form: url.Values{"client_id": {"sandbox-pexip-jwt"}}},
		{name: "no iat", change: map[string]any{"iat": nil}},
		{name: "long exp", change: map[string]any{"exp": c.Now().Unix() + 1e9}},
		{name: "slightly late", change: map[string]any{"exp": c.Now().Unix() - 10}},
		{name: "slightly early", change: map[string]any{"iat": c.Now().Unix() + 10}},
		{
			name: "two audiences", change: map[string]any{"aud": []string{s.URL() + pexipToken, "x"}},
			problem: "Multiple audiences not allowed in the JWT token",
		},
		{
			name: "other audience", change: map[string]any{"aud": "https://example.com"},
			problem: "Invalid token audience",
		},
		{name: "no audience", change: map[string]any{"aud": nil}, problem: "Invalid token audience"},
		{
			name: "other issuer", change: map[string]any{"iss": "x"},
			problem: "Issuer mismatch. The issuer should match the subject",
		},
		{
			name: "no subject", change: map[string]any{"sub": nil},
			problem: "Can't identify client. Subject missing on JWT token",
		},
		{
			name: "client without key", change: map[string]any{"sub": "sandbox-pexip", "iss": "sandbox-pexip"},
			problem: "Unable to load public key",
		},
		{
			name: "unknown client", change: map[string]any{"sub": "x", "iss": "x"},
			problem: "Unable to load public key",
		},
		{
			name: "other client_id", form: url.Values{"client_id": {"x"}},
			problem: "client_id parameter not matching with client from JWT token",
		},
		{
			name: "other kid", header: map[string]any{"alg": "ES256", "kid": "x"},
			problem: "Signature on JWT token failed validation",
		},
		{
			name: "alg lies", header: map[string]any{"alg": "RS256"},
			problem: "Signature on JWT token failed validation",
		},
		{name: "alg none", header: map[string]any{"alg": "none"}, problem: "Invalid client assertion"},
		{name: "alg HS256", header: map[string]any{"alg": "HS256"}, problem: "Invalid client assertion"},
		{name: "no exp", change: map[string]any{"exp": nil}, problem: "Token exp claim is required"},
		{name: "expired", change: map[string]any{"exp": c.Now().Unix() - 16}, problem: "Token is not active"},
		{
			name: "exp far without iat", change: map[string]any{"iat": nil, "exp": c.Now().Unix() + 61},
			problem: "Token expiration is too far in the future and iat claim not present in token",
		},
		{
			name: "iat in the future", change: map[string]any{"iat": c.Now().Unix() + 16},
			problem: "Token was issued in the future",
		},
		{
			name: "iat a minute ago", change: map[string]any{"iat": c.Now().Unix() - 60, "exp": c.Now().Unix() + 240},
			problem: "Token was issued too far in the past to be used now",
		},
		{name: "no jti", change: map[string]any{"jti": nil}, problem: "Missing ID on the token"},
		{
			name: "no type", form: url.Values{"client_assertion_type": nil},
			problem: "Parameter client_assertion_type is missing",
		},
		{
			name: "other type", form: url.Values{"client_assertion_type": {"x"}},
			problem: "Parameter client_assertion_type has an unexpected value",
		},
		{
			name: "no assertion", form: url.Values{"client_assertion": nil},
			problem: "client_assertion parameter missing",
		},
		{name: "not a JWS", form: url.Values{"client_assertion": {"x.y"}}, problem: "Invalid client assertion"},
	}
	for _, row := range rows {
		claims := sandboxtest.ClaimsOf("sandbox-pexip-jwt", s.URL()+pexipToken, row.name, c.Now().Unix())
		header := map[string]any{"alg": "ES256", "kid": key.KeyID}
		if row.header != nil {
			header = row.header
		}
		assertion := sandboxtest.SignES256(t, key, header, sandboxtest.Change(claims, row.change))
		got := sandboxtest.Do(t, s, sandboxtest.Asserted(sandboxtest.Good("pexip"), assertion).WithForm(t, row.form))
		if row.problem == "" {
			if got.Status != http.StatusOK {
				t.Errorf("%s: status %d, %s", row.name, got.Status, got.Body)
			}
			continue
		}
		want := map[string]any{"error": "invalid_client", "error_description": row.problem}
		if diff := cmp.Diff(want, got.Fields(t)); got.Status != 400 || diff != "" {
			t.Errorf("%s: status %d\n%s", row.name, got.Status, diff)
		}
	}
}

func TestAssertionOnce(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	claims := sandboxtest.ClaimsOf("sandbox-pexip-jwt", s.URL()+pexipToken, "one", c.Now().Unix())
	assertion := sandboxtest.SignES256(t, s.Service("pexip").Clients[1].Key, map[string]any{"alg": "ES256"}, claims)
	sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Asserted(sandboxtest.Good("pexip"), assertion)))
	c.Advance(59 * time.Second)
	got := sandboxtest.Do(t, s, sandboxtest.Asserted(sandboxtest.Good("pexip"), assertion))
	if want := "Token reuse detected"; got.Status != 400 || got.Fields(t)["error_description"] != want {
		t.Errorf("status %d, %s", got.Status, got.Body)
	}
	if r := s.Requests(); r[0].ClientID != "sandbox-pexip-jwt" || r[0].Form["client_assertion"] != sandboxtest.Redacted {
		t.Errorf("log %+v", r[0])
	}
}
