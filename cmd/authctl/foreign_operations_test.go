package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/issuertest"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/pexip"
	"github.com/authctl/authctl/internal/providers/providertest"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

// TestOperationsOfServerNotWrittenHere introspects and revokes a token at oidc-provider. The tokens are opaque: the
// server does neither for JWTs.
func TestOperationsOfServerNotWrittenHere(t *testing.T) {
	t.Parallel()
	server := issuertest.StartOIDCProvider(t, issuertest.Config{
		Opaque: true, Scopes: []string{foreignScope},
		Clients: []issuertest.Client{
			{ID: "odd client", Secret: foreignSecret, AuthMethod: "client_secret_basic", Scope: foreignScope},
		},
	})
	p := newPlace(t)
	p.fileStore()
	p.set("FOREIGN_SECRET="+foreignSecret, "FOREIGN_WRONG=fake-and-wrong", "FOREIGN_KEY=unused")
	p.configure(foreignProfiles(server.URL))

	wantTokens(t, []outcome{p.run("token", "get", "basic")})
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"token", "introspect", "basic", "-o", "json"}, `"active":true`},
		{[]string{"token", "revoke", "basic"}, ""},
		{[]string{"token", "get", "basic", "-o", "json"}, `"source":"issued"`},
		{[]string{"token", "introspect", "basic", "-o", "json"}, `"active":true`},
		{[]string{"signout", "basic"}, ""},
		{[]string{"ping", "basic"}, ""},
	} {
		o := p.run(step.args...)
		if o.code != 0 || !strings.Contains(strings.ReplaceAll(o.stdout, `": `, `":`), step.want) {
			t.Errorf("%v: exit code %d, %d bytes on stdout, stderr %q", step.args, o.code, len(o.stdout), o.stderr)
		}
	}
	revocations := 0
	for _, r := range server.Requests() {
		if strings.HasSuffix(r.Path, "/revoke") && r.Status == http.StatusOK {
			revocations++
		}
	}
	if revocations != 2 {
		t.Errorf("the server has seen %d revocations that it took, want 2: %+v", revocations, server.Requests())
	}
}

const foreignRedirect = "http://127.0.0.1:8400/callback"

// TestCodeAtServerNotWrittenHere runs the authorization code grant with PKCE, and refreshes with rotation, by the
// code that Genesys and Talkdesk log in with.
func TestCodeAtServerNotWrittenHere(t *testing.T) {
	t.Parallel()
	server := issuertest.StartOIDCProvider(t, issuertest.Config{
		Clients: []issuertest.Client{{
			ID: "person", Secret: "fake-secret", AuthMethod: "client_secret_basic", ApplicationType: "native",
			GrantTypes: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"},
			RedirectURIs: []string{foreignRedirect},
		}},
	})
	endpoint, token := loginAbroad(t, server)
	if token.AccessToken.IsZero() || token.RefreshToken.IsZero() || token.IDToken.IsZero() {
		t.Fatal("access, refresh or ID token is missing")
	}
	wantUserInfoAbroad(t, server.URL, token)
	fresh, err := endpoint.Refresh(t.Context(), token.RefreshToken)
	if err != nil || fresh.RefreshToken.IsZero() || fresh.RefreshToken.Equal(token.RefreshToken) {
		t.Fatalf("refresh: %v, want another refresh token", err)
	}
	// The server knows a second use.
	_, err = endpoint.Refresh(t.Context(), token.RefreshToken)
	if failure, ok := errors.AsType[*providers.Failure](err); !ok || failure.Reason != providers.ReasonLogin {
		t.Errorf("a spent refresh token: %v", err)
	}
}

