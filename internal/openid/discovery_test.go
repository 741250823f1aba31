package openid

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

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

// serveDiscovery answers with the document, BASE in it being the server's own address.
func serveDiscovery(t *testing.T, path, document string) *url.URL {
	t.Helper()
	var base string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" || r.URL.Path != strings.TrimSuffix(path, "/")+"/.well-known/openid-configuration" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, strings.ReplaceAll(document, "BASE", base))
	}))
	t.Cleanup(server.Close)
	base = server.URL
	return mustURL(t, base+path)
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	issuer := serveDiscovery(t, "/realms/acme", `{"issuer":"BASE/realms/acme","end_session_endpoint":"BASE/e?x=y",
		"userinfo_endpoint":"BASE/u","introspection_endpoint":"BASE/i","revocation_endpoint":"BASE/r",
		"jwks_uri":"BASE/j","scopes_supported":["openid","hostile\u001b[2J"],"other":{"x":[1]}}`)
	got, err := Discover(t.Context(), &oauth.Client{}, issuer)
	if err != nil {
		t.Fatal(err)
	}
	at := func(path string) *url.URL { return mustURL(t, "http://"+issuer.Host+path) }
	want := &Metadata{
		Issuer: issuer.String(), ScopesSupported: []string{"openid", "hostile [2J"},
		Endpoints: map[string]*url.URL{
			"userinfo_endpoint": at("/u"), "introspection_endpoint": at("/i"), "revocation_endpoint": at("/r"),
			"end_session_endpoint": at("/e?x=y"), "jwks_uri": at("/j"),
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := got.CheckHost(issuer); err != nil {
		t.Error(err)
	}
	got.Endpoints["revocation_endpoint"] = mustURL(t, "http://127.0.0.1:1/r")
	err = got.CheckHost(issuer)
	if e, ok := errors.AsType[*oauth.ReplyError](err); !ok || e.Endpoint != issuer.String()+"/.well-known/openid-configuration" ||
		e.Problem != `its revocation_endpoint is on another host: "http://127.0.0.1:1/r"` {
		t.Errorf("another host: %T %v", err, err)
	}
}

func TestDiscoverLeast(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "/", "/realms/acme/", "/realms/a%C3%BC%20b"} {
		for _, slash := range []string{"", "/"} {
			plain := strings.TrimSuffix(path, "/")
			decoded, _ := url.PathUnescape(path)
			issuer := serveDiscovery(t, decoded, `{"issuer":"BASE`+plain+slash+`"}`)
			issuer = mustURL(t, "http://"+issuer.Host+path)
			got, err := Discover(t.Context(), &oauth.Client{}, issuer)
			if err != nil || len(got.Endpoints) != 0 || got.ScopesSupported != nil || got.Issuer != "http://"+issuer.Host+plain+slash {
				t.Errorf("%q with %q: %+v, %v", path, slash, got, err)
			}
		}
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
		"HTML":               {"<html>", "it is a page (application/json), not a JSON object"},
		"list":               {"[]", "it is not a JSON object"},
		"empty":              {"", "it is empty"},
		"huge":               {`{"issuer":"BASE/realms/acme","x":"` + strings.Repeat("x", 1<<20) + `"}`, "larger than 1 MiB"},
	} {
		got, err := Discover(t.Context(), &oauth.Client{}, serveDiscovery(t, "/realms/acme", c.document))
		if _, ok := errors.AsType[*oauth.ReplyError](err); !ok || got != nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "fake-") {
			t.Errorf("%s: %+v, %T %v", name, got, err, err)
		}
	}
	_, err := Discover(t.Context(), &oauth.Client{}, serveDiscovery(t, "/realms/acme", "{}").JoinPath("x"))
	if e, ok := errors.AsType[*oauth.Error](err); !ok || e.StatusCode != 404 {
		t.Errorf("404: %T %v", err, err)
	}
	if _, err := Discover(t.Context(), &oauth.Client{}, mustURL(t, "http://id.example")); err == nil {
		t.Error("plain http was asked")
	}
	// A document that came over https must not send the client to plain http, loopback or not.
	m := members{"issuer": []byte(`"https://id.example"`), "jwks_uri": []byte(`"http://127.0.0.1/j"`)}
	if got, problem := m.metadata(mustURL(t, "https://id.example")); got != nil || !strings.Contains(problem, "jwks_uri") {
		t.Errorf("downgrade: %+v, %q", got, problem)
	}
}

func FuzzDiscovery(f *testing.F) {
	f.Add(`{"issuer":"https://id.example/r","userinfo_endpoint":"https://id.example/u","scopes_supported":["a"]}`)
	f.Add(`{"issuer":"https://id.example/r/","jwks_uri":"http://127.0.0.1/x","end_session_endpoint":"https://x/?a#b"}`)
	f.Add(`{"issuer":"\u001b"}`)
	issuer := &url.URL{Scheme: "https", Host: "id.example", Path: "/r"}
	f.Fuzz(func(t *testing.T, document string) {
		m := read([]byte(document))
		got, problem := m.metadata(issuer)
		if (got == nil) == (problem == "") || secret.Printable(problem) != problem {
			t.Fatalf("%q: %+v, %q", document, got, problem)
		}
		if got == nil {
			return
		}
		for name, u := range got.Endpoints {
			if u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
				t.Errorf("%q gives %s %s", document, name, u)
			}
		}
		for _, s := range got.ScopesSupported {
			if secret.CleanText(s) != s {
				t.Errorf("%q gives %q", document, s)
			}
		}
		_ = fmt.Sprint(got.CheckHost(issuer))
	})
}
