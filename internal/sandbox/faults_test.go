package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
	"github.com/google/go-cmp/cmp"
)

func addFault(t *testing.T, s *Server, body string) {
	t.Helper()
	got := do(t, s, call{method: http.MethodPost, path: "/_sandbox/faults", body: body})
	if got.status != http.StatusOK {
		t.Fatalf("fault %s: status %d, %s", body, got.status, got.body)
	}
}

func TestFaultFields(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]map[string]any{
		`{"expires_in":"missing"}`:  {"expires_in": nil},
		`{"expires_in":0}`:          {"expires_in": 0.0},
		`{"expires_in":-5}`:         {"expires_in": -5.0},
		`{"expires_in":"3600"}`:     {"expires_in": "3600"},
		`{"expires_in":1e30}`:       {"expires_in": 1e30},
		`{"expires_in":"soon"}`:     {"expires_in": "soon"},
		`{"expires_in":null}`:       {"expires_in": nil},
		`{"token_type":"mac"}`:      {"token_type": "mac"},
		`{"token_type":""}`:         {"token_type": ""},
		`{"scope_encoded":true}`:    {"scope": "apps%3Aread%20apps%3Awrite"},
		`{"omit":["access_token"]}`: {"access_token": nil},
		`{"extra":{"access_token":7,"x":{"y":[1]}}}`: {
			"access_token": 7.0, "x": map[string]any{"y": []any{1.0}},
		},
		`{"status":201}`: {"token_type": "Bearer"},
	} {
		s, _ := start(t, Options{})
		addFault(t, s, fault)
		got := do(t, s, good("talkdesk").set("scope", "apps:read apps:write"))
		for name, value := range want {
			if diff := cmp.Diff(value, got.fields(t)[name]); diff != "" {
				t.Errorf("%s: %s\n%s", fault, name, diff)
			}
		}
		if created := strings.Contains(fault, "201"); created != (got.status == http.StatusCreated) {
			t.Errorf("%s: status %d", fault, got.status)
		}
	}
}

func TestFaultExpiresInIsWritten(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	addFault(t, s, `{"expires_in":3600.0}`)
	if got := do(t, s, good("talkdesk")); !strings.Contains(got.body, `"expires_in":3600.0,`) {
		t.Errorf("body %s", got.body)
	}
	s.ClearFaults()
	addFault(t, s, `{"expires_in":7}`)
	fields := wantToken(t, do(t, s, good("talkdesk")))
	_, claims := verifyES256(t, publicOf(s.services[1].Signer), text(t, fields["access_token"]))
	if seconds(t, claims) != 7 {
		t.Errorf("the token lives otherwise than it says: %v", claims)
	}
	s.ClearFaults()
	addFault(t, s, `{"service":"genesys","expires_in":"12"}`)
	got := do(t, s, good("genesys").withHeader("Accept", formType))
	if !strings.Contains(got.body, "expires_in=12&") {
		t.Errorf("form %s", got.body)
	}
}

func TestFaultReplies(t *testing.T) {
	t.Parallel()
	const date = "Wed, 21 Oct 2026 07:28:00 GMT"
	for _, row := range []struct {
		fault, service  string
		status          int
		body            string
		name, wantValue string
	}{
		{`{"status":503}`, "genesys", 503, "", "Content-Type", ""},
		{
			`{"status":500}`, "genesys", 500,
			`{"status":{"code":500,"detail":{},"message":"Internal Server Error"}}`, "", "",
		},
		{
			`{"status":500}`, "pexip", 500,
			`{"error":"unknown_error","error_description":"For more on this error consult the server log."}`, "", "",
		},
		{`{"status":502}`, "talkdesk", 502, `{"error":"server_error","error_description":"Bad Gateway"}`, "", ""},
		{`{"status":429,"retry_after":"2"}`, "qmatic", 429, `{"message":"Too Many Requests"}`, "Retry-After", "2"},
		{
			`{"status":429,"retry_after":"` + date + `"}`, "qmatic", 429,
			`{"message":"Too Many Requests"}`, "Retry-After", date,
		},
		{
			`{"status":504,"body":"<html>","content_type":"text/html"}`, "qmatic", 504,
			"<html>", "Content-Type", "text/html",
		},
		{`{"body":""}`, "talkdesk", 200, "", "Content-Type", "application/json"},
		{`{"body":"[]"}`, "talkdesk", 200, "[]", "", ""},
		{`{"redirect":"http://127.0.0.1:1/x"}`, "pexip", 302, "", "Location", "http://127.0.0.1:1/x"},
		{`{"redirect":"http://127.0.0.1:1/x","status":308}`, "pexip", 308, "", "Location", "http://127.0.0.1:1/x"},
	} {
		s, _ := start(t, Options{})
		addFault(t, s, row.fault)
		got := do(t, s, good(row.service))
		if got.status != row.status || strings.TrimSpace(got.body) != row.body {
			t.Errorf("%s: status %d, %s", row.fault, got.status, got.body)
		}
		if v := got.header.Get(row.name); v != row.wantValue {
			t.Errorf("%s: %s is %q", row.fault, row.name, v)
		}
		r := s.Requests()
		if len(r) != 1 || r[0].Status != row.status || !r[0].Fault || r[0].ClientID != "sandbox-"+row.service {
			t.Errorf("%s: log %+v", row.fault, r)
		}
	}
}

