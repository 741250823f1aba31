package pexip_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/pexip"
	"github.com/authctl/authctl/internal/providers/providertest"
	"github.com/authctl/authctl/internal/secret"
)

// realm is a Keycloak realm that answers as a test says: by the last part of the
// path, "200 {}" where nothing is said. Its discovery document names itself.
type realm struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]answer
	asked   map[string]int
}

type answer struct {
	status    int
	body      string
	challenge string
}

func newRealm(t *testing.T, answers map[string]answer) *realm {
	t.Helper()
	r := &realm{answers: answers, asked: map[string]int{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *realm) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	name := path.Base(req.URL.Path)
	r.mu.Lock()
	r.asked[name]++
	a, ok := r.answers[name]
	r.mu.Unlock()
	switch {
	case !ok && name == "openid-configuration":
		a = answer{status: 200, body: r.document("")}
	case !ok:
		a = answer{status: 200, body: "{}"}
	}
	w.Header().Set("Content-Type", "application/json")
	if a.challenge != "" {
		w.Header().Set("WWW-Authenticate", a.challenge)
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

// document is the discovery document, with one endpoint on another host if that is named.
func (r *realm) document(foreign string) string {
	at := r.URL + "/realms/acme"
	m := map[string]string{"issuer": at}
	for _, name := range []string{"userinfo_endpoint", "introspection_endpoint", "revocation_endpoint", "end_session_endpoint", "jwks_uri"} {
		m[name] = at + "/" + name
	}
	if foreign != "" {
		m[foreign] = "https://evil.example/x"
	}
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (r *realm) say(name string, a answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[name] = a
}

func (r *realm) count(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked[name]
}

func (r *realm) provider(t *testing.T) *providers.Provider {
	t.Helper()
	p, err := pexip.Spec().New(providertest.Settings(pexip.Spec(), map[string]string{
		"account": "acme", "base_url": r.URL, "client_id": "demo-client", "client_secret": "fake-secret", "scopes": "openid",
	}), &oauth.Client{HTTP: r.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func session(refreshToken string) providers.Session {
	s := providers.Session{AccessToken: secret.New("fake-token")}
	if refreshToken != "" {
		s.RefreshToken = secret.New(refreshToken)
	}
	return s
}

// operations are what needs an endpoint of the document, by that endpoint's name.
func operations(p *providers.Provider) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"userinfo_endpoint": func(ctx context.Context) error { _, err := p.UserInfo(ctx, session(""), ""); return err },
		"introspection_endpoint": func(ctx context.Context) error {
			_, err := p.Introspect(ctx, secret.New("fake-token"))
			return err
		},
		"revocation_endpoint": func(ctx context.Context) error {
			return p.Revoke(ctx, secret.New("fake-token"), "access_token")
		},
		"end_session_endpoint": func(ctx context.Context) error {
			_, err := p.SignOut(ctx, session("fake-refresh"), providers.SignOutOptions{})
			return err
		},
		"jwks_uri": func(ctx context.Context) error { return p.Verify(ctx, jwt()) },
	}
}

// jwt is a token that somebody may have signed, but not here.
func jwt() secret.Secret {
	e := base64.RawURLEncoding.EncodeToString
	return secret.New(e([]byte(`{"alg":"ES256","kid":"k1"}`)) + "." + e([]byte(`{}`)) + "." + e([]byte("fake-signature")))
}

const discovery = "openid-configuration"

func TestDiscoveryIsReadOnce(t *testing.T) {
	t.Parallel()
	r := newRealm(t, map[string]answer{discovery: {status: 404}})
	p := r.provider(t)
	err := p.Revoke(t.Context(), secret.New("fake-token"), "")
	if f, ok := errors.AsType[*providers.Failure](err); !ok || f.Reason != providers.ReasonConfig {
		t.Errorf("an unknown realm: %T %v", err, err)
	}
	r.say(discovery, answer{status: 200, body: r.document("")})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := p.SignOut(t.Context(), session("fake-refresh"), providers.SignOutOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := r.count(discovery); n != 2 {
		t.Errorf("the document was read %d times, want 2: once in vain", n)
	}
	// Whether somebody is there is asked each time.
	r.say(discovery, answer{status: 404})
	if _, err := p.Ping(t.Context(), secret.Secret{}); err == nil || r.count(discovery) != 3 {
		t.Errorf("ping: %v", err)
	}
}

func TestAbsentEndpoints(t *testing.T) {
	t.Parallel()
	for _, status := range []int{404, 405} {
		r := newRealm(t, map[string]answer{})
		for name, do := range operations(r.provider(t)) {
			r.say(name, answer{status: status})
			err := do(t.Context())
			if _, ok := errors.AsType[*providers.UnsupportedError](err); !ok || !strings.Contains(err.Error(), "which Pexip does not document") {
				t.Errorf("%s answers %d: %T %v", name, status, err, err)
			}
		}
	}
}

func TestForeignEndpoint(t *testing.T) {
	t.Parallel()
	for name := range operations(nil) {
		r := newRealm(t, map[string]answer{})
		r.say(discovery, answer{status: 200, body: r.document(name)})
		err := operations(r.provider(t))["userinfo_endpoint"](t.Context())
		f, ok := errors.AsType[*providers.Failure](err)
		if !ok || f.Reason != providers.ReasonProtocol || !strings.Contains(err.Error(), "its "+name+` is on another host: "https://evil.example/x"`) {
			t.Errorf("%s: %T %v", name, err, err)
		}
	}
}

func TestForbidden(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, at string
		answer   answer
		want     providers.Reason
	}{
		{"no openid", "userinfo_endpoint", answer{403, `{"error":"insufficient_scope"}`, ""}, providers.ReasonScope},
		{"no openid, in the header", "userinfo_endpoint", answer{403, "", `Bearer error="insufficient_scope"`}, providers.ReasonScope},
		{"plain http", "userinfo_endpoint", answer{403, `{"error":"invalid_request","error_description":"HTTPS required"}`, ""}, providers.ReasonConfig},
		{"realm off", "userinfo_endpoint", answer{403, `{"error":"access_denied","error_description":"Realm not enabled"}`, ""}, providers.ReasonConfig},
		{"no word", "userinfo_endpoint", answer{403, "", ""}, providers.ReasonCredentials},
		{"public client", "introspection_endpoint", answer{403, `{"error":"invalid_request","error_description":"Client not allowed."}`, ""}, providers.ReasonCredentials},
		{"introspection by http", "introspection_endpoint", answer{403, `{"error":"invalid_request","error_description":"HTTPS required"}`, ""}, providers.ReasonConfig},
	} {
		r := newRealm(t, map[string]answer{c.at: c.answer})
		err := operations(r.provider(t))[c.at](t.Context())
		f, ok := errors.AsType[*providers.Failure](err)
		if !ok || f.Reason != c.want || strings.Contains(err.Error(), "openid, which") != (c.want == providers.ReasonScope) {
			t.Errorf("%s: %T %v", c.name, err, err)
		}
		if ok && strings.Contains(f.Hint, "confidential") != (c.name == "public client") {
			t.Errorf("%s: hint %q", c.name, f.Hint)
		}
	}
}

// TestSignOutTriesBoth has the session end although the token could not be revoked.
func TestSignOutTriesBoth(t *testing.T) {
	t.Parallel()
	refused := answer{status: 400, body: `{"error":"invalid_request","error_description":"Unmatching clients"}`}
	for name, c := range map[string]struct {
		answers map[string]answer
		want    []string // what the error says; none for a success
	}{
		"both":      {map[string]answer{}, nil},
		"no revoke": {map[string]answer{"revocation_endpoint": refused}, []string{"/revocation_endpoint answered 400"}},
		"no logout": {map[string]answer{"end_session_endpoint": refused}, []string{"/end_session_endpoint answered 400"}},
		"neither": {
			map[string]answer{"revocation_endpoint": refused, "end_session_endpoint": {status: 404}},
			[]string{"/revocation_endpoint answered 400", "/end_session_endpoint answered 404"},
		},
	} {
		r := newRealm(t, c.answers)
		_, err := r.provider(t).SignOut(t.Context(), session("fake-refresh"), providers.SignOutOptions{})
		if (err == nil) != (c.want == nil) || r.count("revocation_endpoint") != 1 || r.count("end_session_endpoint") != 1 {
			t.Errorf("%s: %v after %v", name, err, r.asked)
		}
		for _, text := range c.want {
			if err != nil && (!strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("%s: %v does not say %q on one line", name, err, text)
			}
		}
	}
}

// TestVerifyWithoutKeys has replies that say nothing of a token: it is not called wrong.
func TestVerifyWithoutKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"page":         {"<!doctype html><title>Welcome</title>", `it is a page (application/json) titled "Welcome", not a JSON object`},
		"huge":         {`{"keys":[],"x":"` + strings.Repeat("x", 1<<20) + `"}`, "it is larger than 1 MiB"},
		"unknown kind": {`{"keys":[{"kty":"AKP","alg":"ML-DSA-44","kid":"k1","pub":"AA"}]}`, "it has no key that can be used here"},
	} {
		r := newRealm(t, map[string]answer{"jwks_uri": {status: 200, body: c.body}})
		err := r.provider(t).Verify(t.Context(), jwt())
		f, ok := errors.AsType[*providers.Failure](err)
		if !ok || f.Reason != providers.ReasonProtocol || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %T %v", name, err, err)
		}
	}
	r := newRealm(t, map[string]answer{discovery: {status: 200, body: strings.Repeat(" ", 1<<20+1)}})
	if err := r.provider(t).Verify(t.Context(), jwt()); err == nil || !strings.Contains(err.Error(), "it is larger than 1 MiB") {
		t.Errorf("a huge document: %v", err)
	}
}
