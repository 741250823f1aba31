package oauth2_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandboxtest"
)

// introspected asks what a token is.
func (w *world) introspected(token string) map[string]any {
	w.Helper()
	call := sandboxtest.Post(base+"introspect", url.Values{"token": {token}}, nil)
	got := w.do(w.as("client_secret_basic", "sandbox-oauth2", call))
	if got.Status != 200 {
		w.Fatalf("status %d, %s", got.Status, got.Body)
	}
	return got.Fields(w.T)
}

func (w *world) active(token any) bool {
	w.Helper()
	return w.introspected(sandboxtest.Text(w.T, token))["active"] == true
}

func TestIntrospect(t *testing.T) {
	t.Parallel()
	w := start(t)
	fields := w.token(passwordCall())
	got := w.introspected(sandboxtest.Text(t, fields["access_token"]))
	for name, want := range map[string]any{
		"active": true, "client_id": "sandbox-oauth2", "username": "jane", "token_type": "Bearer", "iss": w.issuer(),
		"scope": "openid email orders:read", "exp": float64(w.clock.Now().Unix() + 300),
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if !w.active(fields["refresh_token"]) || w.introspected("x")["active"] != false {
		t.Error("a refresh token is not active, or an unknown one is")
	}
	w.clock.Advance(300 * time.Second)
	if w.active(fields["access_token"]) {
		t.Error("an expired token is active")
	}
	call := sandboxtest.Post(base+"introspect", url.Values{"token": {"x"}}, nil)
	w.want("public", w.do(w.as("none", "sandbox-oauth2-public", call)), 401, "invalid_client", "public")
	w.want("nobody", w.do(call), 401, "invalid_client", "")
	w.want("no token", w.do(w.as("client_secret_post", "sandbox-oauth2-post", sandboxtest.Post(base+"introspect", nil, nil))),
		400, "invalid_request", "token")
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	w := start(t)
	revoke := func(token any) sandboxtest.Result {
		call := sandboxtest.Post(base+"revoke", url.Values{"token": {sandboxtest.Text(t, token)}}, nil)
		return w.do(w.as("client_secret_basic", "sandbox-oauth2", call))
	}
	fields := w.token(passwordCall())
	if got := revoke(fields["access_token"]); got.Status != 200 || got.Body != "" || w.active(fields["access_token"]) {
		t.Errorf("status %d, %s", got.Status, got.Body)
	}
	if !w.active(fields["refresh_token"]) {
		t.Error("the refresh token ended with the access token")
	}
	if got := revoke("unknown"); got.Status != 200 || got.Body != "" {
		t.Errorf("unknown: status %d, %s", got.Status, got.Body)
	}
	w.want("ID token", revoke(fields["id_token"]), 400, "unsupported_token_type", "")
	second := w.token(passwordCall())
	if got := revoke(second["refresh_token"]); got.Status != 200 || w.active(second["access_token"]) {
		t.Errorf("by refresh token: status %d, the access token is active", got.Status)
	}
	other := sandboxtest.Post(base+"revoke", url.Values{"token": {sandboxtest.Text(t, fields["refresh_token"])}}, nil)
	w.want("another's", w.do(w.as("none", "sandbox-oauth2-public", other)), 400, "invalid_grant", "another client")
	if !w.active(fields["refresh_token"]) {
		t.Error("another client revoked it")
	}
}

func TestUserInfo(t *testing.T) {
	t.Parallel()
	w := start(t)
	token := w.access(passwordCall())
	get := sandboxtest.Get(base + "userinfo")
	for _, c := range []sandboxtest.Call{
		get.WithHeader("Authorization", "Bearer "+token), sandboxtest.Post(base+"userinfo", url.Values{"access_token": {token}}, nil),
	} {
		fields := w.do(c).Fields(t)
		if fields["email"] != "jane@acme.example" || fields["name"] != nil || fields["sub"] == nil {
			t.Errorf("%s: %v", c.Method, fields)
		}
	}
	w.want("unknown", w.do(get.WithHeader("Authorization", "Bearer x")), 401, "invalid_token", "")
	own := get.WithHeader("Authorization", "Bearer "+w.access(clientCredentials()))
	got := w.do(own)
	w.want("nobody", got, 403, "insufficient_scope", "")
	if said := got.Header.Get("WWW-Authenticate"); !strings.Contains(said, `scope="openid"`) {
		t.Errorf("WWW-Authenticate: %s", said)
	}
	if got := w.do(get); got.Status != 401 || got.Header.Get("WWW-Authenticate") != `Bearer realm="main"` {
		t.Errorf("without a token: status %d", got.Status)
	}
}

func TestEndSession(t *testing.T) {
	t.Parallel()
	w := start(t)
	fields := w.token(passwordCall())
	query := url.Values{
		"id_token_hint":            {sandboxtest.Text(t, fields["id_token"])},
		"post_logout_redirect_uri": {sandboxtest.Callback}, "state": {"s t"},
	}
	w.clock.Advance(time.Hour) // the hint may have expired
	got := w.do(sandboxtest.Get(base + "logout?" + query.Encode()))
	if at := got.Header.Get("Location"); got.Status != 302 || sandboxtest.CallbackQuery(t, at).Get("state") != "s t" {
		t.Errorf("status %d, %s", got.Status, at)
	}
	if w.active(fields["refresh_token"]) {
		t.Error("the session did not end")
	}
	second := w.token(passwordCall())
	query.Set("id_token_hint", sandboxtest.Text(t, second["id_token"]))
	query.Set("post_logout_redirect_uri", "https://elsewhere.example")
	w.want("stranger", w.do(sandboxtest.Get(base+"logout?"+query.Encode())), 400, "invalid_request", "registered")
	w.want("no ID token", w.do(sandboxtest.Get(base+"logout?id_token_hint=x")), 400, "invalid_request", "id_token_hint")
	if !w.active(second["refresh_token"]) {
		t.Error("the session ended")
	}
	if got := w.do(sandboxtest.Post(base+"logout", url.Values{"id_token_hint": {sandboxtest.Text(t, second["id_token"])}}, nil)); got.Status != 200 ||
		!strings.Contains(got.Body, "Signed out") || w.active(second["refresh_token"]) {
		t.Errorf("POST: status %d", got.Status)
	}
}

// Without a hint nobody is signed out by a page that they did not mean to open.
func TestEndSessionAsks(t *testing.T) {
	t.Parallel()
	w := start(t)
	fields := w.token(passwordCall())
	page := w.do(sandboxtest.Get(base + "logout?post_logout_redirect_uri=" + url.QueryEscape(sandboxtest.Callback)))
	confirmation := sandboxtest.InputValue(page.Body, "confirmation")
	if page.Status != 200 || confirmation == "" || !w.active(fields["refresh_token"]) {
		t.Fatalf("status %d, %s", page.Status, page.Body)
	}
	forged := w.do(sandboxtest.Post(base+"logout", url.Values{"confirmation": {"x"}}, nil))
	if sandboxtest.InputValue(forged.Body, "confirmation") == "" || !w.active(fields["refresh_token"]) {
		t.Error("a forged confirmation signs out")
	}
	done := w.do(sandboxtest.Post(base+"logout", url.Values{"confirmation": {confirmation}}, nil))
	if !strings.Contains(done.Body, "Signed out") || w.active(fields["refresh_token"]) {
		t.Errorf("status %d, %s", done.Status, done.Body)
	}
}
