package sandbox

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func passwordCall(t *testing.T) call {
	t.Helper()
	return good("genesys").withForm(t, url.Values{
		"grant_type": {"password"}, "username": {`acme\jane`}, "password": {Marker + "+jane's %pass:word"},
	})
}

func refreshCall(t *testing.T, service, token string) call {
	t.Helper()
	return good(service).withForm(t, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func TestGenesysToken(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	for name, form := range map[string]url.Values{
		"plain": {}, "scope": {"scope": {"*"}}, "client": {"client_id": {"sandbox-genesys"}},
	} {
		fields := wantToken(t, do(t, s, good("genesys").withForm(t, form)))
		token := text(t, fields["access_token"])
		if !strings.HasPrefix(token, Marker+"-") || strings.Contains(token, ".") {
			t.Errorf("%s: token %q", name, token)
		}
		delete(fields, "access_token")
		want := map[string]any{"expires_in": 43200.0, "token_type": "bearer", "scope": "*"}
		if diff := cmp.Diff(want, fields); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestGenesysAccept(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	for accept, want := range map[string]string{
		"":                                    "application/json",
		"*/*":                                 "application/json",
		"text/html, application/json":         "application/json",
		"application/x-www-form-urlencoded":   formType,
		formType + ";q=0.9, application/json": formType,
		"application/json, " + formType:       "application/json",
	} {
		got := do(t, s, good("genesys").withHeader("Accept", accept))
		if got.status != 200 || got.header.Get("Content-Type") != want {
			t.Errorf("Accept %q: status %d, %s", accept, got.status, got.header.Get("Content-Type"))
		}
		if want != formType {
			continue
		}
		form, err := url.ParseQuery(got.body)
		if err != nil || form.Get("expires_in") != "43200" || form.Get("scope") != "*" ||
			form.Get("token_type") != "bearer" || !strings.HasPrefix(form.Get("access_token"), Marker) {
			t.Errorf("Accept %q: %v, %s", accept, err, got.body)
		}
	}
	if got := do(t, s, good("genesys").withHeader("Accept", "text/html")); got.status != 406 {
		t.Errorf("Accept text/html: status %d", got.status)
	}
	bad := good("genesys").withHeader("Accept", formType).without("Authorization")
	if got := do(t, s, bad); got.header.Get("Content-Type") != "application/json" {
		t.Errorf("an error is %s", got.header.Get("Content-Type"))
	}
}

func TestGenesysRefusals(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	get := good("genesys")
	get.method, get.body = "GET", ""
	at := func(path string) call { c := good("genesys"); c.path = path; return c }
	status := func(code, message string) string {
		return `{"status":{"code":` + code + `,"detail":{},"message":"` + message + `"}}`
	}
	badClient := status("401", "invalid_client: Bad client credentials")
	badPassword := status("400", "invalid_grant: Bad credentials")
	misplaced := status("400",
		"invalid_request: credentials belong in the Authorization header, parameters in the body")
	const secret = Marker + "+genesys%:raw"
	runRefusals(t, s, func() { c.advance(time.Second) }, []refusal{
		{"no api key", good("genesys").without("X-Api-Key"), 403, status("603", "Unauthorized")},
		{"wrong api key", good("genesys").withHeader("X-Api-Key", "x"), 403, status("603", "Unauthorized")},
		{"other path", at("/auth/v3/nothing"), 404, status("404", "Not Found")},
		{"method", get, 405, status("405", "Method Not Allowed")},
		{"query", at("/auth/v3/oauth/token?scope=*"), 400, misplaced},
		{"secret in form", good("genesys").withForm(t, url.Values{"client_secret": {secret}}), 400, misplaced},
		{"no credentials", good("genesys").without("Authorization"), 401, badClient},
		{"wrong secret", good("genesys").as("sandbox-genesys", "x"), 401, badClient},
		{
			"encoded secret", good("genesys").withHeader("Authorization", formBasic("sandbox-genesys", secret)),
			401, badClient,
		},
		{"other client id", good("genesys").set("client_id", "x"), 401, badClient},
		{"scope", good("genesys").set("scope", "openid"), 400, status("400", "invalid_scope: only * is supported")},
		{
			"no grant", good("genesys").withForm(t, url.Values{"grant_type": nil}),
			400, status("400", "invalid_request: Missing grant type"),
		},
		{
			"other grant", good("genesys").set("grant_type", "magic"), 400,
			status("400", "unsupported_grant_type: Unsupported grant type"),
		},
		{"wrong password", passwordCall(t).withForm(t, url.Values{"password": {"x"}}), 400, badPassword},
		{"no tenant", passwordCall(t).withForm(t, url.Values{"username": {"jane"}}), 400, badPassword},
		{
			"unknown refresh token", refreshCall(t, "genesys", "x"),
			400, status("400", "invalid_grant: Invalid refresh token"),
		},
	})
}

func TestGenesysWithoutAPIKey(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{NoAPIKey: true})
	wantToken(t, do(t, s, good("genesys").without("X-Api-Key")))
	wantToken(t, do(t, s, good("genesys").withHeader("X-Api-Key", "anything")))
}

func TestGenesysRefreshRotates(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	first := wantToken(t, do(t, s, passwordCall(t)))
	old := text(t, first["refresh_token"])
	second := wantToken(t, do(t, s, refreshCall(t, "genesys", old)))
	next := text(t, second["refresh_token"])
	if next == old || second["access_token"] == first["access_token"] || !strings.Contains(next, Marker) {
		t.Errorf("first %v second %v", first, second)
	}
	// The old one again: somebody has a copy, and the whole family ends.
	if got := do(t, s, refreshCall(t, "genesys", old)); got.status != 400 {
		t.Errorf("reuse: status %d", got.status)
	}
	if got := do(t, s, refreshCall(t, "genesys", next)); got.status != 400 {
		t.Errorf("the successor after reuse: status %d", got.status)
	}
	// Another login is another family.
	again := wantToken(t, do(t, s, passwordCall(t)))
	wantToken(t, do(t, s, refreshCall(t, "genesys", text(t, again["refresh_token"]))))
}

func TestRefreshTokenIsKept(t *testing.T) {
	t.Parallel()
	for name, setup := range map[string]struct {
		opts  Options
		fault Fault
	}{
		"option": {opts: Options{KeepRefreshTokens: true}},
		"fault":  {fault: Fault{Service: "genesys", Omit: []string{"refresh_token"}}},
	} {
		s, _ := start(t, setup.opts)
		token := text(t, wantToken(t, do(t, s, passwordCall(t)))["refresh_token"])
		if name == "fault" {
			if err := s.AddFault(setup.fault); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			if fields := wantToken(t, do(t, s, refreshCall(t, "genesys", token))); fields["refresh_token"] != nil {
				t.Errorf("%s: a refresh token came back", name)
			}
		}
	}
}

func TestRefreshTokenForClientCredentials(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	if err := s.AddFault(Fault{RefreshToken: true, Times: 4}); err != nil {
		t.Fatal(err)
	}
	tokens := map[string]string{}
	for _, service := range allServices() {
		tokens[service] = text(t, wantToken(t, do(t, s, good(service)))["refresh_token"])
	}
	c.advance(time.Second)
	if got := do(t, s, refreshCall(t, "talkdesk", tokens["pexip"])); got.status != 400 {
		t.Errorf("another service's refresh token: status %d", got.status)
	}
	for _, service := range allServices() {
		fields := wantToken(t, do(t, s, refreshCall(t, service, tokens[service])))
		if next := text(t, fields["refresh_token"]); next == "" || next == tokens[service] {
			t.Errorf("%s: refresh token %q", service, next)
		}
	}
	c.advance(time.Second)
	for _, service := range allServices() {
		if fields := wantToken(t, do(t, s, good(service))); fields["refresh_token"] != nil {
			t.Errorf("%s: a refresh token without the fault", service)
		}
	}
}