func TestFaultMatching(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	addFault(t, s, `{"service":"qmatic","status":500,"times":2}`)
	addFault(t, s, `{"path":"/oauth/token","status":501}`)
	addFault(t, s, `{"status":502,"times":1}`)
	status := func(service string) int { c.advance(time.Second); return do(t, s, good(service)).status }
	got := []int{
		status("qmatic"), status("talkdesk"), status("qmatic"), // the first that matches
		status("genesys"), status("genesys"), // any service, once
		status("talkdesk"), status("qmatic"), // still; used up
	}
	if diff := cmp.Diff([]int{500, 501, 500, 502, 200, 501, 200}, got); diff != "" {
		t.Error(diff)
	}
	list := do(t, s, call{method: http.MethodGet, path: "/_sandbox/faults"})
	if strings.TrimSpace(list.body) != `{"faults":[{"path":"/oauth/token","status":501}]}` {
		t.Errorf("list %s", list.body)
	}
	list = do(t, s, call{method: http.MethodDelete, path: "/_sandbox/faults"})
	if strings.TrimSpace(list.body) != `{"faults":[]}` || status("talkdesk") != 200 {
		t.Errorf("after DELETE: %s", list.body)
	}
}

func TestFaultDropAndTruncate(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	addFault(t, s, `{"service":"genesys","drop":true,"times":1}`)
	addFault(t, s, `{"service":"talkdesk","truncate":10}`)
	addFault(t, s, `{"service":"pexip","truncate":0}`)
	addFault(t, s, `{"service":"qmatic","truncate":100000}`)
	if resp, err := newHTTPClient(t).Do(good("genesys").request(t, s)); err == nil {
		_ = resp.Body.Close()
		t.Errorf("drop: status %d", resp.StatusCode)
	}
	for service, n := range map[string]int{"talkdesk": 10, "pexip": 0} {
		resp, err := newHTTPClient(t).Do(good(service).request(t, s))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if !errors.Is(err, io.ErrUnexpectedEOF) || len(b) != n || resp.StatusCode != 200 || resp.ContentLength < 50 {
			t.Errorf("%s: %d bytes of %d, status %d, %v", service, len(b), resp.ContentLength, resp.StatusCode, err)
		}
	}
	wantToken(t, do(t, s, good("qmatic")))
	if r := s.Requests(); len(r) != 4 || r[0].Status != 0 || r[1].Status != 200 {
		t.Errorf("log %+v", r)
	}
}

// A refresh whose answer is lost has been carried out all the same.
func TestFaultDropSpendsTheRefreshToken(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	token := text(t, wantToken(t, do(t, s, passwordCall(t)))["refresh_token"])
	addFault(t, s, `{"drop":true,"times":1}`)
	if resp, err := newHTTPClient(t).Do(refreshCall(t, "genesys", token).request(t, s)); err == nil {
		_ = resp.Body.Close()
		t.Error("not dropped")
	}
	if got := do(t, s, refreshCall(t, "genesys", token)); got.status != 400 {
		t.Errorf("status %d", got.status)
	}
}

func TestFaultDelay(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	addFault(t, s, `{"delay_ms":20,"times":1}`)
	wantToken(t, do(t, s, good("talkdesk")))

	addFault(t, s, `{"delay_ms":600000}`)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	req := good("talkdesk").request(t, s).WithContext(ctx)
	client := newHTTPClient(t)
	go func() {
		resp, err := client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		failed <- err
	}()
	// It is in the log while it waits.
	awaitRequests(t, s, 2, failed)
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if r := s.Requests()[1]; r.Status != 0 || r.ClientID != "sandbox-talkdesk" {
		t.Errorf("entry %+v", r)
	}
}

