package scopes

import (
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/providers/builtin"
	"github.com/authctl/authctl/internal/secret"
	"github.com/google/go-cmp/cmp"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	const need = `Bearer realm="r", error="insufficient_scope", error_description="more is needed", scope="contacts:write openid"`
	scoped := Diagnosis{
		Cause: "scope", Code: "insufficient_scope", Description: "more is needed", Needed: []string{"contacts:write", "openid"},
	}
	with := func(status int) Diagnosis { d := scoped; d.Status = status; return d }
	for _, c := range []struct {
		name, text string
		want       Diagnosis
	}{
		{"header", "WWW-Authenticate: " + need, scoped},
		{"value alone", need, scoped},
		{"value, broken in two lines", strings.Replace(need, " more", "\nmore", 1), Diagnosis{
			Cause: "scope", Code: "insufficient_scope", Description: "more is needed", Needed: scoped.Needed,
		}},
		{"lower case, several", "www-authenticate: Basic realm=\"b\", " + need, scoped},
		{"headers alone", "Date: now\nWWW-Authenticate: " + need, scoped},
		{"curl -i", "HTTP/1.1 403 Forbidden\r\nDate: Mon, 1 Jan 2024 10:00:00 GMT\r\nWWW-Authenticate: " + need + "\r\nContent-Length: 0\r\n\r\n", with(403)},
		{"HTTP/2", "HTTP/2 403 \nwww-authenticate: " + need + "\ntransfer-encoding: chunked\n\n{\"code\":\"403\",\"message\":\"Forbidden\"}", Diagnosis{
			Cause: "scope", Status: 403, Code: "insufficient_scope", Description: "more is needed", Needed: scoped.Needed,
		}},
		{"two headers", "HTTP/1.1 401 X\nWWW-Authenticate: Basic realm=\"b\"\nWWW-Authenticate: " + need + "\n", with(401)},
		{"the last of several", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\nWWW-Authenticate: " + need + "\r\n\r\n", with(403)},
		{"folded, broken off", "HTTP/1.1 403 X\nWWW-Authenticate: Bearer error=\"insufficient_scope\",\n  scope=\"contacts:read", Diagnosis{
			Cause: "scope", Status: 403, Code: "insufficient_scope", Needed: []string{"contacts:read"},
		}},
		{"oauth body", `{"error":"invalid_scope","error_description":"Invalid scopes: engage:forms:readOnly x:y"}`, Diagnosis{
			Cause: "scope", Code: "invalid_scope", Description: "Invalid scopes: engage:forms:readOnly …",
			Needed: []string{"engage:forms:readOnly"},
		}},
		{"scope member", `{"error":"insufficient_scope","scope":"a b"}`, Diagnosis{
			Cause: "scope", Code: "insufficient_scope", Needed: []string{"a", "b"},
		}},
		{"form", "error=invalid_scope&error_description=no", Diagnosis{Cause: "scope", Code: "invalid_scope", Description: "no", Needed: []string{}}},
		{"talkdesk", `{"code":"0310003","message":"Forbidden","description":"insufficient permissions","fields":[{"name":"scope","description":"contacts:read"}]}`, Diagnosis{
			Cause: "scope", Code: "0310003", Description: "Forbidden: insufficient permissions", Needed: []string{"contacts:read"},
		}},
		{"talkdesk without a user", "HTTP/1.1 400 X\n\n{\"code\":\"1\",\"message\":\"Bad request\",\"description\":\"no user context\"}", Diagnosis{
			Cause: "user", Status: 400, Code: "1", Description: "Bad request: no user context", Needed: []string{},
		}},
		{"genesys", `{"status":{"code":603,"message":"Unauthorized","detail":"x"}}`, Diagnosis{
			Cause: "credentials", Code: "603", Description: "Unauthorized: x", Needed: []string{},
		}},
		{"gateway", "HTTP/1.1 401 Unauthorized\n\n{\"message\":\"The incoming token has expired\"}", Diagnosis{
			Cause: "token", Status: 401, Description: "The incoming token has expired", Needed: []string{},
		}},
		{"token", `Bearer error="invalid_token", error_description="expired"`, Diagnosis{
			Cause: "token", Code: "invalid_token", Description: "expired", Needed: []string{},
		}},
		{"client", "HTTP/1.1 401 X\nWWW-Authenticate: Basic realm=\"talkdesk\"", Diagnosis{Cause: "credentials", Status: 401, Needed: []string{}}},
		{"client, body", `{"error":"invalid_client"}`, Diagnosis{Cause: "credentials", Code: "invalid_client", Needed: []string{}}},
		{"html", "HTTP/1.1 403 Forbidden\nContent-Type: text/html\n\n<title>403 Forbidden</title>", Diagnosis{
			Cause: "unknown", Status: 403, Needed: []string{},
		}},
		{"no word", "HTTP/1.1 403 Forbidden\n\n{\"message\":\"the telescope is unscoped\"}", Diagnosis{
			Cause: "unknown", Status: 403, Description: "the telescope is unscoped", Needed: []string{},
		}},
		{"says nothing", `{"message":"Forbidden"}`, Diagnosis{Cause: "unknown", Description: "Forbidden", Needed: []string{}}},
		{"not found", "HTTP/1.1 404 X\n\n{\"message\":\"contacts:read\"}", Diagnosis{
			Cause: "other", Status: 404, Description: "contacts:read", Needed: []string{},
		}},
		{"not found, but a scope", "HTTP/1.1 404 X\n\n{\"error\":\"insufficient_scope\"}", Diagnosis{
			Cause: "scope", Status: 404, Code: "insufficient_scope", Needed: []string{},
		}},
		{"accepted", "HTTP/1.1 200 OK\n\n{\"scope\":\"contacts:read\"}", Diagnosis{Cause: "other", Status: 200, Needed: []string{}}},
		{"hostile", "Bearer error=\"insufficient_scope\", scope=\"a\u202eb c\x1b[0m\"", Diagnosis{
			Cause: "scope", Code: "insufficient_scope", Needed: []string{"[0m", "ab", "c"},
		}},
	} {
		got, understood := Explain(c.text, builtin.Services().All())
		if !understood || got.Advice == "" || got.What == "" {
			t.Errorf("%s: %v, %+v", c.name, understood, got)
		}
		got.Advice, got.What = "", ""
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	for _, text := range []string{
		"", "*", "contacts api", "> GET / HTTP/1.1\n< HTTP/1.1 403 Forbidden", "403 Forbidden", "{", "Host: h\n\nbody", "[]",
	} {
		if got, understood := Explain(text, builtin.Services().All()); understood {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func FuzzExplain(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 403 Forbidden\r\nWWW-Authenticate: Bearer scope=\"a b\"\r\n\r\n{\"error\":{\"code\":1}}",
		"HTTP/", "HTTP/1.1 -1\n\nHTTP/ 3", "{}{", "Bearer \"", "error=a%00", "Bearer \"" + strings.Repeat("\n ", 64<<10),
	} {
		f.Add(seed)
	}
	services := builtin.Services().All()
	f.Fuzz(func(t *testing.T, text string) {
		d, _ := Explain(text, services)
		if d.Cause == "" || d.Advice == "" || d.Needed == nil {
			t.Errorf("%q gives %+v", text, d)
		}
		for _, shown := range append(d.Needed, d.Code, d.Description) {
			if secret.CleanText(shown) != shown && len(shown) < 200 {
				t.Errorf("%q shows %q", text, shown)
			}
		}
	})
}

func TestOpening(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ service, api, want string }{
		{"talkdesk", "live api", "live-queries:read live-subscriptions:read live-subscriptions:write"},
		{"talkdesk", " Time Off ", "wfm-aion-public:write"},
		{"talkdesk", "", ""},
		{"pexip", "no such", ""},
		{"pexip", "leadSegments", "engage:leadSegments:readOnly engage:leadSegments:readWrite"},
	} {
		var names []string
		for _, scope := range opening(service(t, c.service).Catalogue(), c.api) {
			names = append(names, scope.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.service, c.api, got, c.want)
		}
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		names string
		each  bool
	}{
		"*":                                {"*", true},
		"openid":                           {"openid", true},
		"missing scope contacts:read":      {"contacts:read", true},
		"Contacts API":                     {"contacts:read contacts:write", false},
		"things:new":                       {"things:new", true},
		"mine":                             {"mine", true},
		"something else":                   {"", false},
		"403 Authorization: Bearer SECRET": {"", false},
	} {
		names, each := Named(text, builtin.Services().All(), []string{"mine"})
		if got := strings.Join(names, " "); got != want.names || each != want.each {
			t.Errorf("%q: %s, %v", text, got, each)
		}
	}
}

// What is not understood is not repeated: it may be a secret.
func TestExplainShowsNoSecret(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"headers":          "HTTP/1.1 403 Forbidden\nSet-Cookie: sid=SECRET\nToken: SECRET\n\n",
		"reply":            "HTTP/1.1 200 OK\n\n{\"access_token\":\"SECRET\",\"refresh_token\":\"SECRET\"}",
		"in a string":      `{"error":"x","message":"sent {\"client_secret\":\"SECRET\"}"}`,
		"in a description": `{"error":"insufficient_scope","error_description":"token=SECRET, bearer SECRET, api-key: 'SECRET'"}`,
		"in a challenge":   `Bearer error="insufficient_scope", error_description="Bearer SECRET lacks x:y"`,
		"as a code":        `{"error":"SECRET"}`,
		"like a scope":     `{"error":"insufficient_scope","error_description":"client_secret:SECRET"}`,
		"address":          `{"error":"x","message":"https://jane:SECRET@h/x said no"}`,
		"scope":            `Bearer error="insufficient_scope", scope="eyJhbGciOiJub25lIn0.eyJzdWIiOiJmYWtlIn0.ZmFrZQ a:b"`,
	} {
		for _, secret := range []string{"hunter2-FAKE", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJmYWtlIn0.ZmFrZQ"} {
			d, understood := Explain(strings.ReplaceAll(text, "SECRET", secret), builtin.Services().All())
			shown := strings.Join(append(d.Needed, d.Said(), d.Advice), " ")
			if !understood || strings.Contains(shown, secret) || strings.Contains(shown, "eyJ") {
				t.Errorf("%s: %v, %q", name, understood, shown)
			}
		}
	}
}