// foreign is the server as a service.
func foreign(t *testing.T, server *issuertest.Server, grant oauth.Grant, scope string) *providers.Provider {
	t.Helper()
	u, err := url.Parse(server.TokenURL)
	if err != nil {
		t.Fatal(err)
	}
	spec := providers.Spec{
		Title: "Foreign", Token: u.Path, Authorize: strings.TrimSuffix(u.Path, "token") + "auth", Nonce: true,
		Base: providers.Hosts{At: map[string]string{"": u.Scheme + "://" + u.Host}},
	}
	provider, err := spec.New(setting.New("p", map[string]setting.Value{
		"client_id": {Text: "person"}, "client_secret": {Text: "env:X", Secret: secret.Known(secret.New("fake-secret"))},
		"grant": {Text: string(grant)}, "scopes": {List: []string{scope}}, "pkce": {Text: "true"},
		"keep": {List: []string{"id_token"}},
	}), &oauth.Client{})
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

// loginAbroad gets the client "person" a token by the authorization code.
func loginAbroad(t *testing.T, server *issuertest.Server) (*providers.Provider, oauth.Token) {
	t.Helper()
	provider := foreign(t, server, oauth.AuthorizationCode, "openid")
	token, err := provider.Login(t.Context(), providertest.WithBrowser(foreignRedirect, func(address *url.URL) url.Values {
		end, err := janeAbroad().walk(t.Context(), foreignRedirect, address.String())
		if err != nil {
			t.Fatal(err)
		}
		return end.Query()
	}))
	if err != nil {
		t.Fatal(err)
	}
	return provider, token
}

// TestLogoutAtServerNotWrittenHere signs out with a refresh token, which Keycloak takes without a browser.
func TestLogoutAtServerNotWrittenHere(t *testing.T) {
	t.Parallel()
	server := issuertest.StartOIDCProvider(t, issuertest.Config{
		Opaque: true, Scopes: []string{foreignScope},
		Clients: []issuertest.Client{{
			ID: "person", Secret: "fake-secret", AuthMethod: "client_secret_basic", ApplicationType: "native",
			GrantTypes:    []string{"authorization_code", "refresh_token", "client_credentials"},
			ResponseTypes: []string{"code"}, RedirectURIs: []string{foreignRedirect},
		}},
	})
	endpoint, token := loginAbroad(t, server)
	// It is good: the server takes it for another one, the one to sign out with.
	token, err := endpoint.Refresh(t.Context(), token.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	issued, err := foreign(t, server, oauth.ClientCredentials, foreignScope).Issue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(t)
	p.fileStore()
	p.set("FOREIGN_SECRET=fake-secret")
	p.configure("profiles:\n  person:\n    provider: pexip\n    account: acme\n    base_url: " + server.URL +
		"\n    client_id: person\n    client_secret: env:FOREIGN_SECRET\n    scopes: [" + foreignScope + "]\n")
	// No grant that Pexip Engage's profiles have gives a refresh token here; one reply puts the server's own together.
	kept, err := json.Marshal(map[string]any{
		"access_token": issued.AccessToken.Reveal(), "refresh_token": token.RefreshToken.Reveal(),
		"token_type": "Bearer", "expires_in": 300,
	})
	if err != nil {
		t.Fatal(err)
	}
	signOut := func() outcome {
		server.Inject(issuertest.Fault{
			Path: "token", Status: http.StatusOK, Headers: map[string]string{"Content-Type": "application/json"}, Body: string(kept),
		})
		wantTokens(t, []outcome{p.run("token", "get", "person")})
		return p.run("signout", "person", "--require-remote")
	}
	if o := signOut(); o.code != 0 || !strings.Contains(o.stderr, "ended the session") {
		t.Errorf("signout: exit code %d, stderr %q", o.code, o.stderr)
	}
	if last := server.Requests()[len(server.Requests())-1]; !strings.HasSuffix(last.Path, "/logout") || last.Status != http.StatusNoContent {
		t.Errorf("the last request is %+v, want a logout that was taken", last)
	}
	_, err = endpoint.Refresh(t.Context(), token.RefreshToken)
	if failure, ok := errors.AsType[*providers.Failure](err); !ok || failure.Reason != providers.ReasonLogin {
		t.Errorf("the refresh token after the sign-out: %v", err)
	}
	if o := signOut(); o.code == 0 || !strings.Contains(o.stderr, "/logout answered 400 invalid_grant ") {
		t.Errorf("signout once more: exit code %d, stderr %q", o.code, o.stderr)
	}
}

// wantUserInfoAbroad asks for userinfo by the adapter of Pexip Engage.
func wantUserInfoAbroad(t *testing.T, base string, token oauth.Token) {
	t.Helper()
	settings := providertest.Settings(pexip.Spec(), map[string]string{
		"account": "acme", "base_url": base, "client_id": "person", "client_secret": "fake-secret",
	})
	provider, err := pexip.Spec().New(settings, &oauth.Client{})
	if err != nil {
		t.Fatal(err)
	}
	session := providers.Session{AccessToken: token.AccessToken, Scope: []string{"openid"}}
	info, err := provider.UserInfo(t.Context(), session, "")
	if err != nil || !strings.Contains(string(info.JSON), `"sub":"jane"`) {
		t.Errorf("userinfo: %s, %v", info.JSON, err)
	}
}