// awaitRequests asks for the log until it has n entries; an answer to the
// request that is to wait is a failure.
func awaitRequests(t *testing.T, s *Server, n int, failed <-chan error) {
	t.Helper()
	for {
		got := do(t, s, call{method: http.MethodGet, path: "/_sandbox/requests"})
		if list, ok := got.fields(t)["requests"].([]any); ok && len(list) >= n {
			return
		}
		select {
		case err := <-failed:
			t.Fatalf("answered at once: %v", err)
		default:
		}
	}
}

// Close must end requests that wait: the handler's context is done.
func TestCloseEndsADelay(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	addFault(t, s, `{"delay_ms":600000}`)
	failed := make(chan error, 1)
	req, client := good("genesys").request(t, s), newHTTPClient(t)
	go func() {
		resp, err := client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		failed <- err
	}()
	awaitRequests(t, s, 1, failed)
	s.Close()
	if err := <-failed; err == nil {
		t.Error("an answer after Close")
	}
}

func TestFaultErrors(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	for body, want := range map[string]string{
		``:                               "the body is empty",
		`{`:                              "unexpected EOF",
		`[]`:                             "the body: a JSON array does not fit here",
		`{}`:                             "the fault does nothing",
		`{"service":"qmatic"}`:           "the fault does nothing",
		`{"statsu":500}`:                 `unknown field "statsu"`,
		`{"status":"500"}`:               "status: a JSON string does not fit here",
		`{"status":500}{"status":500}`:   "there is more than one JSON value",
		`{"status":100}`:                 "status: 100 is not between 200 and 599",
		`{"status":600}`:                 "status: 600 is not between 200 and 599",
		`{"service":"zoom","drop":true}`: `service: "zoom" is not one of`,
		`{"path":"oauth","drop":true}`:   "path:",
		`{"times":-1,"drop":true}`:       "times: -1 is below zero",
		`{"delay_ms":-1}`:                "delay_ms: -1 is not between",
		`{"delay_ms":600001}`:            "delay_ms: 600001 is not between",
		`{"delay_ms":1.5}`:               "delay_ms: a JSON number",
		`{"truncate":-1}`:                "truncate: -1 is below zero",
		`{"truncate":1,"drop":true}`:     "drop: cannot go with truncate",
		`{"retry_after":"soon"}`:         `retry_after: "soon" is neither seconds nor an HTTP date`,
		`{"retry_after":"-1"}`:           "retry_after:",
		`{"redirect":"/x","status":200}`: "redirect: status 200 is not one of",
		`{"redirect":"/x","status":304}`: "redirect: status 304 is not one of",
		`{"redirect":"/x\ny"}`:           "control characters",
		`{"content_type":"a\u0000"}`:     "control characters",
		`{"service":"genesys","scope_pending":["a"]}`: "client_scopes, narrow and scope_pending: genesys has one scope",
		`{"service":"genesys","client_scopes":[]}`:    "client_scopes, narrow and scope_pending: genesys has one scope",
		`{"service":"genesys","narrow":true}`:         "client_scopes, narrow and scope_pending: genesys has one scope",
		`{"client_scopes":["a b"]}`:                   `client_scopes: "a b" is not one scope`,
		`{"client_scopes":[""]}`:                      `client_scopes: "" is not one scope`,
		`{"client_scopes":"a"}`:                       "client_scopes: a JSON string does not fit here",
		`{"narrow":false}`:                            "the fault does nothing",
	} {
		got := do(t, s, call{method: http.MethodPost, path: "/_sandbox/faults", body: body})
		text := text(t, got.fields(t)["error"])
		if got.status != 400 || !strings.Contains(text, want) || !strings.HasPrefix(text, "fault: ") {
			t.Errorf("%s: status %d, %q; want %q", body, got.status, text, want)
		}
	}
	big := call{method: http.MethodPost, path: "/_sandbox/faults"}
	big.body = `{"body":"` + strings.Repeat("x", maxFaultJSON) + `"}`
	if got := do(t, s, big); got.status != 413 {
		t.Errorf("too big: status %d", got.status)
	}
	if err := s.AddFault(Fault{Extra: map[string]json.RawMessage{"x": json.RawMessage("{")}}); err == nil {
		t.Error("extra that is not JSON is accepted")
	}
	if err := s.AddFault(Fault{ExpiresIn: json.RawMessage("soon")}); err == nil {
		t.Error("expires_in that is not JSON is accepted")
	}
	if got := do(t, s, good("talkdesk")); got.status != 200 {
		t.Errorf("a refused fault applies: status %d", got.status)
	}
}

