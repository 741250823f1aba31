package openid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
	"github.com/google/go-cmp/cmp"
)

func mustURL(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// site answers by path, BASE in an answer being its own address, and notes what it was asked.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	pages map[string]string
	asked []string
}

func serve(t testing.TB, pages map[string]string) *site {
	t.Helper()
	s := &site{pages: pages}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, r.URL.EscapedPath())
		body, ok := s.pages[r.URL.EscapedPath()]
		if status := 404; !ok || r.Method != http.MethodGet {
			_, _ = fmt.Sscan(s.pages["status"], &status)
			w.WriteHeader(status)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, strings.ReplaceAll(body, "BASE", s.URL))
	}))
	t.Cleanup(s.Close)
	return s
}

// put changes what is answered.
func (s *site) put(path, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[path] = body
}

// took returns what was asked since, and forgets it.
func (s *site) took() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := strings.Join(s.asked, " ")
	s.asked = nil
	return asked
}

// issuer is the one at a path of the site.
func (s *site) issuer(path string) *Issuer {
	return &Issuer{Name: s.URL + path, Client: &oauth.Client{}}
}

const acme = "/realms/acme" + DiscoveryPath

func TestDiscover(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]string{acme: `{"issuer":"BASE/realms/acme","end_session_endpoint":"BASE/e?x=y",
		"userinfo_endpoint":"BASE/u","introspection_endpoint":"BASE/i","revocation_endpoint":"BASE/r",
		"device_authorization_endpoint":"BASE/d","mtls_endpoint_aliases":{"token_endpoint":"BASE/mt","unknown":5},
		"jwks_uri":"BASE/j","scopes_supported":["openid","hostile\u001b[2J"],"grant_types_supported":["password"],
		"token_endpoint_auth_methods_supported":["none"],"id_token_signing_alg_values_supported":["ES256"],
		"code_challenge_methods_supported":["S256"],"authorization_response_iss_parameter_supported":true,"other":{"x":[1]}}`})
	issuer := s.issuer("/realms/acme")
	got, err := issuer.Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := func(path string) *url.URL { return mustURL(t, s.URL+path) }
	want := &Metadata{
		Issuer: issuer.Name, Document: s.URL + acme, ScopesSupported: []string{"openid", "hostile [2J"},
		Endpoints: map[string]*url.URL{
			"userinfo_endpoint": at("/u"), "introspection_endpoint": at("/i"), "revocation_endpoint": at("/r"),
			"end_session_endpoint": at("/e?x=y"), "jwks_uri": at("/j"), "device_authorization_endpoint": at("/d"),
		},
		Aliases:    map[string]*url.URL{"token_endpoint": at("/mt")},
		GrantTypes: []string{"password"}, AuthMethods: []string{"none"}, Algorithms: []string{"ES256"},
		ChallengeMethods: []string{"S256"}, NamesIssuer: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := got.CheckHost(at("/")); err != nil {
		t.Error(err)
	}
	for _, list := range []map[string]*url.URL{got.Endpoints, got.Aliases} {
		list["revocation_endpoint"] = mustURL(t, "http://127.0.0.1:1/r")
		err = got.CheckHost(at("/"))
		delete(list, "revocation_endpoint")
		if e, ok := errors.AsType[*oauth.ReplyError](err); !ok || e.Endpoint != s.URL+acme ||
			e.Problem != `its revocation_endpoint is on another host: "http://127.0.0.1:1/r"` {
			t.Errorf("another host: %T %v", err, err)
		}
	}
}

// TestWhereADocumentIs has both well-known addresses for an issuer with and without a path, and
// with a slash at its end.
func TestWhereADocumentIs(t *testing.T) {
	t.Parallel()
	const server = "/.well-known/oauth-authorization-server"
	for name, c := range map[string]struct{ path, at, asked string }{
		"OpenID":              {"", DiscoveryPath, DiscoveryPath},
		"OpenID, slash":       {"/", DiscoveryPath, DiscoveryPath},
		"OpenID, path":        {"/realms/a", "/realms/a" + DiscoveryPath, "/realms/a" + DiscoveryPath},
		"OpenID, path, slash": {"/realms/a/", "/realms/a" + DiscoveryPath, "/realms/a" + DiscoveryPath},
		"OpenID, escaped":     {"/a%C3%BC%20b", "/a%C3%BC%20b" + DiscoveryPath, "/a%C3%BC%20b" + DiscoveryPath},
		"RFC 8414":            {"", server, DiscoveryPath + " " + server},
		"RFC 8414, path":      {"/realms/a/", server + "/realms/a", "/realms/a" + DiscoveryPath + " " + server + "/realms/a"},
		"RFC 8414, escaped":   {"/a%2Fb", server + "/a%2Fb", "/a%2Fb" + DiscoveryPath + " " + server + "/a%2Fb"},
	} {
		s := serve(t, map[string]string{c.at: `{"issuer":"BASE` + c.path + `"}`})
		got, err := s.issuer(c.path).Discover(t.Context())
		if err != nil || len(got.Endpoints) != 0 || got.ScopesSupported != nil || got.Issuer != s.URL+c.path || got.Document == "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if asked := s.took(); asked != c.asked {
			t.Errorf("%s: asked for %s, want %s", name, asked, c.asked)
		}
	}
}

