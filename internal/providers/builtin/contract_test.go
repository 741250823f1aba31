package builtin_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/builtin"
	"github.com/authctl/authctl/internal/providers/providertest"
	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

type contract = func(t *testing.T, s *sandbox.Server, service providers.Spec, values map[string]string)

// each runs a test for every ready profile of the sandbox that needs no person, so
// that every adapter, with every grant and client authentication it has, keeps the
// same promises.
func each(t *testing.T, test contract) {
	t.Helper()
	eachOf(t, func(p sandbox.Profile) bool { return !isLogin(p) }, test)
}

func isLogin(p sandbox.Profile) bool { return oauth.Grant(p.Text["grant"]).NeedsPerson() }

// eachOf runs a test for the ready profiles that are wanted.
func eachOf(t *testing.T, wanted func(sandbox.Profile) bool, test contract) {
	t.Helper()
	for _, profile := range sandbox.New(sandbox.Options{Job: true}).Profiles() {
		if !wanted(profile) {
			continue
		}
		t.Run(profile.Name, func(t *testing.T) {
			t.Parallel()
			server := sandbox.New(sandbox.Options{QmaticInterval: -1, Job: true})
			if err := server.Start("127.0.0.1:0"); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(server.Close)
			for _, p := range server.Profiles() {
				if p.Name == profile.Name {
					test(t, server, service(t, p.Text["provider"]), resolved(t, server, values(p)))
				}
			}
		})
	}
}

func service(t *testing.T, name string) providers.Spec {
	t.Helper()
	for _, s := range builtin.Services().All() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no service %s", name)
	return providers.Spec{}
}

func values(p sandbox.Profile) map[string]string {
	all := map[string]string{"scopes": strings.Join(p.Scopes, " ")}
	maps.Copy(all, p.Text)
	maps.Copy(all, p.Secrets)
	return all
}

// resolved fetches what a value refers to that is somebody else's token, as the program does before
// it builds a client, and forgets the requests.
func resolved(t *testing.T, server *sandbox.Server, all map[string]string) map[string]string {
	t.Helper()
	for name, value := range all {
		kind, of, _ := strings.Cut(value, ":")
		switch kind {
		case "profile":
			i := slices.IndexFunc(server.Profiles(), func(p sandbox.Profile) bool { return p.Name == of })
			p := server.Profiles()[i]
			token, err := build(t, server, service(t, p.Text["provider"]), values(p)).Issue(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			all = with(all, name, token.AccessToken.Reveal())
		case "github":
			all = with(all, name, sandboxtest.JobToken(t, server, of))
		case "azure-pipelines":
			all = with(all, name, sandboxtest.ConnectionToken(t, server, of))
		}
	}
	sandboxtest.Do(t, server, sandboxtest.Call{Method: http.MethodDelete, Path: "/_sandbox/requests"})
	return all
}

// tokenRequests are those that were sent to the token endpoint; an issuer's document may be read beside.
func tokenRequests(server *sandbox.Server) int {
	n := 0
	for _, r := range server.Requests() {
		if r.GrantType != "" {
			n++
		}
	}
	return n
}

// failing makes the token endpoint misbehave, and nothing beside it.
func failing(t *testing.T, server *sandbox.Server, values map[string]string, fault sandbox.Fault) {
	t.Helper()
	if values["issuer"] != "" {
		fault.Path = sandboxtest.OAuth2Base + "token"
	}
	if err := server.AddFault(fault); err != nil {
		t.Fatal(err)
	}
}

// presenting goes to the sandbox's port with TLS, as internal/client does.
func presenting(server *sandbox.Server) func(oauth.Presenter) http.RoundTripper {
	return func(present oauth.Presenter) http.RoundTripper {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(server.CA()))
		return &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
			RootCAs: roots, MinVersion: tls.VersionTLS12, GetClientCertificate: present,
		}}
	}
}

func with(values map[string]string, name, value string) map[string]string {
	changed := map[string]string{name: value}
	for n, v := range values {
		if n != name {
			changed[n] = v
		}
	}
	return changed
}

