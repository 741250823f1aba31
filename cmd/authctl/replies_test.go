package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
)

// reply is what comes in place of a service's own answer, and what is to be made of it.
type reply struct {
	name, args string
	// path is the endpoint's last word; empty is the token endpoint.
	path        string
	status      int
	ctype, body string
	redirect    string
	code        int
	// want and unwanted are parts of stderr.
	want, unwanted []string
	// wait is Retry-After. One that is too long is not waited for.
	wait string
}

const keycloak = "/realms/acme/protocol/openid-connect/"

// endpoint returns the whole path of a row's endpoint.
func (r reply) endpoint() string {
	return map[string]string{
		"ping": "/auth/v3/ping", "sign-out": "/auth/v3/sign-out", "change-password": "/auth/v3/change-password",
		"userinfo": "/auth/v3/userinfo", "openid/userinfo": "/auth/v3/openid/userinfo", "jwt-userinfo": "/auth/v3/jwt-userinfo",
		"revoke": keycloak + "revoke", "introspect": keycloak + "token/introspect", "logout": keycloak + "logout",
		"realm's userinfo": keycloak + "userinfo", "me": "/users/me",
		"document": "/realms/acme/.well-known/openid-configuration",
		"pexip":    keycloak + "token", "talkdesk": "/oauth/token", "qmatic": "/oauth2/token", "genesys": "/auth/v3/oauth/token",
	}[r.path]
}

func (r reply) fault() sandbox.Fault {
	f := sandbox.Fault{Path: r.endpoint(), Status: r.status, ContentType: r.ctype, Redirect: r.redirect, RetryAfter: r.wait}
	if r.redirect == "" {
		f.Body = &r.body
	}
	return f
}

// run gets a token, puts the reply in place and runs the row's command.
func (r reply) run(t *testing.T, p *place) {
	t.Helper()
	args := strings.Fields(r.args)
	profile := args[1]
	if args[0] == "token" {
		profile = args[2]
	}
	if !slices.Contains(args, "--no-cache") {
		if o := p.run("token", "get", profile); o.code != 0 {
			t.Fatalf("%s: %s", r.name, o.stderr)
		}
	}
	p.fault(r.fault())
	defer p.server.ClearFaults()
	o := p.run(args...)
	if o.code != r.code || o.code != 0 && o.stdout != "" {
		t.Errorf("%s: %s: exit code %d, want %d; stdout %q, stderr %q", r.name, r.args, o.code, r.code, o.stdout, o.stderr)
	}
	for _, want := range r.want {
		if !strings.Contains(o.stderr, want) {
			t.Errorf("%s: %s: stderr does not say %q: %q", r.name, r.args, want, o.stderr)
		}
	}
	for _, unwanted := range append(r.unwanted, "<", "\x1b") {
		if strings.Contains(o.stderr, unwanted) {
			t.Errorf("%s: %s: stderr says %q: %q", r.name, r.args, unwanted, o.stderr)
		}
	}
}

func runReplies(t *testing.T, rows []reply) {
	t.Helper()
	p := newPlace(t)
	p.fileStore()
	for _, r := range rows {
		r.run(t, p)
	}
}

const downPage = "<html><head><title>Down for maintenance</title></head>"

