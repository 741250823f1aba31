package scopes

import (
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/builtin"
	"github.com/google/go-cmp/cmp"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	const need = `Bearer realm="r", error="insufficient_scope", error_description="more is needed", scope="contacts:write openid"`
	scoped := Diagnosis{
		Cause: CauseScope, Code: "insufficient_scope", Description: "more is needed", Needed: []string{"contacts:write", "openid"},
	}
	with := func(status int) Diagnosis { d := scoped; d.Status = status; return d }
	for _, c := range []struct {
		name, text string
		want       Diagnosis
	}{
		{"header", "WWW-Authenticate: " + need, scoped},
		{"value alone", need, scoped},
		{"lower case, several", "www-authenticate: Basic realm=\"b\", " + need, scoped},
		{"curl -i", "HTTP/1.1 403 Forbidden\r\nDate: Mon, 1 Jan 2024 10:00:00 GMT\r\nWWW-Authenticate: " + need + "\r\nContent-Length: 0\r\n\r\n", with(403)},
		{"curl -v", "< HTTP/2 403 \n< date: Mon, 1 Jan 2024 10:00:00 GMT\n< www-authenticate: " + need + "\n< \n", with(403)},
		{"wrapped", "WWW-Authenticate: " + strings.ReplaceAll(need, " more", "\nmore") + "\n", scoped},
		{"broken off", `WWW-Authenticate: Bearer error="insufficient_scope",` + "\n" + `  scope="contacts:read`, Diagnosis{
			Cause: CauseScope, Code: "insufficient_scope", Needed: []string{"contacts:read"},
		}},
		{"header and body", "403 Forbidden\nWWW-Authenticate: " + need + "\n\n{\"code\":\"403\",\"message\":\"Forbidden\"}", with(403)},
		{"keycloak, empty body", "HTTP/1.1 403 Forbidden\nWWW-Authenticate: Bearer error=\"insufficient_scope\"", Diagnosis{
			Cause: CauseScope, Status: 403, Code: "insufficient_scope", Needed: []string{},
		}},
		{"oauth body", `{"error":"invalid_scope","error_description":"Invalid scopes: engage:forms:readOnly x:y"}`, Diagnosis{
			Cause: CauseScope, Code: "invalid_scope", Description: "Invalid scopes: engage:forms:readOnly x:y",
			Needed: []string{"engage:forms:readOnly"},
		}},
		{"scope not in a catalogue", `{"error":"insufficient_scope","error_description":"needs prompts:read (https://h:443/x) at 10:30"}`, Diagnosis{
			Cause: CauseScope, Code: "insufficient_scope", Description: "needs prompts:read (https://h:443/x) at 10:30",
			Needed: []string{"prompts:read"},
		}},
		{"scope member", `{"error":"insufficient_scope","scope":"a b"}`, Diagnosis{
			Cause: CauseScope, Code: "insufficient_scope", Needed: []string{"a", "b"},
		}},
		{"form", "error=invalid_scope&error_description=no", Diagnosis{
			Cause: CauseScope, Code: "invalid_scope", Description: "no", Needed: []string{},
		}},
		{"talkdesk", `{"code":"0310003","message":"Forbidden","description":"insufficient permissions","fields":[{"name":"scope","description":"contacts:read"}]}`, Diagnosis{
			Cause: CauseScope, Code: "0310003", Description: "Forbidden: insufficient permissions", Needed: []string{"contacts:read"},
		}},
		{"talkdesk without a user", "400\n{\"code\":\"1\",\"message\":\"Bad request\",\"description\":\"no user context\"}", Diagnosis{
			Cause: CauseUser, Status: 400, Code: "1", Description: "Bad request: no user context", Needed: []string{},
		}},
		{"genesys", `{"status":{"code":603,"message":"Unauthorized","detail":"x"}}`, Diagnosis{
			Cause: CauseCredentials, Code: "603", Description: "Unauthorized: x", Needed: []string{},
		}},
		{"gateway", "HTTP/1.1 401 Unauthorized\n\n{\"message\":\"The incoming token has expired\"}", Diagnosis{
			Cause: CauseToken, Status: 401, Description: "The incoming token has expired", Needed: []string{},
		}},
		{"token", `Bearer error="invalid_token", error_description="expired"`, Diagnosis{
			Cause: CauseToken, Code: "invalid_token", Description: "expired", Needed: []string{},
		}},
		{"client", "401\nWWW-Authenticate: Basic realm=\"talkdesk\"", Diagnosis{Cause: CauseCredentials, Status: 401, Needed: []string{}}},
		{"client, body", `{"error":"invalid_client"}`, Diagnosis{Cause: CauseCredentials, Code: "invalid_client", Needed: []string{}}},
		{"html", "HTTP/1.1 403 Forbidden\nContent-Type: text/html\n\n<html><head><title>403 Forbidden</title></head>\n<body>x</body></html>", Diagnosis{
			Cause: CauseUnknown, Status: 403, Description: "403 Forbidden", Needed: []string{},
		}},
		{"html without a title", "<html><body><h1>Token expired</h1></body>", Diagnosis{
			Cause: CauseToken, Description: "Token expired", Needed: []string{},
		}},
		{"plain", "missing scope recordings:read", Diagnosis{
			Cause: CauseScope, Description: "missing scope recordings:read", Needed: []string{"recordings:read"},
		}},
		{"nothing", "", Diagnosis{Cause: CauseUnknown, Needed: []string{}}},
		{"hostile", "Bearer error=\"insufficient_scope\", scope=\"a\u202eb c\x1b[0m\"", Diagnosis{
			Cause: CauseScope, Code: "insufficient_scope", Needed: []string{"[0m", "ab", "c"},
		}},
	} {
		got := Explain(c.text, builtin.Services())
		if got.Advice == "" {
			t.Errorf("%s: no advice", c.name)
		}
		got.Advice = ""
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func FuzzExplain(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 403 Forbidden\r\nWWW-Authenticate: Bearer scope=\"a b\"\r\n\r\n{\"error\":{\"code\":1}}",
		"<title>x", "{}{", "Bearer \"", "\"\n\"\n", "error=a%00", "İ<title>", "Bearer \"" + strings.Repeat("\n ", maxPasted),
	} {
		f.Add(seed)
	}
	services := builtin.Services()
	f.Fuzz(func(t *testing.T, text string) {
		d := Explain(text, services)
		if d.Cause == "" || d.Advice == "" || d.Needed == nil || d.Status < 0 || d.Status > 599 {
			t.Errorf("%q gives %+v", text, d)
		}
		for _, shown := range append(d.Needed, d.Code, d.Description) {
			if oauth.CleanText(shown) != shown && len(shown) < 200 {
				t.Errorf("%q shows %q", text, shown)
			}
		}
	})
}

func TestOpening(t *testing.T) {
	t.Parallel()
	var catalogues []providers.Catalogue
	for _, s := range builtin.Services() {
		catalogues = append(catalogues, s.Catalogue())
	}
	for api, want := range map[string]string{
		"live api":     "live-queries:read live-subscriptions:read live-subscriptions:write",
		" Time Off ":   "wfm-aion-public:write",
		"":             "",
		"no such":      "",
		"leadSegments": "engage:leadSegments:readOnly engage:leadSegments:readWrite",
	} {
		var names []string
		for _, scope := range Opening(catalogues, api) {
			names = append(names, scope.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%q: %s, want %s", api, got, want)
		}
	}
}