func build(t *testing.T, server *sandbox.Server, s providers.Spec, values map[string]string) *providers.Provider {
	t.Helper()
	settings := providertest.Settings(s, values)
	if err := settings.Check(s.Settings()); err != nil {
		t.Fatal(err)
	}
	p, err := s.New(settings, &oauth.Client{WithCertificate: presenting(server)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func failure(t *testing.T, err error) *providers.Failure {
	t.Helper()
	f, ok := errors.AsType[*providers.Failure](err)
	if !ok {
		t.Fatalf("want a *Failure, got %T: %v", err, err)
	}
	return f
}

func TestIssue(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, server *sandbox.Server, s providers.Spec, values map[string]string) {
		token, err := build(t, server, s, values).Issue(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if token.AccessToken.IsZero() || token.Lifetime <= 0 || token.RequestedAt.IsZero() {
			t.Errorf("an incomplete token: %+v", token)
		}
		if n, all := tokenRequests(server), len(server.Requests()); n != 1 || all > 1 && values["issuer"] == "" {
			t.Errorf("%d requests of %d, want 1", n, all)
		}
	})
}

// TestIssueNeedsLogin asks for tokens that only a person gets: nothing is sent.
func TestIssueNeedsLogin(t *testing.T) {
	t.Parallel()
	eachOf(t, isLogin, func(t *testing.T, server *sandbox.Server, s providers.Spec, values map[string]string) {
		p := build(t, server, s, values)
		_, err := p.Issue(t.Context())
		if f := failure(t, err); f.Reason != providers.ReasonLogin {
			t.Errorf("reason %s: %v", f.Reason, err)
		}
		if !s.Has(providers.Login) {
			t.Error("there is a profile for logging in, but no login")
		}
		if n := len(server.Requests()); n != 0 {
			t.Errorf("%d requests, want 0", n)
		}
	})
}

// operations are the calls of what a service can do beside tokens, by name.
func operations(s providers.Spec, p *providers.Provider) map[string]func(context.Context, providers.Session) error {
	all := map[string]func(context.Context, providers.Session) error{
		providers.UserInfo: func(ctx context.Context, s providers.Session) error { _, err := p.UserInfo(ctx, s, ""); return err },
		providers.Ping:     func(ctx context.Context, s providers.Session) error { _, err := p.Ping(ctx, s.AccessToken); return err },
		providers.Introspect: func(ctx context.Context, s providers.Session) error {
			_, err := p.Introspect(ctx, s.AccessToken)
			return err
		},
		providers.Revoke: func(ctx context.Context, s providers.Session) error {
			return p.Revoke(ctx, s.AccessToken, "access_token")
		},
		providers.SignOut: func(ctx context.Context, s providers.Session) error {
			_, err := p.SignOut(ctx, s, providers.SignOutOptions{})
			return err
		},
		providers.Passwd: func(ctx context.Context, s providers.Session) error {
			return p.ChangePassword(ctx, s.AccessToken, providers.PasswordChange{
				Old: secret.New("fake-old"), New: secret.New("fake-new"),
			})
		},
	}
	maps.DeleteFunc(all, func(verb string, _ func(context.Context, providers.Session) error) bool { return !s.Has(verb) })
	return all
}

func TestOperationFaults(t *testing.T) {
	t.Parallel()
	session := providers.Session{AccessToken: secret.New("fake-and-unknown")}
	for name, c := range map[string]struct {
		fault sandbox.Fault
		want  providers.Reason
	}{
		"503":  {sandbox.Fault{Status: 503}, providers.ReasonTemporary},
		"429":  {sandbox.Fault{Status: 429, RetryAfter: "60"}, providers.ReasonTemporary},
		"drop": {sandbox.Fault{Drop: true}, providers.ReasonTemporary},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachOf(t, func(sandbox.Profile) bool { return true },
				func(t *testing.T, server *sandbox.Server, s providers.Spec, values map[string]string) {
					if err := server.AddFault(c.fault); err != nil {
						t.Fatal(err)
					}
					for operation, do := range operations(s, build(t, server, s, values)) {
						err := do(t.Context(), session)
						if f := failure(t, err); f.Reason != c.want {
							t.Errorf("%s: reason %s: %v", operation, f.Reason, err)
						}
						if strings.Contains(err.Error(), "fake-") {
							t.Errorf("%s: the message holds a secret: %v", operation, err)
						}
					}
				})
		})
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	eachOf(t, func(sandbox.Profile) bool { return true }, func(t *testing.T, server *sandbox.Server, s providers.Spec, values map[string]string) {
		first := build(t, server, s, values).Key()
		if first.Provider != s.Name || first.TokenURL+first.Issuer == "" || first.ClientID == "" || first.Grant == "" || first.AuthMethod == "" {
			t.Errorf("an incomplete key: %+v", first)
		}
		for _, secret := range []string{
			"client_secret", "private_key", "password", "api_key", "tls_key", "client_assertion", "subject_token",
		} {
			if v := values[secret]; v != "" && strings.Contains(first.Text(), v) {
				t.Errorf("the key holds %s", secret)
			}
		}
		if other := build(t, server, s, with(values, "client_id", "another")).Key(); other.ClientID == first.ClientID {
			t.Error("another client has the same key")
		}
	})
}

func TestWrongCredentials(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, server *sandbox.Server, s providers.Spec, values map[string]string) {
		wrong := with(values, "client_id", "unknown-client")
		if values["client_secret"] != "" {
			wrong = with(values, "client_secret", "wrong-secret")
		}
		_, err := build(t, server, s, wrong).Issue(t.Context())
		f := failure(t, err)
		if f.Reason != providers.ReasonCredentials {
			t.Errorf("reason %s: %v", f.Reason, err)
		}
		if strings.Contains(err.Error(), "wrong-secret") {
			t.Errorf("the message holds the secret: %v", err)
		}
		if n := tokenRequests(server); n != 1 {
			t.Errorf("%d requests, want 1: a refusal is not repeated", n)
		}
	})
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		fault     sandbox.Fault
		want      providers.Reason
		ambiguous bool
	}{
		{"500", sandbox.Fault{Status: 500}, providers.ReasonTemporary, true},
		{"503", sandbox.Fault{Status: 503}, providers.ReasonTemporary, false},
		{"429", sandbox.Fault{Status: 429, RetryAfter: "60"}, providers.ReasonTemporary, false},
		{"html", sandbox.Fault{Status: 504, Body: new("<html>gateway</html>"), ContentType: "text/html"}, providers.ReasonTemporary, true},
		{"not json", sandbox.Fault{Status: 200, Body: new("<html>hello</html>"), ContentType: "text/html"}, providers.ReasonProtocol, true},
		{"cut", sandbox.Fault{Truncate: new(10)}, providers.ReasonTemporary, true},
		{"dropped", sandbox.Fault{Drop: true}, providers.ReasonTemporary, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, server *sandbox.Server, s providers.Spec, values map[string]string) {
				failing(t, server, values, c.fault)
				_, err := build(t, server, s, values).Issue(t.Context())
				f := failure(t, err)
				if f.Reason != c.want || f.Ambiguous != c.ambiguous {
					t.Errorf("reason %s, ambiguous %t: %v", f.Reason, f.Ambiguous, err)
				}
				if strings.ContainsAny(err.Error(), "<\n") {
					t.Errorf("the message repeats the reply: %q", err)
				}
				if c.fault.RetryAfter != "" && time.Until(f.NotBefore) < 50*time.Second {
					t.Errorf("Retry-After is lost: %v", f.NotBefore)
				}
			})
		})
	}
}