func FuzzParseFault(f *testing.F) {
	for _, v := range []string{
		`{"status":500}`, `{"service":"qmatic","times":2,"status":429,"retry_after":"2"}`, `{"expires_in":null}`,
		`{"extra":{"a":{}}}`, `{"body":"","content_type":"x"}`,
		`{"truncate":0}`, `{"scope_pending":[]}`, `{"client_scopes":[]}`, `{"client_scopes":["a"],"narrow":true}`, `{"omit":null}`, `[`, `{} {}`,
	} {
		f.Add([]byte(v))
	}
	known := services(Options{})
	f.Fuzz(func(t *testing.T, body []byte) {
		fault, err := parseFault(body)
		if err != nil || fault.check(known) != nil {
			return
		}
		// What is accepted can be listed and means the same when sent back.
		listed, err := json.Marshal(fault)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		again, err := parseFault(listed)
		if err != nil {
			t.Fatalf("%s as listed, %s: %v", body, listed, err)
		}
		relisted, err := json.Marshal(again)
		if err != nil || !bytes.Equal(listed, relisted) {
			t.Fatalf("%s becomes %s, %v", listed, relisted, err)
		}
		fields := map[string]any{"access_token": "x", "scope": "a b"}
		rep := fault.apply(service.Reply{Status: 200, Token: true, Fields: fields})
		if text := rep.Begin(httptest.NewRecorder()); strings.Contains(text, "could not encode") {
			t.Fatalf("%s: the reply cannot be encoded", body)
		}
	})
}

// A fault reaches every endpoint, and each answers in its service's shape.
func TestFaultOnEveryEndpoint(t *testing.T) {
	t.Parallel()
	const keycloak = `{"error":"unknown_error","error_description":"For more on this error consult the server log."}`
	for body, paths := range map[string][]string{
		"": {
			"/auth/v3/oauth/authorize", "/auth/v3/sign-in", "/auth/v3/oauth/token", "/auth/v3/userinfo",
			"/auth/v3/openid/userinfo", "/auth/v3/jwt-userinfo", "/auth/v3/ping", "/auth/v3/sign-out",
			"/auth/v3/change-password",
		},
		`{"error":"server_error","error_description":"Service Unavailable"}`: {
			"/oauth/authorize", "/oauth/sign-in", "/oauth/token",
		},
		`{"code":"service_unavailable","description":"Service Unavailable","fields":[],"message":"Service Unavailable"}`: {
			"/users/me",
		},
		keycloak: {
			"/realms/acme/.well-known/openid-configuration", pexipBase + "certs", pexipBase + "token",
			pexipBase + "userinfo", pexipBase + "token/introspect", pexipBase + "revoke", pexipBase + "logout",
		},
	} {
		for _, path := range paths {
			s, _ := start(t, Options{})
			if err := s.AddFault(Fault{Path: path, Status: 503, RetryAfter: "3"}); err != nil {
				t.Fatal(err)
			}
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				got := do(t, s, call{method: method, path: path})
				if got.status != 503 || strings.TrimSpace(got.body) != body || got.header.Get("Retry-After") != "3" {
					t.Errorf("%s %s: status %d, %s", method, path, got.status, got.body)
				}
			}
		}
	}
}

// Nothing is where a service documents nothing.
func TestEndpointsThatAreNot(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	for _, path := range []string{
		"/oauth2/userInfo", "/oauth2/revoke", "/oauth2/authorize", "/oauth/revoke", "/oauth/introspect",
		"/users", "/users/", "/realms/acme/protocol/openid-connect/auth", "/realms/acme/protocol/openid-connect/auth/device",
		"/.well-known/openid-configuration", "/auth/v3/sign-in/", "/auth/v3/revoke",
	} {
		if got := do(t, s, get(path).withHeader("X-Api-Key", genesysAPIKey)); got.status != 404 {
			t.Errorf("%s: status %d", path, got.status)
		}
	}
}
