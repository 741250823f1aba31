package pexip_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
	"github.com/google/go-cmp/cmp"
)

// pexipCall is a request of the confidential client.
func pexipCall(t *testing.T, path string, form url.Values) sandboxtest.Call {
	t.Helper()
	c := sandboxtest.Good("pexip").WithForm(t, url.Values{"grant_type": nil}).WithForm(t, form)
	c.Path = sandboxtest.PexipBase + path
	return c
}

func pexipGrant(t *testing.T, s *sandbox.Server, scope string) map[string]any {
	t.Helper()
	return sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("pexip").Set("scope", scope)))
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	fields := sandboxtest.Do(t, s, sandboxtest.Get("/realms/acme/.well-known/openid-configuration")).Fields(t)
	issuer := s.URL() + "/realms/acme"
	for name, path := range map[string]string{
		"issuer": "", "token_endpoint": "token", "introspection_endpoint": "token/introspect",
		"userinfo_endpoint": "userinfo", "end_session_endpoint": "logout", "revocation_endpoint": "revoke",
		"jwks_uri": "certs", "authorization_endpoint": "auth",
	} {
		want := issuer
		if path != "" {
			want += "/protocol/openid-connect/" + path
		}
		if fields[name] != want {
			t.Errorf("%s is %v, want %s", name, fields[name], want)
		}
	}
	if scopes, _ := fields["scopes_supported"].([]any); len(scopes) != 39 {
		t.Errorf("%d scopes", len(scopes))
	}
	if diff := cmp.Diff([]any{"client_credentials", "refresh_token"}, fields["grant_types_supported"]); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{
		"response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported",
		"token_endpoint_auth_methods_supported", "revocation_endpoint_auth_methods_supported",
	} {
		if list, _ := fields[name].([]any); len(list) == 0 {
			t.Errorf("no %s", name)
		}
	}
	// Each address that is named answers.
	for _, path := range []string{"token", "token/introspect", "userinfo", "logout", "revoke", "certs"} {
		if got := sandboxtest.Do(t, s, sandboxtest.Get(sandboxtest.PexipBase+path)); got.Status == 404 {
			t.Errorf("%s is not there", path)
		}
	}
	sandboxtest.AddFault(t, s, `{"path":"/realms/acme/.well-known/openid-configuration","extra":{"issuer":"https://id.example"}}`)
	if got := sandboxtest.Do(t, s, sandboxtest.Get("/realms/acme/.well-known/openid-configuration")); got.Fields(t)["issuer"] != "https://id.example" {
		t.Errorf("the issuer by fault: %s", got.Body)
	}
}

func TestCerts(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	keys, _ := sandboxtest.Do(t, s, sandboxtest.Get(sandboxtest.PexipBase+"certs")).Fields(t)["keys"].([]any)
	if len(keys) != 2 { // the other is for RS256
		t.Fatalf("%d keys", len(keys))
	}
	jwk, _ := keys[0].(map[string]any)
	coordinate := func(name string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(sandboxtest.Text(t, jwk[name]))
		if err != nil || len(b) != 32 {
			t.Fatalf("%s: %d bytes, %v", name, len(b), err)
		}
		return b
	}
	point := slices.Concat([]byte{4}, coordinate("x"), coordinate("y")) // SEC 1 §2.3.3
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	header, _ := sandboxtest.VerifyES256(t, key, sandboxtest.ClientToken(t, s, "pexip"))
	if jwk["kid"] != header["kid"] || jwk["kty"] != "EC" || jwk["crv"] != "P-256" || jwk["use"] != "sig" || jwk["d"] != nil {
		t.Errorf("key %v, header %v", jwk, header)
	}
}