func TestServiceDown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, server *sandbox.Server, s providers.Spec, values map[string]string) {
		server.Close()
		_, err := build(t, server, s, values).Issue(t.Context())
		if f := failure(t, err); f.Reason != providers.ReasonTemporary || f.Ambiguous {
			t.Errorf("reason %s, ambiguous %t: %v", f.Reason, f.Ambiguous, err)
		}
	})
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, server *sandbox.Server, s providers.Spec, values map[string]string) {
		if err := server.AddFault(sandbox.Fault{RefreshToken: true}); err != nil {
			t.Fatal(err)
		}
		p := build(t, server, s, values)
		token, err := p.Issue(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if token.RefreshToken.IsZero() {
			t.Fatal("no refresh token came")
		}
		_, err = p.Refresh(t.Context(), secret.New("fake-and-unknown"))
		if f := failure(t, err); f.Reason != providers.ReasonLogin && s.Name == "genesys" {
			t.Errorf("an unknown refresh token: reason %s: %v", f.Reason, err)
		}
	})
}

// hostile are account names that try to become another host, path or header.
func hostile() []string {
	return []string{
		"evil.com/", "evil.com#", "evil.com?", "u@evil.com:443/", "[::1]:8080/", "evil.com\\", "evil\uff0ecom", "evil\u2024com",
		"a/../b", "..", ".", "a/b", "%2e%2e", "evil.com%2f", "a\r\nX-Evil: 1", "a\x00b", "a;b", "a b/c", "\u202eevil", "a\tb/",
		"//evil.com", "evil.com:80#",
	}
}

