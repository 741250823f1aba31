package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// genesysCall is a request with a token and the API key.
func genesysCall(method, path, token string) call {
	c := call{method: method, path: "/auth/v3" + path, header: map[string]string{"X-Api-Key": genesysAPIKey}}
	if token != "" {
		c.header["Authorization"] = "bearer " + token
	}
	return c
}

func clientToken(t *testing.T, s *Server, service string) string {
	t.Helper()
	return text(t, wantToken(t, do(t, s, good(service)))["access_token"])
}

func genesysStatus(code, message string) string {
	return `{"status":{"code":` + code + `,"detail":{},"message":"` + message + `"}}`
}

func genesysOK(path string) string {
	return `{"data":{},"errors":[],"path":"/auth/v3` + path + `","status":{"code":0,"detail":{},"message":"OK"}}`
}

func TestGenesysUserInfo(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	roles := func(name string, privileges ...any) []any {
		return []any{map[string]any{"name": name, "privileges": append([]any{}, privileges...)}}
	}
	agent := roles("ROLE_AGENT", "PRIVILEGE_VOICE", "PRIVILEGE_EMAIL")
	properties := map[string]any{}
	user := text(t, userToken(t, s, "genesys", nil)["access_token"])
	client := clientToken(t, s, "genesys")
	for _, row := range []struct {
		path, token string
		want        map[string]any
	}{
		{"/userinfo", user, map[string]any{
			"authorities": agent, "properties": properties, "username": "jane_101_" + contactCenter,
			"cmeUserName": "jane", "loginName": "jane", "dbid": 101.0,
			"contactCenterId": contactCenter, "environmentId": environment,
		}},
		{"/userinfo", client, map[string]any{
			"authorities": roles("ROLE_SERVICE"), "properties": properties, "username": "sandbox-genesys",
			"environmentId": environment,
		}},
		{"/openid/userinfo", user, map[string]any{
			"authorities": agent, "properties": properties, "dbid": 101.0, "aud": "sandbox-genesys",
			"contact_center_id": contactCenter, "environment_id": environment,
			"sub": janesSubject, "user_name": "jane", "email": "jane@acme.example",
			"given_name": "Jane", "family_name": "Doe",
		}},
		{"/openid/userinfo", client, map[string]any{"authorities": roles("ROLE_SERVICE"), "properties": properties}},
	} {
		got := do(t, s, genesysCall("GET", row.path, row.token))
		if got.status != 200 {
			t.Errorf("%s: status %d", row.path, got.status)
		}
		if diff := cmp.Diff(row.want, got.fields(t)); diff != "" {
			t.Errorf("%s:\n%s", row.path, diff)
		}
	}
}

func TestGenesysJWTUserInfo(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	token := text(t, userToken(t, s, "genesys", nil)["access_token"])
	got := do(t, s, genesysCall("GET", "/jwt-userinfo", token))
	if got.status != 200 || strings.TrimSpace(got.body) != genesysOK("/jwt-userinfo") {
		t.Errorf("status %d, %s", got.status, got.body)
	}
	signed := got.header.Get("X-GWS-User")
	_, claims := verifyES256(t, publicOf(s.services[3].Signer), signed)
	if claims["user_name"] != "jane" || claims["client_id"] != "sandbox-genesys" ||
		claims["iat"] != float64(c.now().Unix()) || seconds(t, claims) != 43200 {
		t.Errorf("claims %v", claims)
	}
	if !slices.Contains(s.IssuedSecrets(), signed) {
		t.Error("the JWT is not listed")
	}
	addFault(t, s, `{"path":"/auth/v3/jwt-userinfo","omit":["X-GWS-User"]}`)
	got = do(t, s, genesysCall("GET", "/jwt-userinfo", token))
	if _, there := got.header["X-Gws-User"]; there || got.status != 200 {
		t.Errorf("with the fault: status %d, %v", got.status, got.header)
	}
}

func TestGenesysPing(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	token := clientToken(t, s, "genesys")
	if got := do(t, s, genesysCall("GET", "/ping", token)); got.status != 200 || strings.TrimSpace(got.body) != genesysOK("/ping") {
		t.Errorf("status %d, %s", got.status, got.body)
	}
	runRefusals(t, s, func() {}, []refusal{
		{"no token", genesysCall("GET", "/ping", ""), 403, genesysStatus("403", "Forbidden")},
		{"unknown", genesysCall("GET", "/ping", "x"), 403, genesysStatus("403", "Forbidden")},
		{"no key", genesysCall("GET", "/ping", token).without("X-Api-Key"), 403, genesysStatus("603", "Unauthorized")},
	})
	c.advance(43200 * time.Second)
	if got := do(t, s, genesysCall("GET", "/ping", token)); got.status != 403 {
		t.Errorf("expired: status %d", got.status)
	}
	addFault(t, s, `{"path":"/auth/v3/ping","times":1,"extra":{"status":{"code":603,"message":"Unauthorized"}}}`)
	addFault(t, s, `{"path":"/auth/v3/ping","status":503}`)
	token = clientToken(t, s, "genesys")
	if got := do(t, s, genesysCall("GET", "/ping", token)); got.status != 200 || !strings.Contains(got.body, "603") {
		t.Errorf("a failure in a 200: status %d, %s", got.status, got.body)
	}
	if got := do(t, s, genesysCall("GET", "/ping", token)); got.status != 503 || got.body != "" {
		t.Errorf("unavailable: status %d, %s", got.status, got.body)
	}
}