// TestNoFakeSuccess has replies that look like a success and are none, for each operation of each service.
func TestNoFakeSuccess(t *testing.T) {
	t.Parallel()
	operations := []struct {
		args, path string
		code       int
		success    string
	}{
		{"ping genesys-password", "ping", 8, "answers"},
		{"signout genesys-password --require-remote", "sign-out", 9, "ended"},
		{"signout genesys-password --require-remote --redirect-uri https://app.example/bye", "sign-out", 9, "ended"},
		{"userinfo genesys-password", "userinfo", 9, ""},
		{"userinfo genesys-password --view openid", "openid/userinfo", 9, ""},
		{"userinfo genesys-password --view jwt", "jwt-userinfo", 9, ""},
		{"token revoke pexip", "revoke", 9, "revoked"},
		{"signout pexip --require-remote", "revoke", 9, "revoked"},
		{"token introspect pexip", "introspect", 9, ""},
		{"userinfo pexip-openid", "realm's userinfo", 9, ""},
		{"ping pexip", "document", 9, ""},
		{"token get pexip --no-cache", "pexip", 9, ""},
		{"token get talkdesk --no-cache", "talkdesk", 9, ""},
		{"token get qmatic --no-cache", "qmatic", 9, ""},
		{"token get genesys --no-cache", "genesys", 9, ""},
	}
	for _, o := range operations {
		t.Run(o.args, func(t *testing.T) {
			t.Parallel()
			unwanted := []string{"the password is changed"}
			if o.success != "" {
				unwanted = append(unwanted, ": "+o.success)
			}
			row := func(name string, status int, ctype, body string) reply {
				return reply{
					name: name, args: o.args, path: o.path, status: status, ctype: ctype, body: body, code: o.code, unwanted: unwanted,
				}
			}
			page := row("page", 200, "text/html; charset=utf-8", downPage)
			page.want = []string{"text/html"}
			if o.path != "jwt-userinfo" { // there the header is what lacks
				page.want = append(page.want, `titled "Down for maintenance"`)
			} else {
				page.want = []string{"X-GWS-User"}
			}
			away := row("sign-in page", 302, "", "")
			away.redirect = "https://sso.example/login"
			rows := []reply{
				page, away, row("page called JSON", 200, "application/json", downPage), row("text", 200, "text/plain", "OK"),
				row("list", 200, "application/json", "[]"), row("word", 200, "application/json", `"ok"`),
				row("other JSON", 200, "application/json", `{"message":"maintenance"}`),
				row("wrong status", 206, "application/json", `{"status":{"code":1}}`),
			}
			switch o.path {
			case "revoke": // an empty body is what it should be
			case "ping", "sign-out":
				rows = append(rows, row("empty", 200, "", ""), row("no status", 200, "application/json", "{}"),
					row("status as text", 200, "application/json", `{"status":{"code":"0"}}`),
					row("202", 202, "application/json", `{"status":{"code":0}}`))
			default:
				rows = append(rows, row("empty", 200, "", ""), row("nothing in it", 200, "application/json", "{}"),
					row("status 0 alone", 200, "application/json", `{"status":{"code":0}}`))
			}
			runReplies(t, rows)
		})
	}
}

// TestNoFakePasswordChange is about a change whose outcome is not known.
func TestNoFakePasswordChange(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	for name, f := range map[string]sandbox.Fault{
		"page":      {Status: 200, Body: new(downPage), ContentType: "text/html"},
		"empty":     {Status: 200, Body: new("")},
		"no status": {Status: 200, Body: new("{}")},
		"sign-in":   {Status: 302, Redirect: "https://sso.example/login"},
	} {
		f.Path = "/auth/v3/change-password"
		p.fault(f)
		r := p.prepare("passwd", "genesys-password", "--stdin")
		r.Stdin = strings.NewReader("fake-old\nfake-new\n")
		if err := r.Start(); err != nil {
			t.Fatal(err)
		}
		o := r.end()
		p.server.ClearFaults()
		if o.code != 9 || strings.Contains(o.stderr, "the password is changed") {
			t.Errorf("%s: exit code %d, stderr %q", name, o.code, o.stderr)
		}
	}
}

