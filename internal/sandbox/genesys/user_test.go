package genesys_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
	"github.com/google/go-cmp/cmp"
)

// What Genesys knows of Jane.
const (
	contactCenter = "7c5d0a3e-0000-4000-8000-5a6dbc0c0001"
	environment   = "7c5d0a3e-0000-4000-8000-5a6dbc0e0001"
	janesSubject  = "7c5d0a3e-0000-4000-8000-5a6dbc050001"
)

func genesysStatus(code, message string) string {
	return `{"status":{"code":` + code + `,"detail":{},"message":"` + message + `"}}`
}

func TestUserInfo(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	roles := func(name string, privileges ...any) []any {
		return []any{map[string]any{"name": name, "privileges": append([]any{}, privileges...)}}
	}
	agent := roles("ROLE_AGENT", "PRIVILEGE_VOICE", "PRIVILEGE_EMAIL")
	properties := map[string]any{}
	user := sandboxtest.Text(t, sandboxtest.UserToken(t, s, "genesys", nil)["access_token"])
	client := sandboxtest.ClientToken(t, s, "genesys")
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
		got := sandboxtest.Do(t, s, sandboxtest.GenesysCall("GET", row.path, row.token))
		if got.Status != 200 {
			t.Errorf("%s: status %d", row.path, got.Status)
		}
		if diff := cmp.Diff(row.want, got.Fields(t)); diff != "" {
			t.Errorf("%s:\n%s", row.path, diff)
		}
	}
}

func TestJWTUserInfo(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	token := sandboxtest.Text(t, sandboxtest.UserToken(t, s, "genesys", nil)["access_token"])
	got := sandboxtest.Do(t, s, sandboxtest.GenesysCall("GET", "/jwt-userinfo", token))
	if got.Status != 200 || strings.TrimSpace(got.Body) != sandboxtest.GenesysOK("/jwt-userinfo") {
		t.Errorf("status %d, %s", got.Status, got.Body)
	}
	signed := got.Header.Get("X-GWS-User")
	_, claims := sandboxtest.VerifyES256(t, sandboxtest.PublicOf(s.Service("genesys").Signer), signed)
	if claims["user_name"] != "jane" || claims["client_id"] != "sandbox-genesys" ||
		claims["iat"] != float64(c.Now().Unix()) || sandboxtest.Seconds(t, claims) != 43200 {
		t.Errorf("claims %v", claims)
	}
	if !slices.Contains(s.IssuedSecrets(), signed) {
		t.Error("the JWT is not listed")
	}
	sandboxtest.AddFault(t, s, `{"path":"/auth/v3/jwt-userinfo","omit":["X-GWS-User"]}`)
	got = sandboxtest.Do(t, s, sandboxtest.GenesysCall("GET", "/jwt-userinfo", token))
	if _, there := got.Header["X-Gws-User"]; there || got.Status != 200 {
		t.Errorf("with the fault: status %d, %v", got.Status, got.Header)
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	token := sandboxtest.ClientToken(t, s, "genesys")
	if got := sandboxtest.Do(t, s, sandboxtest.GenesysCall("GET", "/ping", token)); got.Status != 200 || strings.TrimSpace(got.Body) != sandboxtest.GenesysOK("/ping") {
		t.Errorf("status %d, %s", got.Status, got.Body)
	}
	sandboxtest.RunRefusals(t, s, func() {}, []sandboxtest.Refusal{
		{"no token", sandboxtest.GenesysCall("GET", "/ping", ""), 403, genesysStatus("403", "Forbidden")},
		{"unknown", sandboxtest.GenesysCall("GET", "/ping", "x"), 403, genesysStatus("403", "Forbidden")},
		{"no key", sandboxtest.GenesysCall("GET", "/ping", token).Without("X-Api-Key"), 403, genesysStatus("603", "Unauthorized")},
	})
	c.Advance(43200 * time.Second)
	if got := sandboxtest.Do(t, s, sandboxtest.GenesysCall("GET", "/ping", token)); got.Status != 403 {
		t.Errorf("expired: status %d", got.Status)
	}
	sandboxtest.AddFault(t, s, `{"path":"/auth/v3/ping","times":1,"extra":{"status":{"code":603,"message":"Unauthorized"}}}`)
	sandboxtest.AddFault(t, s, `{"path":"/auth/v3/ping","status":503}`)
	token = sandboxtest.ClientToken(t, s, "genesys")
	if got := sandboxtest.Do(t, s, sandboxtest.GenesysCall("GET", "/ping", token)); got.Status != 200 || !strings.Contains(got.Body, "603") {
		t.Errorf("a failure in a 200: status %d, %s", got.Status, got.Body)
	}
	if got := sandboxtest.Do(t, s, sandboxtest.GenesysCall("GET", "/ping", token)); got.Status != 503 || got.Body != "" {
		t.Errorf("unavailable: status %d, %s", got.Status, got.Body)
	}
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	unauthorized := genesysStatus("401", "Unauthorized")
	expired := sandboxtest.ClientToken(t, s, "genesys")
	c.Advance(43200 * time.Second)
	pexip := sandboxtest.ClientToken(t, s, "pexip")
	refresh := sandboxtest.Text(t, sandboxtest.UserToken(t, s, "genesys", nil)["refresh_token"])
	for _, e := range []sandboxtest.Call{
		sandboxtest.GenesysCall("GET", "/userinfo", ""), sandboxtest.GenesysCall("GET", "/openid/userinfo", ""),
		sandboxtest.GenesysCall("GET", "/jwt-userinfo", ""), sandboxtest.GenesysCall("GET", "/sign-out", ""),
		sandboxtest.GenesysCall("POST", "/sign-out?global=true", ""),
	} {
		sandboxtest.RunRefusals(t, s, func() {}, []sandboxtest.Refusal{
			{e.Path + ": no token", e, 401, unauthorized},
			{e.Path + ": unknown", e.WithHeader("Authorization", "bearer x"), 401, unauthorized},
			{e.Path + ": other scheme", e.WithHeader("Authorization", "Basic x"), 401, unauthorized},
			{e.Path + ": expired", e.WithHeader("Authorization", "Bearer "+expired), 401, unauthorized},
			{e.Path + ": refresh token", e.WithHeader("Authorization", "Bearer "+refresh), 401, unauthorized},
			{e.Path + ": another service's", e.WithHeader("Authorization", "Bearer "+pexip), 401, unauthorized},
			{e.Path + ": no key", e.Without("X-Api-Key"), 403, genesysStatus("603", "Unauthorized")},
		})
		if got := sandboxtest.Do(t, s, e); !strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Bearer ") {
			t.Errorf("%s: WWW-Authenticate %q", e.Path, got.Header.Get("WWW-Authenticate"))
		}
	}
	for path, allow := range map[string]string{
		"/userinfo": "GET", "/openid/userinfo": "GET", "/jwt-userinfo": "GET", "/ping": "GET",
		"/sign-out": "GET, POST", "/change-password": "POST",
	} {
		got := sandboxtest.Do(t, s, sandboxtest.GenesysCall(http.MethodPut, path, ""))
		if got.Status != 405 || got.Header.Get("Allow") != allow {
			t.Errorf("PUT %s: status %d, Allow %q", path, got.Status, got.Header.Get("Allow"))
		}
	}
}