func TestGenesysTokenRefusals(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	unauthorized := genesysStatus("401", "Unauthorized")
	expired := clientToken(t, s, "genesys")
	c.advance(43200 * time.Second)
	pexip := clientToken(t, s, "pexip")
	refresh := text(t, userToken(t, s, "genesys", nil)["refresh_token"])
	for _, e := range []call{
		genesysCall("GET", "/userinfo", ""), genesysCall("GET", "/openid/userinfo", ""),
		genesysCall("GET", "/jwt-userinfo", ""), genesysCall("GET", "/sign-out", ""),
		genesysCall("POST", "/sign-out?global=true", ""),
	} {
		runRefusals(t, s, func() {}, []refusal{
			{e.path + ": no token", e, 401, unauthorized},
			{e.path + ": unknown", e.withHeader("Authorization", "bearer x"), 401, unauthorized},
			{e.path + ": other scheme", e.withHeader("Authorization", "Basic x"), 401, unauthorized},
			{e.path + ": expired", e.withHeader("Authorization", "Bearer "+expired), 401, unauthorized},
			{e.path + ": refresh token", e.withHeader("Authorization", "Bearer "+refresh), 401, unauthorized},
			{e.path + ": another service's", e.withHeader("Authorization", "Bearer "+pexip), 401, unauthorized},
			{e.path + ": no key", e.without("X-Api-Key"), 403, genesysStatus("603", "Unauthorized")},
		})
		if got := do(t, s, e); !strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Bearer ") {
			t.Errorf("%s: WWW-Authenticate %q", e.path, got.header.Get("WWW-Authenticate"))
		}
	}
	for path, allow := range map[string]string{
		"/userinfo": "GET", "/openid/userinfo": "GET", "/jwt-userinfo": "GET", "/ping": "GET",
		"/sign-out": "GET, POST", "/change-password": "POST",
	} {
		got := do(t, s, genesysCall(http.MethodPut, path, ""))
		if got.status != 405 || got.header.Get("Allow") != allow {
			t.Errorf("PUT %s: status %d, Allow %q", path, got.status, got.header.Get("Allow"))
		}
	}
}

func TestGenesysPublicClient(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	public := func(c call) call { return c.without("Authorization").set("client_id", "sandbox-genesys-public") }
	change := map[string][]string{
		"client_id": {"sandbox-genesys-public"}, "code_challenge": {s256(verifier)}, "code_challenge_method": {"S256"},
	}
	code := signInFor(t, s, "genesys", change).Get("code")
	first := wantToken(t, do(t, s, public(codeCall(t, "genesys", code)).set("code_verifier", verifier)))
	next := wantToken(t, do(t, s, public(refreshCall(t, "genesys", text(t, first["refresh_token"])))))
	if got := do(t, s, genesysCall("GET", "/userinfo", text(t, next["access_token"]))); got.status != 200 {
		t.Errorf("userinfo: status %d", got.status)
	}
	refresh := text(t, next["refresh_token"])
	badClient := genesysStatus("401", "invalid_client: Bad client credentials")
	runRefusals(t, s, func() {}, []refusal{
		{"with Basic", refreshCall(t, "genesys", refresh).as("sandbox-genesys-public", ""), 401, badClient},
		{"unknown", public(refreshCall(t, "genesys", refresh)).set("client_id", "x"), 401, badClient},
		{"confidential", public(good("genesys")).set("client_id", "sandbox-genesys"), 401, badClient},
		{
			"another's refresh token", refreshCall(t, "genesys", refresh), 400,
			genesysStatus("400", "invalid_grant: Invalid refresh token"),
		},
		{
			"client credentials", public(good("genesys")), 401,
			genesysStatus("401", "invalid_client: Unauthorized grant type: client_credentials"),
		},
		{
			"password", public(passwordCall(t)), 401,
			genesysStatus("401", "invalid_client: Unauthorized grant type: password"),
		},
	})
}

// A browser sends no API key; a wrong one is refused all the same.
func TestGenesysPagesNeedNoKey(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	if got := do(t, s, get(authorizePath("genesys", nil)).withHeader("X-Api-Key", "x")); got.status != 403 {
		t.Errorf("wrong key: status %d", got.status)
	}
	if got := do(t, s, get(authorizePath("genesys", nil)).withHeader("X-Api-Key", genesysAPIKey)); got.status != 302 {
		t.Errorf("right key: status %d", got.status)
	}
}