// TestWhoseFault has refusals that look like wrong credentials or like a moment's trouble, and are neither.
func TestWhoseFault(t *testing.T) {
	t.Parallel()
	const js = "application/json"
	secret := []string{"check client_id and client_secret"}
	var rows []reply
	for _, service := range []string{"pexip", "talkdesk", "qmatic", "genesys"} {
		get := "token get " + service + " --no-cache"
		rows = append(rows,
			reply{"page", get, service, 200, "text/html", downPage, "", 9, []string{`it is a page (text/html) titled "Down for maintenance"`}, nil, ""},
			reply{"firewall", get, service, 403, "text/html", "<html><title>Blocked by \x1b[31mACME &amp; Co</title>", "", 3, []string{`403 with a page (text/html) titled "Blocked by [31mACME & Co"`, "firewall"}, secret, ""},
			reply{"gateway", get, service, 403, js, `{"message":"Missing Authentication Token"}`, "", 3, []string{"check base_url"}, secret, ""},
			reply{"grant", get, service, 400, js, `{"error":"unauthorized_client"}`, "", 3, []string{"does not let this client use the grant client_credentials", "it is not the secret"}, secret, ""},
			reply{"Spring's grant", get, service, 401, js, `{"error":"invalid_client","error_description":"Unauthorized grant type: client_credentials"}`, "", 3, []string{"does not let this client use the grant"}, secret, ""},
			reply{"proxy", get, service, 407, "text/html", downPage, "", 3, []string{"HTTPS_PROXY"}, secret, ""},
		)
		for name, body := range map[string]string{
			"__type": `{"__type":"TooManyRequestsException","message":"Rate exceeded"}`, "code": `{"code":"ThrottlingException"}`,
			"namespace": `{"__type":"com.amazonaws.cognito#ThrottlingException"}`, "suffix": `{"__type":"TooManyRequestsException:http://internal.amazon.com/coral/"}`,
			"SlowDown": `{"Error":{"Code":"SlowDown"}}`, "slow_down": `{"error":"slow_down"}`, "limit": `{"code":"RequestLimitExceeded"}`,
			"text": `{"message":"Too Many Requests"}`,
		} {
			rows = append(rows, reply{"throttled by " + name, get, service, 400, js, body, "", 8, []string{"cannot answer now"}, secret, "60"})
		}
	}
	rows = append(rows,
		reply{"service accounts", "token get pexip --no-cache", "pexip", 401, js, `{"error":"unauthorized_client","error_description":"Client not enabled to retrieve service account"}`, "", 3, []string{"service accounts enabled"}, secret, ""},
		reply{"public client", "token get pexip --no-cache", "pexip", 401, js, `{"error":"unauthorized_client","error_description":"Public client not allowed to retrieve service account"}`, "", 3, []string{"service accounts enabled"}, secret, ""},
		reply{"bearer-only", "token get pexip --no-cache", "pexip", 401, js, `{"error":"unauthorized_client","error_description":"Client is bearer-only"}`, "", 3, []string{"does not let this client use the grant"}, secret, ""},
		reply{"direct access", "token get pexip --no-cache", "pexip", 401, js, `{"error":"unauthorized_client","error_description":"Client not enabled for direct access grants"}`, "", 3, []string{"does not let this client use the grant"}, secret, ""},
		reply{"client off", "token get pexip --no-cache", "pexip", 401, js, `{"error":"invalid_client","error_description":"Client disabled"}`, "", 3, []string{"switched off", "check client_id"}, secret, ""},
		reply{"gateway's rule", "token get talkdesk --no-cache", "talkdesk", 403, js, `{"message":"Forbidden"}`, "", 3, []string{"a gateway in front of it", "base_url"}, secret, ""},
		reply{"gateway's rule", "token get qmatic --no-cache", "qmatic", 403, js, `{"message":"Forbidden"}`, "", 3, []string{"a gateway in front of it"}, secret, ""},
		reply{"gateway's key", "token get genesys --no-cache", "genesys", 403, js, `{"message":"Forbidden"}`, "", 4, []string{"api_key"}, nil, ""},
		reply{"realm off", "token get pexip --no-cache", "pexip", 403, js, `{"error":"access_denied","error_description":"Realm not enabled"}`, "", 3, []string{"switched off"}, secret, ""},
		reply{"older Keycloak", "token get pexip --no-cache", "pexip", 400, js, `{"error":"unauthorized_client","error_description":"INVALID_CREDENTIALS: Invalid client credentials"}`, "", 4, secret, nil, ""},
		reply{"wrong secret", "token get pexip --no-cache", "pexip", 401, js, `{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}`, "", 4, secret, nil, ""},
		reply{"number", "token get genesys --no-cache", "genesys", 401, js, `{"status":{"code":401,"message":"invalid_client: Unauthorized grant type: client_credentials"}}`, "", 3, []string{"does not let this client use the grant"}, secret, ""},
		reply{"assertion", "token get talkdesk-jwt --no-cache", "talkdesk", 401, js, `{"error":"invalid_client"}`, "", 4, []string{"private_key and key_id"}, []string{"client_secret"}, ""},
		reply{"assertion", "token get pexip-jwt --no-cache", "pexip", 400, js, `{"error":"invalid_client","error_description":"Token is not active"}`, "", 4, []string{"private_key and key_id"}, []string{"client_secret"}, ""},
		reply{"no such path", "ping genesys-password", "ping", 400, "", "", "", 3, []string{"base_url"}, nil, ""},
		reply{"no such path", "ping genesys-password", "ping", 404, "text/html", downPage, "", 3, []string{"base_url"}, nil, ""},
		reply{"no such method", "ping genesys-password", "ping", 405, "", "", "", 3, []string{"base_url"}, nil, ""},
		reply{"firewall", "ping genesys-password", "ping", 403, "text/html", downPage, "", 3, []string{"firewall"}, nil, ""},
		reply{"busy", "ping genesys-password", "ping", 429, "", "", "", 8, nil, nil, "60"},
		reply{"page with 401", "signout genesys-password --require-remote", "sign-out", 401, "text/html", downPage, "", 4, nil, []string{"had ended already"}, ""},
	)
	for i, part := range slices.Collect(slices.Chunk(rows, 20)) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			runReplies(t, part)
		})
	}
}

