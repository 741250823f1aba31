package sandbox

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

	"github.com/google/go-cmp/cmp"
)

const pexipBase = "/realms/acme/protocol/openid-connect/"

// pexipCall is a request of the confidential client.
func pexipCall(t *testing.T, path string, form url.Values) call {
	t.Helper()
	c := good("pexip").withForm(t, url.Values{"grant_type": nil}).withForm(t, form)
	c.path = pexipBase + path
	return c
}

func pexipGrant(t *testing.T, s *Server, scope string) map[string]any {
	t.Helper()
	return wantToken(t, do(t, s, good("pexip").set("scope", scope)))
}

func TestPexipDiscovery(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	fields := do(t, s, get("/realms/acme/.well-known/openid-configuration")).fields(t)
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
		if got := do(t, s, get(pexipBase+path)); got.status == 404 {
			t.Errorf("%s is not there", path)
		}
	}
	addFault(t, s, `{"path":"/realms/acme/.well-known/openid-configuration","extra":{"issuer":"https://id.example"}}`)
	if got := do(t, s, get("/realms/acme/.well-known/openid-configuration")); got.fields(t)["issuer"] != "https://id.example" {
		t.Errorf("the issuer by fault: %s", got.body)
	}
}

func TestPexipCerts(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	keys, _ := do(t, s, get(pexipBase+"certs")).fields(t)["keys"].([]any)
	if len(keys) != 2 { // the other is for RS256
		t.Fatalf("%d keys", len(keys))
	}
	jwk, _ := keys[0].(map[string]any)
	coordinate := func(name string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(text(t, jwk[name]))
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
	header, _ := verifyES256(t, key, clientToken(t, s, "pexip"))
	if jwk["kid"] != header["kid"] || jwk["kty"] != "EC" || jwk["crv"] != "P-256" || jwk["use"] != "sig" || jwk["d"] != nil {
		t.Errorf("key %v, header %v", jwk, header)
	}
}

func TestPexipUserInfo(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	token := text(t, pexipGrant(t, s, "openid")["access_token"])
	at := pexipBase + "userinfo"
	inForm := post(at, url.Values{"access_token": {token}}, nil)
	empty := call{method: http.MethodPost, path: at}
	want := map[string]any{
		"sub": "service-account-sandbox-pexip", "preferred_username": "service-account-sandbox-pexip",
		"email_verified": false,
	}
	for name, c := range map[string]call{
		"GET":         get(at).withHeader("Authorization", "Bearer "+token),
		"POST":        empty.withHeader("Authorization", "bearer "+token),
		"POST a form": inForm,
	} {
		got := do(t, s, c)
		if diff := cmp.Diff(want, got.fields(t)); got.status != 200 || diff != "" {
			t.Errorf("%s: status %d\n%s", name, got.status, diff)
		}
	}
	const invalid = `{"error":"invalid_token","error_description":"Token verification failed"}`
	plain := clientToken(t, s, "pexip")
	runRefusals(t, s, func() {}, []refusal{
		{"no token", get(at), 401, ""},
		{"unknown", get(at).withHeader("Authorization", "Bearer x"), 401, invalid},
		{"no openid", get(at).withHeader("Authorization", "Bearer "+plain), 403, ""},
		{"no openid in a form", post(at, url.Values{"access_token": {plain}}, nil), 403, ""},
		{
			"header and form", inForm.withHeader("Authorization", "Bearer "+token), 400,
			`{"error":"invalid_request","error_description":"More than one method used for including an access token"}`,
		},
		{"query", get(at + "?access_token=" + token), 401, ""},
		{"other method", call{method: http.MethodPut, path: at}, 405, `{"error":"HTTP 405 Method Not Allowed"}`},
	})
	for header, want := range map[string]string{
		"": `Bearer realm="acme"`,
		"Bearer x": `Bearer realm="acme", error="invalid_token", ` +
			`error_description="Token verification failed"`,
		"Bearer " + plain: `Bearer realm="acme", error="insufficient_scope", ` +
			`error_description="Missing openid scope"`,
	} {
		got := do(t, s, get(at).withHeader("Authorization", header)).header.Get("WWW-Authenticate")
		if got != want {
			t.Errorf("WWW-Authenticate %s, want %s", got, want)
		}
	}
	c.advance(300 * time.Second)
	if got := do(t, s, inForm); got.status != 401 {
		t.Errorf("expired: status %d", got.status)
	}
}

// introspected asks what a token is.
func introspected(t *testing.T, s *Server, token string) map[string]any {
	t.Helper()
	got := do(t, s, pexipCall(t, "token/introspect", url.Values{"token": {token}}))
	if got.status != 200 {
		t.Fatalf("status %d, %s", got.status, got.body)
	}
	return got.fields(t)
}

func TestPexipIntrospect(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	addFault(t, s, `{"refresh_token":true,"times":1}`)
	reply := pexipGrant(t, s, "openid")
	token, refresh := text(t, reply["access_token"]), text(t, reply["refresh_token"])
	got := introspected(t, s, token)
	_, claims := verifyES256(t, publicOf(s.services[0].Signer), token)
	for name, value := range claims {
		if diff := cmp.Diff(value, got[name]); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	for name, want := range map[string]any{
		"active": true, "client_id": "sandbox-pexip", "username": "service-account-sandbox-pexip",
		"token_type": "Bearer", "scope": "openid profile email", "exp": float64(c.now().Unix() + 300),
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if got := introspected(t, s, refresh); got["active"] != true || got["typ"] != "Refresh" {
		t.Errorf("refresh token: %v", got)
	}
	if got := introspected(t, s, text(t, reply["id_token"])); got["active"] != true || got["typ"] != "ID" {
		t.Errorf("ID token: %v", got)
	}
	inactive := map[string]any{"active": false}
	if diff := cmp.Diff(inactive, introspected(t, s, "x")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(inactive, introspected(t, s, clientToken(t, s, "genesys"))); diff != "" {
		t.Error(diff)
	}
	wantToken(t, do(t, s, refreshCall(t, "pexip", refresh)))
	if diff := cmp.Diff(inactive, introspected(t, s, refresh)); diff != "" {
		t.Errorf("spent:\n%s", diff)
	}
	c.advance(300 * time.Second)
	if diff := cmp.Diff(inactive, introspected(t, s, token)); diff != "" {
		t.Errorf("expired:\n%s", diff)
	}
}

func TestPexipIntrospectRefusals(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	fine := pexipCall(t, "token/introspect", url.Values{"token": {"x"}})
	const failed = `{"error":"invalid_request","error_description":"Authentication failed."}`
	runRefusals(t, s, func() {}, []refusal{
		{"no client", fine.without("Authorization"), 401, failed},
		{"unknown client", fine.as("x", "x"), 401, failed},
		{"wrong secret", fine.as("sandbox-pexip", "x"), 401, failed},
		{
			"public client", fine.without("Authorization").set("client_id", "sandbox-pexip-public"), 403,
			`{"error":"invalid_request","error_description":"Client not allowed."}`,
		},
		{
			"no token", pexipCall(t, "token/introspect", nil), 400,
			`{"error":"invalid_request","error_description":"Token not provided."}`,
		},
		{
			"two tokens", fine.withForm(t, url.Values{"token": {"a", "b"}}), 400,
			`{"error":"invalid_request","error_description":"duplicated parameter"}`,
		},
		{"GET", get(pexipBase + "token/introspect"), 405, `{"error":"HTTP 405 Method Not Allowed"}`},
	})
	assertion := signES256(t, s.services[0].Clients[1].Key, map[string]any{"alg": "ES256"},
		claimsOf("sandbox-pexip-jwt", s.URL()+pexipToken+"/introspect", "1", s.opts.Now().Unix()))
	if got := do(t, s, asserted(fine, assertion)); got.status != 200 {
		t.Errorf("by assertion: status %d, %s", got.status, got.body)
	}
}

func TestPexipRevoke(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	addFault(t, s, `{"refresh_token":true,"times":2}`)
	first, second := pexipGrant(t, s, "openid"), pexipGrant(t, s, "openid")
	token, refresh := text(t, first["access_token"]), text(t, first["refresh_token"])
	revoke := func(token string) result {
		return do(t, s, pexipCall(t, "revoke", url.Values{"token": {token}, "token_type_hint": {"access_token"}}))
	}
	if got := revoke(token); got.status != 200 || got.body != "" {
		t.Errorf("status %d, %s", got.status, got.body)
	}
	userInfo := get(pexipBase+"userinfo").withHeader("Authorization", "Bearer "+token)
	if got := do(t, s, userInfo); got.status != 401 || introspected(t, s, token)["active"] != false {
		t.Errorf("a revoked token: userinfo %d", got.status)
	}
	if introspected(t, s, refresh)["active"] != true {
		t.Error("with an access token, the refresh token ended")
	}
	const invalid = `{"error":"invalid_token","error_description":"Invalid token"}`
	if got := revoke(token); got.status != 200 || strings.TrimSpace(got.body) != invalid {
		t.Errorf("again: status %d, %s", got.status, got.body)
	}
	other := text(t, second["access_token"])
	if got := revoke(text(t, second["refresh_token"])); got.status != 200 || introspected(t, s, other)["active"] != false {
		t.Errorf("by refresh token: status %d, the access token is active", got.status)
	}
	plain := clientToken(t, s, "pexip")
	c.advance(300 * time.Second)
	if got := revoke(plain); got.status != 200 || strings.TrimSpace(got.body) != invalid {
		t.Errorf("expired: status %d, %s", got.status, got.body)
	}
}

func TestPexipRevokeRefusals(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	reply := pexipGrant(t, s, "openid")
	fine := pexipCall(t, "revoke", url.Values{"token": {text(t, reply["access_token"])}})
	runRefusals(t, s, func() {}, []refusal{
		{
			"no token", pexipCall(t, "revoke", nil), 400,
			`{"error":"invalid_request","error_description":"Token not provided"}`,
		},
		{
			"ID token", fine.set("token", text(t, reply["id_token"])), 400,
			`{"error":"unsupported_token_type","error_description":"Unsupported token type"}`,
		},
		{
			"other client", fine.without("Authorization").set("client_id", "sandbox-pexip-public"), 400,
			`{"error":"invalid_request","error_description":"Unmatching clients"}`,
		},
		{
			"wrong secret", fine.as("sandbox-pexip", "x"), 401,
			`{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}`,
		},
		{"JSON", fine.withHeader("Content-Type", "application/json"), 415, `{"error":"HTTP 415 Unsupported Media Type"}`},
		{"GET", get(pexipBase + "revoke"), 405, `{"error":"HTTP 405 Method Not Allowed"}`},
	})
	if introspected(t, s, text(t, reply["access_token"]))["active"] != true {
		t.Error("a refused request revokes")
	}
}

func TestPexipLogout(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	addFault(t, s, `{"refresh_token":true,"times":1}`)
	reply := pexipGrant(t, s, "openid")
	token, refresh := text(t, reply["access_token"]), text(t, reply["refresh_token"])
	fine := pexipCall(t, "logout", url.Values{"refresh_token": {refresh}})
	const invalid = `{"error":"invalid_grant","error_description":"Invalid refresh token"}`
	runRefusals(t, s, func() {}, []refusal{
		{
			"no token", pexipCall(t, "logout", nil), 400,
			`{"error":"invalid_request","error_description":"No refresh token"}`,
		},
		{"unknown", fine.set("refresh_token", "x"), 400, invalid},
		{"access token", fine.set("refresh_token", token), 400, invalid},
		{"other client", fine.without("Authorization").set("client_id", "sandbox-pexip-public"), 400, invalid},
		{
			"wrong secret", fine.as("sandbox-pexip", "x"), 401,
			`{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}`,
		},
		{"GET", get(pexipBase + "logout"), 405, `{"error":"HTTP 405 Method Not Allowed"}`},
		{
			"twice", fine.withForm(t, url.Values{"a": {"b", "c"}}), 400,
			`{"error":"invalid_request","error_description":"duplicated parameter"}`,
		},
	})
	got := do(t, s, fine)
	if _, there := got.header["Content-Length"]; got.status != 204 || got.body != "" || there {
		t.Errorf("status %d, %s, %v", got.status, got.body, got.header)
	}
	if introspected(t, s, token)["active"] != false || introspected(t, s, refresh)["active"] != false {
		t.Error("after the logout, a token is active")
	}
	if got := do(t, s, fine); got.status != 400 {
		t.Errorf("again: status %d", got.status)
	}
}

func TestPexipPublicClient(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	got := do(t, s, good("pexip").without("Authorization").set("client_id", "sandbox-pexip-public"))
	const want = `{"error":"unauthorized_client","error_description":"Client not enabled to retrieve service account"}`
	if got.status != 401 || strings.TrimSpace(got.body) != want {
		t.Errorf("status %d, %s", got.status, got.body)
	}
	wrong := good("pexip").as("sandbox-pexip-public", "x")
	if got := do(t, s, wrong); got.status != 401 {
		t.Errorf("with a secret: status %d", got.status)
	}
}
