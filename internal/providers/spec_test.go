package providers_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/providertest"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

// parcels is a service that nobody has: all there is to it as far as authctl goes.
func parcels() providers.Spec {
	operations := providers.OpenID(nil)
	operations[providers.Ping] = providers.Operation{
		At: "/status", Success: oauth.Success{Values: map[string][]string{"up": {"true"}}},
	}
	return providers.Spec{
		Name: "parcels", Title: "Parcels & Co.",
		Keys: func() []setting.Setting {
			return []setting.Setting{
				{Name: "account", Kind: setting.Text, Required: true, Help: "the tenant", Example: "acme"},
				setting.BaseURL(), setting.ClientID(), setting.ClientSecret()[0],
				setting.Grant(oauth.ClientCredentials), setting.Scopes("openid"),
			}
		},
		Vars:       map[string]setting.Form{"account": setting.Segment},
		Base:       providers.Hosts{At: map[string]string{"": "https://id.parcels.example"}},
		Issuer:     "/{account}",
		Header:     []providers.Param{{Name: "X-Tenant", Setting: "account"}},
		Operations: operations,
	}
}

// depot is its server. It notes what is asked for.
type depot struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func newDepot(t *testing.T) *depot {
	t.Helper()
	d := &depot{}
	mux := http.NewServeMux()
	d.Server = httptest.NewServer(mux)
	t.Cleanup(d.Close)
	answers := map[string]any{
		"GET /acme/.well-known/openid-configuration": map[string]string{
			"issuer": d.URL + "/acme", "token_endpoint": d.URL + "/t", "userinfo_endpoint": d.URL + "/me",
			"revocation_endpoint": d.URL + "/forget", "end_session_endpoint": d.URL + "/bye",
		},
		"POST /t":      map[string]any{"access_token": "fake-token", "token_type": "Bearer", "expires_in": 600, "scope": "openid"},
		"GET /me":      map[string]string{"sub": "jane"},
		"GET /status":  map[string]bool{"up": true},
		"POST /forget": nil,
		"POST /bye":    nil,
	}
	for pattern, answer := range answers {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.asked = append(d.asked, r.URL.Path+" "+r.Header.Get("X-Tenant"))
			w.Header().Set("Content-Type", "application/json")
			if answer != nil {
				_ = json.NewEncoder(w).Encode(answer)
			}
		})
	}
	return d
}

// TestAServiceIsASpec adds a service by its Spec alone: tokens, userinfo, ping, revocation and
// sign-out, found by discovery.
func TestAServiceIsASpec(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	settings := providertest.Settings(parcels(), map[string]string{
		"account": "acme", "base_url": d.URL, "client_id": "c", "client_secret": "fake", "scopes": "openid",
	})
	p, err := parcels().New(settings, &oauth.Client{})
	if err != nil {
		t.Fatal(err)
	}
	if key := p.Key(); key.Issuer != d.URL+"/acme" || key.TokenURL != "" || len(d.asked) != 0 {
		t.Errorf("the key is %+v after %q, want the issuer without asking", key, d.asked)
	}
	token, err := p.Issue(t.Context())
	if err != nil || token.AccessToken.Reveal() != "fake-token" {
		t.Fatalf("token: %v", err)
	}
	session := providers.Session{AccessToken: token.AccessToken, RefreshToken: secret.New("fake-refresh"), Scope: token.Scope}
	if claims, err := p.UserInfo(t.Context(), session, ""); err != nil || !strings.Contains(string(claims.JSON), "jane") {
		t.Errorf("userinfo: %s, %v", claims.JSON, err)
	}
	if pong, err := p.Ping(t.Context(), secret.Secret{}); err != nil || pong.Endpoint != d.URL+"/status" {
		t.Errorf("ping: %+v, %v", pong, err)
	}
	if err := p.Revoke(t.Context(), token.AccessToken, "access_token"); err != nil {
		t.Errorf("revoke: %v", err)
	}
	if done, err := p.SignOut(t.Context(), session, providers.SignOutOptions{}); err != nil || !strings.Contains(done.Did, "ended") {
		t.Errorf("signout: %+v, %v", done, err)
	}
	_, err = p.Introspect(t.Context(), token.AccessToken)
	if lacks, ok := errors.AsType[*providers.UnsupportedError](err); !ok || !strings.Contains(lacks.Why, "discovery document") {
		t.Errorf("introspect, which the document lacks: %v", err)
	}
	want := []string{
		"/acme/.well-known/openid-configuration ", "/t acme", "/me acme", "/status acme", "/forget acme", "/forget acme", "/bye acme",
	}
	if !slices.Equal(d.asked, want) {
		t.Errorf("asked for %q, want %q", d.asked, want)
	}
}

// TestWhatASpecHas: verbs are read off the Spec.
func TestWhatASpecHas(t *testing.T) {
	t.Parallel()
	with, without := parcels(), providers.Spec{Title: "Tokens Only"}
	for verb, want := range map[string]bool{
		"token get": true, providers.UserInfo: true, providers.SignOut: true, providers.Revoke: true, providers.LiveScopes: true,
		providers.Login: false, providers.Passwd: false,
	} {
		if got := with.Has(verb); got != want {
			t.Errorf("%s: %t", verb, got)
		}
	}
	err := without.Require(providers.Revoke, []providers.Spec{without, with})
	if err == nil || err.Error() != "Tokens Only has no token revoke; it is there for Parcels & Co." {
		t.Errorf("what it lacks: %v", err)
	}
	if err := with.Require(providers.Revoke, nil); err != nil {
		t.Error(err)
	}
}