func TestUserInfo(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	token := sandboxtest.Text(t, pexipGrant(t, s, "openid")["access_token"])
	at := sandboxtest.PexipBase + "userinfo"
	inForm := sandboxtest.Post(at, url.Values{"access_token": {token}}, nil)
	empty := sandboxtest.Call{Method: http.MethodPost, Path: at}
	want := map[string]any{
		"sub": "service-account-sandbox-pexip", "preferred_username": "service-account-sandbox-pexip",
		"email_verified": false,
	}
	for name, c := range map[string]sandboxtest.Call{
		"GET":         sandboxtest.Get(at).WithHeader("Authorization", "Bearer "+token),
		"POST":        empty.WithHeader("Authorization", "bearer "+token),
		"POST a form": inForm,
	} {
		got := sandboxtest.Do(t, s, c)
		if diff := cmp.Diff(want, got.Fields(t)); got.Status != 200 || diff != "" {
			t.Errorf("%s: status %d\n%s", name, got.Status, diff)
		}
	}
	const invalid = `{"error":"invalid_token","error_description":"Token verification failed"}`
	plain := sandboxtest.ClientToken(t, s, "pexip")
	sandboxtest.RunRefusals(t, s, func() {}, []sandboxtest.Refusal{
		{"no token", sandboxtest.Get(at), 401, ""},
		{"unknown", sandboxtest.Get(at).WithHeader("Authorization", "Bearer x"), 401, invalid},
		{"no openid", sandboxtest.Get(at).WithHeader("Authorization", "Bearer "+plain), 403, ""},
		{"no openid in a form", sandboxtest.Post(at, url.Values{"access_token": {plain}}, nil), 403, ""},
		{
			"header and form", inForm.WithHeader("Authorization", "Bearer "+token), 400,
			`{"error":"invalid_request","error_description":"More than one method used for including an access token"}`,
		},
		{"query", sandboxtest.Get(at + "?access_token=" + token), 401, ""},
		{"other method", sandboxtest.Call{Method: http.MethodPut, Path: at}, 405, `{"error":"HTTP 405 Method Not Allowed"}`},
	})
	for header, want := range map[string]string{
		"": `Bearer realm="acme"`,
		"Bearer x": `Bearer realm="acme", error="invalid_token", ` +
			`error_description="Token verification failed"`,
		"Bearer " + plain: `Bearer realm="acme", error="insufficient_scope", ` +
			`error_description="Missing openid scope"`,
	} {
		got := sandboxtest.Do(t, s, sandboxtest.Get(at).WithHeader("Authorization", header)).Header.Get("WWW-Authenticate")
		if got != want {
			t.Errorf("WWW-Authenticate %s, want %s", got, want)
		}
	}
	c.Advance(300 * time.Second)
	if got := sandboxtest.Do(t, s, inForm); got.Status != 401 {
		t.Errorf("expired: status %d", got.Status)
	}
}

// introspected asks what a token is.
func introspected(t *testing.T, s *sandbox.Server, token string) map[string]any {
	t.Helper()
	got := sandboxtest.Do(t, s, pexipCall(t, "token/introspect", url.Values{"token": {token}}))
	if got.Status != 200 {
		t.Fatalf("status %d, %s", got.Status, got.Body)
	}
	return got.Fields(t)
}