func TestPublicClient(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	public := func(c sandboxtest.Call) sandboxtest.Call {
		return c.Without("Authorization").Set("client_id", "sandbox-genesys-public")
	}
	change := map[string][]string{
		"client_id": {"sandbox-genesys-public"}, "code_challenge": {sandboxtest.S256(sandboxtest.Verifier)}, "code_challenge_method": {"S256"},
	}
	code := sandboxtest.SignInFor(t, s, "genesys", change).Get("code")
	first := sandboxtest.WantToken(t, sandboxtest.Do(t, s, public(sandboxtest.CodeCall(t, "genesys", code)).Set("code_verifier", sandboxtest.Verifier)))
	next := sandboxtest.WantToken(t, sandboxtest.Do(t, s, public(sandboxtest.RefreshCall(t, "genesys", sandboxtest.Text(t, first["refresh_token"])))))
	if got := sandboxtest.Do(t, s, sandboxtest.GenesysCall("GET", "/userinfo", sandboxtest.Text(t, next["access_token"]))); got.Status != 200 {
		t.Errorf("userinfo: status %d", got.Status)
	}
	refresh := sandboxtest.Text(t, next["refresh_token"])
	badClient := genesysStatus("401", "invalid_client: Bad client credentials")
	sandboxtest.RunRefusals(t, s, func() {}, []sandboxtest.Refusal{
		{"with Basic", sandboxtest.RefreshCall(t, "genesys", refresh).As("sandbox-genesys-public", ""), 401, badClient},
		{"unknown", public(sandboxtest.RefreshCall(t, "genesys", refresh)).Set("client_id", "x"), 401, badClient},
		{"confidential", public(sandboxtest.Good("genesys")).Set("client_id", "sandbox-genesys"), 401, badClient},
		{
			"another's refresh token", sandboxtest.RefreshCall(t, "genesys", refresh), 400,
			genesysStatus("400", "invalid_grant: Invalid refresh token"),
		},
		{
			"client credentials", public(sandboxtest.Good("genesys")), 401,
			genesysStatus("401", "invalid_client: Unauthorized grant type: client_credentials"),
		},
		{
			"password", public(sandboxtest.PasswordCall(t)), 401,
			genesysStatus("401", "invalid_client: Unauthorized grant type: password"),
		},
	})
}

// A browser sends no API key; a wrong one is refused all the same.
func TestPagesNeedNoKey(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	if got := sandboxtest.Do(t, s, sandboxtest.Get(sandboxtest.AuthorizePath("genesys", nil)).WithHeader("X-Api-Key", "x")); got.Status != 403 {
		t.Errorf("wrong key: status %d", got.Status)
	}
	if got := sandboxtest.Do(t, s, sandboxtest.Get(sandboxtest.AuthorizePath("genesys", nil)).WithHeader("X-Api-Key", sandboxtest.GenesysAPIKey)); got.Status != 302 {
		t.Errorf("right key: status %d", got.Status)
	}
}