// TestClockOfAnAssertion tells how far a clock is off when an assertion is refused.
func TestClockOfAnAssertion(t *testing.T) {
	t.Parallel()
	for date, want := range map[string]string{
		"Mon, 02 Jan 2040 15:04:05 GMT": "behind the service's", "Mon, 02 Jan 2012 15:04:05 GMT": "ahead of the service's",
	} {
		p := newPlace(t)
		server := serveAll(t, func(w http.ResponseWriter) {
			w.Header().Set("Date", date)
			w.WriteHeader(http.StatusUnauthorized)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_client"})
		})
		p.set("AUTHCTL_BASE_URL=" + server)
		o := p.run("token", "get", "pexip-jwt")
		if o.code != 4 || !strings.Contains(o.stderr, "hint: this machine's clock is ") || !strings.Contains(o.stderr, want) ||
			!strings.Contains(o.stderr, "private_key and key_id") {
			t.Errorf("%s: exit code %d, stderr %q", date, o.code, o.stderr)
		}
		if o := p.run("token", "get", "pexip"); o.code != 4 || strings.Contains(o.stderr, "clock") {
			t.Errorf("%s: with a secret the clock is no matter: %q", date, o.stderr)
		}
	}
}

// TestVerboseShowsTheWholeErrorText: it is cut without it.
func TestVerboseShowsTheWholeErrorText(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	text := strings.Repeat("a long story \x1b[31m ", 30) + "the end"
	body, err := json.Marshal(map[string]string{"error": "invalid_request", "error_description": text})
	if err != nil {
		t.Fatal(err)
	}
	p.fault(sandbox.Fault{Status: 400, Body: new(string(body))})
	if o := p.run("token", "get", "pexip"); o.code != 3 || strings.Contains(o.stderr, "the end") || !strings.Contains(o.stderr, "…") {
		t.Errorf("exit code %d, stderr %q", o.code, o.stderr)
	}
	o := p.run("token", "get", "pexip", "-v")
	if o.code != 3 || strings.Count(o.stderr, "the end") != 1 || !strings.Contains(o.stderr, "authctl: trace: ") || strings.Contains(o.stderr, "\x1b") {
		t.Errorf("exit code %d, stderr %q", o.code, o.stderr)
	}
}