func TestIntrospect(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	sandboxtest.AddFault(t, s, `{"refresh_token":true,"times":1}`)
	reply := pexipGrant(t, s, "openid")
	token, refresh := sandboxtest.Text(t, reply["access_token"]), sandboxtest.Text(t, reply["refresh_token"])
	got := introspected(t, s, token)
	_, claims := sandboxtest.VerifyES256(t, sandboxtest.PublicOf(s.Service("pexip").Signer), token)
	for name, value := range claims {
		if diff := cmp.Diff(value, got[name]); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	for name, want := range map[string]any{
		"active": true, "client_id": "sandbox-pexip", "username": "service-account-sandbox-pexip",
		"token_type": "Bearer", "scope": "openid profile email", "exp": float64(c.Now().Unix() + 300),
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if got := introspected(t, s, refresh); got["active"] != true || got["typ"] != "Refresh" {
		t.Errorf("refresh token: %v", got)
	}
	if got := introspected(t, s, sandboxtest.Text(t, reply["id_token"])); got["active"] != true || got["typ"] != "ID" {
		t.Errorf("ID token: %v", got)
	}
	inactive := map[string]any{"active": false}
	if diff := cmp.Diff(inactive, introspected(t, s, "x")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(inactive, introspected(t, s, sandboxtest.ClientToken(t, s, "genesys"))); diff != "" {
		t.Error(diff)
	}
	sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.RefreshCall(t, "pexip", refresh)))
	if diff := cmp.Diff(inactive, introspected(t, s, refresh)); diff != "" {
		t.Errorf("spent:\n%s", diff)
	}
	c.Advance(300 * time.Second)
	if diff := cmp.Diff(inactive, introspected(t, s, token)); diff != "" {
		t.Errorf("expired:\n%s", diff)
	}
}

func TestIntrospectRefusals(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	fine := pexipCall(t, "token/introspect", url.Values{"token": {"x"}})
	const failed = `{"error":"invalid_request","error_description":"Authentication failed."}`
	sandboxtest.RunRefusals(t, s, func() {}, []sandboxtest.Refusal{
		{"no client", fine.Without("Authorization"), 401, failed},
		{"unknown client", fine.As("x", "x"), 401, failed},
		{"wrong secret", fine.As("sandbox-pexip", "x"), 401, failed},
		{
			"public client", fine.Without("Authorization").Set("client_id", "sandbox-pexip-public"), 403,
			`{"error":"invalid_request","error_description":"Client not allowed."}`,
		},
		{
			"no token", pexipCall(t, "token/introspect", nil), 400,
			`{"error":"invalid_request","error_description":"Token not provided."}`,
		},
		{
			"two tokens", fine.WithForm(t, url.Values{"token": {"a", "b"}}), 400,
			`{"error":"invalid_request","error_description":"duplicated parameter"}`,
		},
		{"GET", sandboxtest.Get(sandboxtest.PexipBase + "token/introspect"), 405, `{"error":"HTTP 405 Method Not Allowed"}`},
	})
	assertion := sandboxtest.SignES256(t, s.Service("pexip").Clients[1].Key, map[string]any{"alg": "ES256"},
		sandboxtest.ClaimsOf("sandbox-pexip-jwt", s.URL()+pexipToken+"/introspect", "1", c.Now().Unix()))
	if got := sandboxtest.Do(t, s, sandboxtest.Asserted(fine, assertion)); got.Status != 200 {
		t.Errorf("by assertion: status %d, %s", got.Status, got.Body)
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	sandboxtest.AddFault(t, s, `{"refresh_token":true,"times":2}`)
	first, second := pexipGrant(t, s, "openid"), pexipGrant(t, s, "openid")
	token, refresh := sandboxtest.Text(t, first["access_token"]), sandboxtest.Text(t, first["refresh_token"])
	revoke := func(token string) sandboxtest.Result {
		return sandboxtest.Do(t, s, pexipCall(t, "revoke", url.Values{"token": {token}, "token_type_hint": {"access_token"}}))
	}
	if got := revoke(token); got.Status != 200 || got.Body != "" {
		t.Errorf("status %d, %s", got.Status, got.Body)
	}
	userInfo := sandboxtest.Get(sandboxtest.PexipBase+"userinfo").WithHeader("Authorization", "Bearer "+token)
	if got := sandboxtest.Do(t, s, userInfo); got.Status != 401 || introspected(t, s, token)["active"] != false {
		t.Errorf("a revoked token: userinfo %d", got.Status)
	}
	if introspected(t, s, refresh)["active"] != true {
		t.Error("with an access token, the refresh token ended")
	}
	const invalid = `{"error":"invalid_token","error_description":"Invalid token"}`
	if got := revoke(token); got.Status != 200 || strings.TrimSpace(got.Body) != invalid {
		t.Errorf("again: status %d, %s", got.Status, got.Body)
	}
	other := sandboxtest.Text(t, second["access_token"])
	if got := revoke(sandboxtest.Text(t, second["refresh_token"])); got.Status != 200 || introspected(t, s, other)["active"] != false {
		t.Errorf("by refresh token: status %d, the access token is active", got.Status)
	}
	plain := sandboxtest.ClientToken(t, s, "pexip")
	c.Advance(300 * time.Second)
	if got := revoke(plain); got.Status != 200 || strings.TrimSpace(got.Body) != invalid {
		t.Errorf("expired: status %d, %s", got.Status, got.Body)
	}
}

func TestRevokeRefusals(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	reply := pexipGrant(t, s, "openid")
	fine := pexipCall(t, "revoke", url.Values{"token": {sandboxtest.Text(t, reply["access_token"])}})
	sandboxtest.RunRefusals(t, s, func() {}, []sandboxtest.Refusal{
		{
			"no token", pexipCall(t, "revoke", nil), 400,
			`{"error":"invalid_request","error_description":"Token not provided"}`,
		},
		{
			"ID token", fine.Set("token", sandboxtest.Text(t, reply["id_token"])), 400,
			`{"error":"unsupported_token_type","error_description":"Unsupported token type"}`,
		},
		{
			"other client", fine.Without("Authorization").Set("client_id", "sandbox-pexip-public"), 400,
			`{"error":"invalid_request","error_description":"Unmatching clients"}`,
		},
		{
			"wrong secret", fine.As("sandbox-pexip", "x"), 401,
			`{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}`,
		},
		{"JSON", fine.WithHeader("Content-Type", "application/json"), 415, `{"error":"HTTP 415 Unsupported Media Type"}`},
		{"GET", sandboxtest.Get(sandboxtest.PexipBase + "revoke"), 405, `{"error":"HTTP 405 Method Not Allowed"}`},
	})
	if introspected(t, s, sandboxtest.Text(t, reply["access_token"]))["active"] != true {
		t.Error("a refused request revokes")
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	sandboxtest.AddFault(t, s, `{"refresh_token":true,"times":1}`)
	reply := pexipGrant(t, s, "openid")
	token, refresh := sandboxtest.Text(t, reply["access_token"]), sandboxtest.Text(t, reply["refresh_token"])
	fine := pexipCall(t, "logout", url.Values{"refresh_token": {refresh}})
	const invalid = `{"error":"invalid_grant","error_description":"Invalid refresh token"}`
	sandboxtest.RunRefusals(t, s, func() {}, []sandboxtest.Refusal{
		{
			"no token", pexipCall(t, "logout", nil), 400,
			`{"error":"invalid_request","error_description":"No refresh token"}`,
		},
		{"unknown", fine.Set("refresh_token", "x"), 400, invalid},
		{"access token", fine.Set("refresh_token", token), 400, invalid},
		{"other client", fine.Without("Authorization").Set("client_id", "sandbox-pexip-public"), 400, invalid},
		{
			"wrong secret", fine.As("sandbox-pexip", "x"), 401,
			`{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}`,
		},
		{"GET", sandboxtest.Get(sandboxtest.PexipBase + "logout"), 405, `{"error":"HTTP 405 Method Not Allowed"}`},
		{
			"twice", fine.WithForm(t, url.Values{"a": {"b", "c"}}), 400,
			`{"error":"invalid_request","error_description":"duplicated parameter"}`,
		},
	})
	got := sandboxtest.Do(t, s, fine)
	if _, there := got.Header["Content-Length"]; got.Status != 204 || got.Body != "" || there {
		t.Errorf("status %d, %s, %v", got.Status, got.Body, got.Header)
	}
	if introspected(t, s, token)["active"] != false || introspected(t, s, refresh)["active"] != false {
		t.Error("after the logout, a token is active")
	}
	if got := sandboxtest.Do(t, s, fine); got.Status != 400 {
		t.Errorf("again: status %d", got.Status)
	}
}

func TestPublicClient(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	got := sandboxtest.Do(t, s, sandboxtest.Good("pexip").Without("Authorization").Set("client_id", "sandbox-pexip-public"))
	const want = `{"error":"unauthorized_client","error_description":"Client not enabled to retrieve service account"}`
	if got.Status != 401 || strings.TrimSpace(got.Body) != want {
		t.Errorf("status %d, %s", got.Status, got.Body)
	}
	wrong := sandboxtest.Good("pexip").As("sandbox-pexip-public", "x")
	if got := sandboxtest.Do(t, s, wrong); got.Status != 401 {
		t.Errorf("with a secret: status %d", got.Status)
	}
}