func TestHostileAccounts(t *testing.T) {
	t.Parallel()
	for _, s := range builtin.Services().All() {
		if s.Vars["account"] == 0 {
			continue // it has none
		}
		for _, account := range hostile() {
			p, err := s.New(providertest.Settings(s, map[string]string{
				"account": account, "client_id": "c", "client_secret": "fake", "scopes": "x",
			}), &oauth.Client{})
			if _, ok := errors.AsType[*setting.Error](err); !ok {
				t.Errorf("%s: account %q gives %v, %v", s.Name, account, p, err)
			}
		}
	}
}

func TestBaseURL(t *testing.T) {
	t.Parallel()
	for _, s := range builtin.Services().All() {
		for base, ok := range map[string]bool{
			"https://proxy.example":           true,
			"https://proxy.example/":          true,
			"https://proxy.example:8443":      true,
			"http://127.0.0.1:8080":           true,
			"http://[::1]:8080":               true,
			"http://localhost:8080":           true,
			"http://proxy.example":            false,
			"http://127.0.0.1.evil.example":   false,
			"https://u:p@proxy.example":       false,
			"https://proxy.example?x=1":       false,
			"https://proxy.example#x":         false,
			"https://proxy.example/elsewhere": false,
			"ftp://proxy.example":             false,
			"proxy.example":                   false,
			"https://":                        false,
			"":                                s.Base.At != nil || s.Given != nil,
		} {
			_, err := s.New(providertest.Settings(s, map[string]string{
				"account": "acme", "client_id": "c", "client_secret": "fake", "scopes": "x", "base_url": base,
				"issuer": "https://id.example",
			}), &oauth.Client{})
			if (err == nil) != ok {
				t.Errorf("%s: base_url %q: %v", s.Name, base, err)
			}
		}
	}
}

// TestRedirects holds an endpoint that sends the request elsewhere: the
// credentials must not go there.
func TestRedirects(t *testing.T) {
	t.Parallel()
	var visits atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	t.Cleanup(elsewhere.Close)
	t.Cleanup(func() {
		if n := visits.Load(); n != 0 {
			t.Errorf("the other server saw %d requests", n)
		}
	})
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, server *sandbox.Server, s providers.Spec, values map[string]string) {
				failing(t, server, values, sandbox.Fault{Status: status, Redirect: elsewhere.URL})
				_, err := build(t, server, s, values).Issue(t.Context())
				if f := failure(t, err); f.Reason != providers.ReasonProtocol {
					t.Errorf("reason %s: %v", f.Reason, err)
				}
			})
		})
	}
}
