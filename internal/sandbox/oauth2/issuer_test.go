package oauth2_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandboxtest"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"
)

// verify returns header and claims of a JWT that one of the published keys signed.
func (w *world) verify(token string) (header jose.Header, claims map[string]any) {
	w.Helper()
	signed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil {
		w.Fatal(err)
	}
	if err := signed.Claims(w.keys(base+"jwks"), &claims); err != nil {
		w.Fatalf("the signature: %v", err)
	}
	return signed.Headers[0], claims
}

func (w *world) keys(path string) *jose.JSONWebKeySet {
	w.Helper()
	var set jose.JSONWebKeySet
	got := w.do(sandboxtest.Get(path))
	if err := json.Unmarshal([]byte(got.Body), &set); err != nil || got.Status != 200 {
		w.Fatalf("status %d, %v", got.Status, err)
	}
	return &set
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	w := start(t)
	document := w.do(sandboxtest.Get(base + ".well-known/openid-configuration"))
	inserted := w.do(sandboxtest.Get("/.well-known/oauth-authorization-server/openid/main"))
	if document.Status != 200 || document.Body != inserted.Body {
		t.Errorf("status %d and %d:\n%s\n%s", document.Status, inserted.Status, document.Body, inserted.Body)
	}
	fields := document.Fields(t)
	if fields["issuer"] != w.issuer() || fields["token_endpoint"] != w.issuer()+"/token" {
		t.Errorf("issuer %v, token_endpoint %v", fields["issuer"], fields["token_endpoint"])
	}
	aliases, _ := fields["mtls_endpoint_aliases"].(map[string]any)
	if aliases["token_endpoint"] != w.s.SecureURL()+base+"token" || aliases["jwks_uri"] != nil {
		t.Errorf("aliases %v", aliases)
	}
	// What it names is there: a POST without anything is refused, and not unknown.
	for member, address := range fields {
		at, ok := strings.CutPrefix(text(address), w.s.URL())
		if !ok || member == "issuer" {
			continue
		}
		get, post := w.do(sandboxtest.Get(at)), w.do(sandboxtest.Post(at, nil, nil))
		if get.Status == 404 || post.Status == 404 || get.Status == 405 && post.Status == 405 {
			t.Errorf("%s: GET %d, POST %d", member, get.Status, post.Status)
		}
	}
	// At the TLS port it is the same issuer.
	if secure := w.showing(nil, sandboxtest.Get(base+".well-known/openid-configuration")); secure.Body != document.Body {
		t.Errorf("at the TLS port:\n%s", cmp.Diff(document.Body, secure.Body))
	}
	for _, path := range []string{
		"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server",
		"/.well-known/openid-configuration/openid/main", "/openid/other/token", base + "nothing",
	} {
		if got := w.do(sandboxtest.Get(path)); got.Status != 404 {
			t.Errorf("%s: status %d", path, got.Status)
		}
	}
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// An issuer can lie about its name, and sign what nobody should believe.
func TestForgeries(t *testing.T) {
	t.Parallel()
	w := start(t)
	sandboxtest.AddFault(t, w.s, `{"path":"`+base+`.well-known/openid-configuration","extra":{"issuer":"https://id.example"}}`)
	if got := w.do(sandboxtest.Get(base + ".well-known/openid-configuration")).Fields(t); got["issuer"] != "https://id.example" {
		t.Errorf("issuer %v", got["issuer"])
	}
	fault := func(fields string) []string {
		t.Helper()
		sandboxtest.AddFault(t, w.s, `{"path":"`+base+`token","times":1,`+fields+`}`)
		return strings.Split(sandboxtest.Text(t, w.token(passwordCall())["id_token"]), ".")
	}
	parts := fault(`"claims":{"iss":"https://id.example","aud":["a","b"],"at_hash":null}`)
	_, claims := w.verify(strings.Join(parts, "."))
	if claims["iss"] != "https://id.example" || claims["at_hash"] != nil || len(claims["aud"].([]any)) != 2 {
		t.Errorf("claims %v", claims)
	}
	for algorithm, signed := range map[string]bool{"none": false, "HS256": true} {
		parts := fault(`"algorithm":"` + algorithm + `"`)
		header, err := base64.RawURLEncoding.DecodeString(parts[0])
		if err != nil || !strings.Contains(string(header), `"`+algorithm+`"`) || (parts[2] != "") != signed {
			t.Errorf("%s: %s, %v", algorithm, header, err)
		}
	}
	bad := sandboxtest.Call{Method: "POST", Path: "/_sandbox/faults", Body: `{"algorithm":"HS512"}`}
	if got := w.do(bad); got.Status != 400 {
		t.Errorf("status %d", got.Status)
	}
}

func TestAccessToken(t *testing.T) {
	t.Parallel()
	w := start(t)
	fields := sandboxtest.WantToken(t, w.do(sandboxtest.Good("oauth2").Set("scope", "orders:read reports:read")))
	if fields["token_type"] != "Bearer" || fields["expires_in"] != 300.0 || fields["scope"] != "orders:read reports:read" ||
		fields["refresh_token"] != nil || fields["id_token"] != nil {
		t.Errorf("reply %v", fields)
	}
	header, claims := w.verify(sandboxtest.Text(t, fields["access_token"]))
	if header.ExtraHeaders[jose.HeaderType] != "at+jwt" || header.Algorithm != "ES256" {
		t.Errorf("header %v", header)
	}
	now := float64(w.clock.Now().Unix())
	for name, want := range map[string]any{
		"iss": w.issuer(), "sub": "sandbox-oauth2", "client_id": "sandbox-oauth2", "aud": "https://api.sandbox.example",
		"scope": "orders:read reports:read", "iat": now, "exp": now + 300, "auth_time": nil, "act": nil,
	} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	easy := w.as("client_secret_basic", "sandbox-oauth2-easy", clientCredentials())
	header, _ = w.verify(sandboxtest.Text(t, sandboxtest.WantToken(t, w.do(easy))["access_token"]))
	if header.Algorithm != "RS256" {
		t.Errorf("header %v", header)
	}
	w.want("scope", w.do(sandboxtest.Good("oauth2").Set("scope", "orders:fly")), 400, "invalid_scope", "")
	w.want("raw Basic", w.do(sandboxtest.Good("oauth2").As("sandbox-oauth2", w.client("sandbox-oauth2").Secret)), 401, "invalid_client", "")
	w.want("grant", w.do(sandboxtest.Good("oauth2").Set("grant_type", "implicit")), 400, "unsupported_grant_type", "")
}