// TestNoDocument tells what is not there from what cannot be had now.
func TestNoDocument(t *testing.T) {
	t.Parallel()
	for status, both := range map[string]bool{"404": true, "400": true, "403": true, "410": true, "429": false, "408": false, "500": false, "503": false} {
		s := serve(t, map[string]string{"status": status})
		issuer := s.issuer("/a")
		issuer.Client.Sleep = func(context.Context, time.Duration) error { return nil }
		_, err := issuer.Discover(t.Context())
		want := "there is no discovery document: " + s.URL + "/a" + DiscoveryPath + " answered " + status + ", and " + s.URL +
			"/.well-known/oauth-authorization-server/a answered " + status
		_, missing := errors.AsType[*MissingError](err)
		if missing != both || both && err.Error() != want {
			t.Errorf("%s: %T %v", status, err, err)
		}
		issuer.OpenIDOnly = true
		s.took()
		_, err = issuer.Discover(t.Context())
		if _, ok := errors.AsType[*oauth.Error](err); !ok || strings.Contains(s.took(), "authorization-server") {
			t.Errorf("%s at one address: %T %v", status, err, err)
		}
	}
	issuer := &Issuer{Name: "http://id.example", Client: &oauth.Client{}}
	if _, err := issuer.Discover(t.Context()); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("plain http: %v", err)
	}
}

func TestDiscoverRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ document, want string }{
		"another issuer":     {`{"issuer":"https://evil.example/\u001b[2J"}`, `its issuer is "https://evil.example/ [2J", not "http://127.0.0.1:`},
		"another realm":      {`{"issuer":"BASE/realms/other"}`, "its issuer is"},
		"another case":       {`{"issuer":"BASE/realms/ACME"}`, "its issuer is"},
		"member's case":      {`{"Issuer":"BASE/realms/acme"}`, "it names no issuer"},
		"two slashes":        {`{"issuer":"BASE/realms/acme//"}`, "its issuer is"},
		"no issuer":          {`{"userinfo_endpoint":"BASE/u"}`, "it names no issuer"},
		"issuer of a kind":   {`{"issuer":["BASE/realms/acme"]}`, "it names no issuer"},
		"plain http":         {`{"issuer":"BASE/realms/acme","revocation_endpoint":"http://id.example/r"}`, "its revocation_endpoint is not an https URL"},
		"no scheme":          {`{"issuer":"BASE/realms/acme","userinfo_endpoint":"/u"}`, "its userinfo_endpoint is not an https URL"},
		"script":             {`{"issuer":"BASE/realms/acme","end_session_endpoint":"javascript:alert(1)"}`, "its end_session_endpoint is not an https URL"},
		"query":              {`{"issuer":"BASE/realms/acme","revocation_endpoint":"BASE/r?x=y"}`, "its revocation_endpoint is not"},
		"user information":   {`{"issuer":"BASE/realms/acme","jwks_uri":"https://a:fake-pw@id.example/"}`, "its jwks_uri is not"},
		"endpoint of a kind": {`{"issuer":"BASE/realms/acme","jwks_uri":5}`, "its jwks_uri is not a URL"},
		"no URL":             {`{"issuer":"BASE/realms/acme","jwks_uri":"http://[x"}`, "its jwks_uri is not a URL"},
		"slash at the end":   {`{"issuer":"BASE/realms/acme/"}`, `its issuer is "http://127.0.0.1:`},
		"another scheme":     {`{"issuer":"HTTP` + "BASE" + `/realms/acme"}`, "its issuer is"},
		"alias of a kind":    {`{"issuer":"BASE/realms/acme","mtls_endpoint_aliases":[]}`, "its mtls_endpoint_aliases is not a JSON object"},
		"alias, plain http":  {`{"issuer":"BASE/realms/acme","mtls_endpoint_aliases":{"token_endpoint":"http://id.example/t"}}`, `its token_endpoint is not an https URL that can be used: "http://id.example/t", in mtls_endpoint_aliases`},
		"long":               {`{"issuer":"BASE/realms/acme","jwks_uri":"https://id.example/` + strings.Repeat("x", 3000) + `"}`, "its jwks_uri has 3019 bytes, more than 2048"},
		"twice":              {`{"issuer":"BASE/realms/acme","issuer":"https://evil.example"}`, `it says "issuer" twice`},
		"twice, escaped":     {`{"issuer":"BASE/realms/acme","\u0069ssuer":"https://evil.example"}`, `it says "issuer" twice`},
		"twice inside":       {`{"issuer":"BASE/realms/acme","x":[{"a":1,"\u001b[2J":1,"\u001b[2J":2}]}`, `it says "[2J" twice`},
		"deep":               {`{"issuer":"BASE/realms/acme","x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, "it is nested too deep"},
		"very deep":          {`{"issuer":"BASE/realms/acme","x":` + strings.Repeat(`[`, 100_000) + strings.Repeat("]", 100_000) + `}`, "it is not valid JSON"},
		"two documents":      {`{"issuer":"BASE/realms/acme"}{"issuer":"https://evil.example"}`, "it is not valid JSON"},
		"2 MiB":              {`{"issuer":"BASE/realms/acme","x":"` + strings.Repeat("x", 2<<20) + `"}`, "larger than 1 MiB"},
		"HTML":               {"<html>", "it is a page (application/json), not a JSON object"},
		"list":               {"[]", "it is not a JSON object"},
		"empty":              {"", "it is empty"},
		"huge":               {`{"issuer":"BASE/realms/acme","x":"` + strings.Repeat("x", 1<<20) + `"}`, "larger than 1 MiB"},
	} {
		got, err := serve(t, map[string]string{acme: c.document}).issuer("/realms/acme").Discover(t.Context())
		if _, ok := errors.AsType[*oauth.ReplyError](err); !ok || got != nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "fake-") {
			t.Errorf("%s: %+v, %T %v", name, got, err, err)
		}
		if err != nil && secret.Printable(err.Error()) != err.Error() {
			t.Errorf("%s: shown raw: %q", name, err)
		}
		_, other := errors.AsType[*IssuerError](err)
		if names := strings.Contains(c.want, "its issuer is"); other != names {
			t.Errorf("%s: %T", name, err)
		}
	}
	// A document that came over https must not send the client to plain http, loopback or not.
	o := object{"issuer": []byte(`"https://id.example"`), "jwks_uri": []byte(`"http://127.0.0.1/j"`)}
	if got, problem := o.metadata("https://id.example"); got != nil || !strings.Contains(problem, "jwks_uri") {
		t.Errorf("downgrade: %+v, %q", got, problem)
	}
}

func FuzzDiscovery(f *testing.F) {
	f.Add(`{"issuer":"https://id.example/r","userinfo_endpoint":"https://id.example/u","scopes_supported":["a"]}`)
	f.Add(`{"issuer":"https://id.example/r/","jwks_uri":"http://127.0.0.1/x","end_session_endpoint":"https://x/?a#b"}`)
	f.Add(`{"issuer":"\u001b"}`)
	f.Add(`{"issuer":"https://id.example/r","mtls_endpoint_aliases":{"token_endpoint":"https://m.example/t"},"a":{"b":1,"b":2}}`)
	issuer := &Issuer{Name: "https://id.example/r"}
	host := &url.URL{Scheme: "https", Host: "id.example", Path: "/r"}
	f.Fuzz(func(t *testing.T, document string) {
		got, problem := issuer.read(page{Document: []byte(document), From: "https://id.example/r" + DiscoveryPath})
		if (got == nil) == (problem == "") || secret.Printable(problem) != problem {
			t.Fatalf("%q: %+v, %q", document, got, problem)
		}
		if got == nil {
			return
		}
		// What is read in one way is read so by everybody.
		var plain struct {
			Issuer string `json:"issuer"`
		}
		if json.Unmarshal([]byte(document), &plain) != nil || got.Issuer != issuer.Name {
			t.Errorf("%q: issuer %q", document, got.Issuer)
		}
		for name, u := range got.Endpoints {
			if u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
				t.Errorf("%q gives %s %s", document, name, u)
			}
		}
		for _, s := range slices.Concat(got.ScopesSupported, got.GrantTypes, got.AuthMethods, got.Algorithms) {
			if secret.CleanName(s) != s {
				t.Errorf("%q gives %q", document, s)
			}
		}
		_ = fmt.Sprint(got.CheckHost(host))
	})
}
