package oauth2_test

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
	"github.com/google/go-cmp/cmp"
)

// The types of tokens, as RFC 8693 §3 has them.
const (
	tokenType   = "urn:ietf:params:oauth:token-type:"
	accessType  = tokenType + "access_token"
	exchangeOf  = "urn:ietf:params:oauth:grant-type:token-exchange"
	bearerGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// signIn is a whole login of a client, up to what the client gets back.
func (w *world) signIn(id string, changes url.Values) url.Values {
	w.Helper()
	query := url.Values{
		"client_id": {id}, "scope": {"openid profile"}, "nonce": {"obviously-fake-nonce"},
		"code_challenge": {sandboxtest.S256(sandboxtest.Verifier)}, "code_challenge_method": {"S256"},
	}
	maps.Copy(query, changes)
	return sandboxtest.SignInFor(w.T, w.s, "oauth2", query)
}

func codeCall(code string) sandboxtest.Call {
	return tokenCall(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {sandboxtest.Callback},
		"code_verifier": {sandboxtest.Verifier},
	})
}

func refreshCall(token string) sandboxtest.Call {
	return tokenCall(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func passwordCall() sandboxtest.Call {
	return tokenCall(url.Values{
		"grant_type": {"password"}, "username": {sandbox.OAuth2User}, "password": {sandbox.OAuth2Password},
		"scope": {"openid email orders:read"},
	})
}

// token is the reply to a request of the usual client.
func (w *world) token(c sandboxtest.Call) map[string]any {
	w.Helper()
	return sandboxtest.WantToken(w.T, w.do(w.as("client_secret_basic", "sandbox-oauth2", c)))
}

// access is its access token.
func (w *world) access(c sandboxtest.Call) string {
	w.Helper()
	return sandboxtest.Text(w.T, w.token(c)["access_token"])
}

func TestLogin(t *testing.T) {
	t.Parallel()
	w := start(t)
	for method, id := range clients() {
		back := w.signIn(id, nil)
		if back.Get("iss") != w.issuer() {
			t.Errorf("%s: iss is %q", method, back.Get("iss"))
		}
		fields := sandboxtest.WantToken(t, w.send(id, w.as(method, id, codeCall(back.Get("code")))))
		access := sandboxtest.Text(t, fields["access_token"])
		_, claims := w.verify(sandboxtest.Text(t, fields["id_token"]))
		sum := sha256.Sum256([]byte(access))
		for name, want := range map[string]any{
			"iss": w.issuer(), "aud": id, "azp": id, "nonce": "obviously-fake-nonce", "name": "Jane Doe", "email": nil,
			"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]), "auth_time": float64(w.clock.Now().Unix()),
		} {
			if claims[name] != want {
				t.Errorf("%s: %s is %v, want %v", method, name, claims[name], want)
			}
		}
		_, of := w.verify(access)
		if of["sub"] != claims["sub"] || of["client_id"] != id || of["auth_time"] == nil {
			t.Errorf("%s: the access token's claims are %v", method, of)
		}
		next := sandboxtest.WantToken(t, w.send(id, w.as(method, id, refreshCall(sandboxtest.Text(t, fields["refresh_token"])))))
		if _, again := w.verify(sandboxtest.Text(t, next["id_token"])); again["nonce"] != nil || again["sub"] != of["sub"] {
			t.Errorf("%s: renewed: %v", method, again)
		}
	}
}

func TestLoginRefusals(t *testing.T) {
	t.Parallel()
	w := start(t)
	path := sandboxtest.AuthorizePath("oauth2", url.Values{"client_id": {"sandbox-oauth2-public"}})
	query := sandboxtest.CallbackQuery(t, w.do(sandboxtest.Get(path)).Header.Get("Location"))
	if query.Get("error") != "invalid_request" || query.Get("iss") != w.issuer() {
		t.Errorf("a public client without PKCE: %v", query)
	}
	code := w.signIn("sandbox-oauth2-public", nil).Get("code")
	stolen := w.as("none", "sandbox-oauth2-public", codeCall(code)).Set("code_verifier", sandboxtest.Verifier+"x")
	w.want("verifier", w.do(stolen), 400, "invalid_grant", "code_verifier")
	sandboxtest.AddFault(t, w.s, `{"path":"/openid/main/sign-in","callback":{"iss":"https://id.example"}}`)
	if back := w.signIn("sandbox-oauth2", nil); back.Get("iss") != "https://id.example" {
		t.Errorf("the fault callback: %v", back)
	}
}

// A refresh token is good once; one that comes twice ends what was issued with it.
func TestRotation(t *testing.T) {
	t.Parallel()
	w := start(t)
	first := w.token(passwordCall())
	spent := sandboxtest.Text(t, first["refresh_token"])
	second := w.token(refreshCall(spent))
	basic := func(c sandboxtest.Call) sandboxtest.Result {
		return w.do(w.as("client_secret_basic", "sandbox-oauth2", c))
	}
	next := sandboxtest.Text(t, second["refresh_token"])
	w.want("wider", basic(refreshCall(next).Set("scope", "orders:write")), 400, "invalid_scope", "")
	third := w.token(passwordCall())
	spent = sandboxtest.Text(t, third["refresh_token"])
	fourth := w.token(refreshCall(spent))
	w.want("twice", basic(refreshCall(spent)), 400, "invalid_grant", "")
	w.want("after it", basic(refreshCall(sandboxtest.Text(t, fourth["refresh_token"]))), 400, "invalid_grant", "")
	if w.introspected(sandboxtest.Text(t, fourth["access_token"]))["active"] != false {
		t.Error("the access token is still good")
	}
}

func TestPassword(t *testing.T) {
	t.Parallel()
	w := start(t)
	fields := w.token(passwordCall())
	if _, claims := w.verify(sandboxtest.Text(t, fields["id_token"])); claims["email"] != "jane@acme.example" {
		t.Errorf("claims %v", claims)
	}
	wrong := w.as("client_secret_basic", "sandbox-oauth2", passwordCall().Set("password", "x"))
	w.want("password", w.do(wrong), 400, "invalid_grant", "")
}

func TestTarget(t *testing.T) {
	t.Parallel()
	w := start(t)
	for name, row := range map[string]struct {
		form url.Values
		want any
	}{
		"resource": {url.Values{"resource": {"https://a.example/x"}}, "https://a.example/x"},
		"audience": {url.Values{"audience": {"a"}}, "a"},
		"both": {
			url.Values{"resource": {"https://a.example", "https://b.example"}, "audience": {"c"}},
			[]any{"https://a.example", "https://b.example", "c"},
		},
	} {
		_, claims := w.verify(w.access(clientCredentials().WithForm(t, row.form)))
		if diff := cmp.Diff(row.want, claims["aud"]); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	for _, bad := range []string{"a", "/a", "https://a.example/#x"} {
		call := w.as("client_secret_basic", "sandbox-oauth2", clientCredentials().Set("resource", bad))
		w.want(bad, w.do(call), 400, "invalid_target", "")
	}
	// What was granted at the login can be had, and no more.
	two := url.Values{"resource": {"https://a.example", "https://b.example"}}
	code := w.signIn("sandbox-oauth2", two).Get("code")
	fields := w.token(codeCall(code).Set("resource", "https://b.example"))
	if _, claims := w.verify(sandboxtest.Text(t, fields["access_token"])); claims["aud"] != "https://b.example" {
		t.Errorf("aud %v", claims["aud"])
	}
	other := refreshCall(sandboxtest.Text(t, fields["refresh_token"])).Set("resource", "https://c.example")
	w.want("other", w.do(w.as("client_secret_basic", "sandbox-oauth2", other)), 400, "invalid_target", "")
}

func TestBearer(t *testing.T) {
	t.Parallel()
	w := start(t)
	const id = "sandbox-oauth2-jwt"
	now, key := w.clock.Now().Unix(), w.client(id).Key
	good := sandboxtest.ClaimsOf(id, w.issuer()+"/token", "", now)
	call := func(claims map[string]any) sandboxtest.Call {
		return tokenCall(url.Values{"grant_type": {bearerGrant}, "assertion": {w.signed(key, claims)}})
	}
	own := sandboxtest.Change(good, map[string]any{"scope": "orders:read"}) // as Google has it
	fields := sandboxtest.WantToken(t, w.do(call(own)))
	if _, claims := w.verify(sandboxtest.Text(t, fields["access_token"])); claims["sub"] != id || claims["scope"] != "orders:read" {
		t.Errorf("claims %v", claims)
	}
	janes := call(sandboxtest.Change(good, map[string]any{"sub": "jane@acme.example", "aud": w.issuer()})).Set("scope", "openid")
	for _, c := range []sandboxtest.Call{janes, w.as("none", id, janes)} {
		fields := sandboxtest.WantToken(t, w.do(c))
		if _, claims := w.verify(sandboxtest.Text(t, fields["id_token"])); fields["refresh_token"] != nil || claims["aud"] != id {
			t.Errorf("reply %v", fields)
		}
	}
	for name, row := range map[string]struct {
		changes map[string]any
		about   string
	}{
		"subject":  {map[string]any{"sub": "john"}, "sub"},
		"audience": {map[string]any{"aud": "https://id.example"}, "aud"},
		"expired":  {map[string]any{"exp": now - 60}, "expired"},
		"no exp":   {map[string]any{"exp": nil}, "exp"},
		"a day":    {map[string]any{"exp": now + 86400}, "1h0m0s"},
		"future":   {map[string]any{"iat": now + 60}, "future"},
		"issuer":   {map[string]any{"iss": "sandbox-oauth2"}, "no client"},
	} {
		w.want(name, w.do(call(sandboxtest.Change(good, row.changes))), 400, "invalid_grant", row.about)
	}
	forged := tokenCall(url.Values{
		"grant_type": {bearerGrant}, "assertion": {w.signed(w.client("sandbox-oauth2-key").Key, good)},
	})
	w.want("forged", w.do(forged), 400, "invalid_grant", "signature")
	w.want("none", w.do(w.as("none", id, tokenCall(url.Values{"grant_type": {bearerGrant}}))), 400, "invalid_request", "assertion")
	_, claims := w.verify(w.access(call(good)))
	if claims["client_id"] != "sandbox-oauth2" || claims["sub"] != id {
		t.Errorf("shown by another client: %v", claims)
	}
	keyed := sandboxtest.ClaimsOf("sandbox-oauth2-key", w.issuer(), "", now)
	stolen := tokenCall(url.Values{"grant_type": {bearerGrant}, "assertion": {w.signed(w.client("sandbox-oauth2-key").Key, keyed)}})
	w.want("another's", w.do(w.as("client_secret_basic", "sandbox-oauth2", stolen)), 400, "invalid_grant", "iss")
}

func TestExchange(t *testing.T) {
	t.Parallel()
	w := start(t)
	janes, own := w.token(passwordCall()), w.access(clientCredentials())
	subject := sandboxtest.Text(t, janes["access_token"])
	call := tokenCall(url.Values{
		"grant_type": {exchangeOf}, "subject_token": {subject}, "subject_token_type": {accessType}, "scope": {"orders:read"},
		"audience": {"https://b.example"},
	})
	fields := w.token(call)
	_, claims := w.verify(sandboxtest.Text(t, fields["access_token"]))
	_, before := w.verify(subject)
	if fields["issued_token_type"] != accessType || fields["token_type"] != "Bearer" || fields["refresh_token"] != nil ||
		claims["sub"] != before["sub"] || claims["aud"] != "https://b.example" || claims["act"] != nil {
		t.Errorf("%v\n%v", fields, claims)
	}
	acting := call.Set("actor_token", own).Set("actor_token_type", accessType)
	first := w.access(acting)
	_, claims = w.verify(first)
	actor := map[string]any{"sub": "sandbox-oauth2", "client_id": "sandbox-oauth2"}
	if diff := cmp.Diff(any(actor), claims["act"]); diff != "" {
		t.Error(diff)
	}
	_, claims = w.verify(w.access(acting.Set("subject_token", first)))
	if diff := cmp.Diff(any(map[string]any{"sub": actor["sub"], "client_id": actor["client_id"], "act": actor}), claims["act"]); diff != "" {
		t.Errorf("the chain:\n%s", diff)
	}
	// A client's own token goes on speaking for that client.
	public := w.as("none", "sandbox-oauth2-public", call.Set("subject_token", own))
	_, claims = w.verify(sandboxtest.Text(t, sandboxtest.WantToken(t, w.do(public))["access_token"]))
	if claims["sub"] != "sandbox-oauth2" || claims["client_id"] != "sandbox-oauth2-public" {
		t.Errorf("claims %v", claims)
	}
	id := w.token(call.Set("requested_token_type", tokenType+"id_token"))
	if _, claims := w.verify(sandboxtest.Text(t, id["access_token"])); id["token_type"] != "N_A" || claims["aud"] != "sandbox-oauth2" {
		t.Errorf("an ID token: %v, %v", id, claims)
	}
	job := call.Set("subject_token", w.jobToken(w.issuer())).Set("subject_token_type", tokenType+"jwt")
	if _, claims := w.verify(w.access(job)); !strings.HasPrefix(text(claims["sub"]), "repo:") {
		t.Errorf("a job: %v", claims)
	}
}

func TestExchangeRefusals(t *testing.T) {
	t.Parallel()
	w := start(t)
	janes, own := w.token(passwordCall()), w.access(clientCredentials())
	good := tokenCall(url.Values{
		"grant_type": {exchangeOf}, "subject_token": {sandboxtest.Text(t, janes["access_token"])},
		"subject_token_type": {accessType},
	})
	for name, row := range map[string]struct {
		call  sandboxtest.Call
		code  string
		about string
	}{
		"no token":      {good.Set("subject_token", ""), "invalid_request", "subject_token"},
		"no type":       {good.Set("subject_token_type", ""), "invalid_request", "subject_token_type"},
		"odd type":      {good.Set("subject_token_type", tokenType+"saml2"), "invalid_request", "supported"},
		"unknown":       {good.Set("subject_token", "x"), "invalid_request", "invalid"},
		"other type":    {good.Set("subject_token_type", tokenType+"id_token"), "invalid_request", "another type"},
		"refresh token": {good.Set("subject_token", sandboxtest.Text(t, janes["refresh_token"])), "invalid_request", "another type"},
		"wanted":        {good.Set("requested_token_type", tokenType+"saml2"), "invalid_request", "requested"},
		"an ID token of nobody": {
			good.Set("subject_token", own).Set("requested_token_type", tokenType+"id_token"), "invalid_request", "requested",
		},
		"wider": {good.Set("scope", "orders:write"), "invalid_scope", ""},
		"actor": {good.Set("actor_token", "x").Set("actor_token_type", accessType), "invalid_request", "actor_token"},
	} {
		w.want(name, w.do(w.as("client_secret_basic", "sandbox-oauth2", row.call)), 400, row.code, row.about)
	}
	w.clock.Advance(301 * time.Second)
	w.want("expired", w.do(w.as("client_secret_basic", "sandbox-oauth2", good)), 400, "invalid_request", "expired")
}
