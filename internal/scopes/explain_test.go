package scopes

import (
	"fmt"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/oauth"
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
	for _, c := range []struct{ service, api, want string }{
		{"talkdesk", "live api", "live-queries:read live-subscriptions:read live-subscriptions:write"},
		{"talkdesk", " Time Off ", "wfm-aion-public:write"},
		{"talkdesk", "", ""},
		{"pexip", "no such", ""},
		{"pexip", "leadSegments", "engage:leadSegments:readOnly engage:leadSegments:readWrite"},
	} {
		var names []string
		for _, scope := range Opening(service(t, c.service).Catalogue(), c.api) {
			names = append(names, scope.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.service, c.api, got, c.want)
		}
	}
}

// What is pasted holds more than the answer; none of it may be shown.
func TestExplainShowsNoSecret(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-FAKE"
	const jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJmYWtlIn0.ZmFrZQ"
	for name, text := range map[string]string{
		"curl -v, empty": "*   Trying 127.0.0.1:80...\n* Connected to h (127.0.0.1) port 80\n> GET /x HTTP/1.1\n> Host: h\n" +
			"> Authorization: Bearer SECRET\n> Cookie: sid=SECRET\n> \n< HTTP/1.1 403 Forbidden\n< Set-Cookie: sid=SECRET\n" +
			"< Content-Length: 0\n< \n{ [51 bytes data]\n* Connection #0 to host h left intact",
		"httpie": "POST /token HTTP/1.1\nAccept: */*\nAuthorization: Basic SECRET\nHost: h\n\nclient_secret=SECRET&grant_type=x\n\n" +
			"HTTP/1.1 403 Forbidden\nserver: x\ntoken: SECRET\n\n",
		"request alone":     "POST /token HTTP/1.1\nHost: h\n\nclient_secret=SECRET",
		"command":           "$ curl -u id:SECRET -H 'X: SECRET' https://h/\nHTTP/1.1 403 Forbidden\n\n",
		"headers alone":     "Host: h\nAuthorization: Negotiate SECRET\nCookie: a=SECRET; b=SECRET\n403",
		"header in text":    `call with header Authorization: Custom SECRET, "SECRET"`,
		"cookie in text":    "sent Cookie: a=1; b=SECRET",
		"form":              "client_id=a&client_secret=SECRET&code=SECRET&password=SECRET&client_assertion=SECRET",
		"reply":             "HTTP/1.1 200 OK\n\n{\"access_token\":\"SECRET\",\"refresh_token\":\"SECRET\"}",
		"reply, broken off": `{"token_type":"Bearer","access_token":"SECRET","id_token":"SECRET","refresh_token": "SEC\"SECRET`,
		"in a string":       `{"error":"x","message":"sent {\"client_secret\":\"SECRET\"}"}`,
		"in a description":  `{"error":"insufficient_scope","error_description":"token=SECRET, bearer SECRET, api-key: 'SECRET'"}`,
		"in a challenge":    `WWW-Authenticate: Bearer error="insufficient_scope", error_description="Bearer SECRET lacks x:y"`,
		"jwt":               "the call with JWT was refused",
		"jwt as a code":     `{"error":"JWT"}`,
		"jwt as a scope":    `Bearer error="insufficient_scope", scope="JWT a:b"`,
		"address":           "https://jane:SECRET@h/x said no",
		"pair like a scope": `{"error":"insufficient_scope","error_description":"client_secret:SECRET"}`,
		"unquoted":          "password: SECRET",
	} {
		text = strings.NewReplacer("SECRET", secret, "JWT", jwt).Replace(text)
		d := Explain(text, builtin.Services())
		shown := strings.Join(append(d.Needed, d.Code, d.Description, d.Advice), " ")
		if strings.Contains(shown, secret) || strings.Contains(shown, "eyJ") {
			t.Errorf("%s: %q", name, shown)
		}
	}
}

// What says why is still there.
func TestExplainKeepsTheAnswer(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"> GET /x HTTP/1.1\n> Authorization: Bearer a\n> \n< HTTP/2 403 \n< server: x\n< \n{ [51 bytes data]\n" +
			"{\"error\":\"e\",\"error_description\":\"no\"}* Connection #0 to host h left intact": "403 e no",
		"GET /x HTTP/1.1\nHost: h\n\nHTTP/1.1 403 Forbidden\nDate: x\n\n{\"message\":\"no\"}":  "403  no",
		"HTTP/1.1 401 Unauthorized\n\n{\"message\":\"first\"}\nHTTP/1.1 403 Forbidden\n\nlast": "403  last",
		"HTTP/1.1 403 Forbidden\n{\"message\":\"no\"}":                                         "403  no",
		"curl -d '{\"a\":1}' h\n{\"message\":\"no\"}":                                          "0  no",
		"sent {\"a\":1}, got {\"error\":\"e\"}":                                                "0 e ",
		"{\"message\":\"no\"}\n403":                                                            "403  no",
		"Bearer token is missing, status_code: 403":                                            "0  Bearer token is missing, status_code: 403",
		"needs tokens:read": "0  needs tokens:read",
	} {
		d := Explain(text, builtin.Services())
		if got := fmt.Sprint(d.Status, " ", d.Code, " ", d.Description); got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

func TestCauses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Cause{
		"the token expired, or lacks a scope":                      CauseToken,
		"403\nthe telescope is unscoped":                           CauseUnknown,
		"403\nmissing_scope":                                       CauseScope,
		"no username":                                              CauseUnknown,
		"404 {\"message\":\"the Contacts API has none\"}":          CauseOther,
		"404 nothing was found in the Contacts API":                CauseOther,
		"404 Not Found\n\nno such contact in the Contacts API":     CauseOther,
		"500\n\ncontacts:read is not in scope":                     CauseOther,
		"HTTP/1.1 429 Too Many Requests\n\nContacts API is busy":   CauseOther,
		"HTTP/1.1 200 OK\n\n{\"scope\":\"contacts:read\"}":         CauseOther,
		"HTTP/1.1 404 X\n\n{\"error\":\"insufficient_scope\"}":     CauseScope,
		"HTTP/1.1 307 Temporary Redirect\nLocation: /x":            CauseOther,
		"HTTP/1.1 407 Proxy Authentication Required":               CauseOther,
		"HTTP/1.1 422 Unprocessable Content\n\nscope is not valid": CauseOther,
		"*":       CauseScope,
		"profile": CauseScope,
	} {
		if got := Explain(text, builtin.Services()); got.Cause != want || got.Advice == "" {
			t.Errorf("%q: %+v, want %s", text, got, want)
		}
	}
	if got := Explain("*", builtin.Services()).Needed; len(got) != 1 || got[0] != "*" {
		t.Errorf("* needs %q", got)
	}
}
