package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
	"github.com/google/go-cmp/cmp"
)

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
		s, _ := sandboxtest.Start(t, sandbox.Options{})
		sandboxtest.AddFault(t, s, fault)
		got := sandboxtest.Do(t, s, sandboxtest.Good("talkdesk").Set("scope", "apps:read apps:write"))
		for name, value := range want {
			if diff := cmp.Diff(value, got.Fields(t)[name]); diff != "" {
				t.Errorf("%s: %s\n%s", fault, name, diff)
			}
		}
		if created := strings.Contains(fault, "201"); created != (got.Status == http.StatusCreated) {
			t.Errorf("%s: status %d", fault, got.Status)
		}
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
		s, _ := sandboxtest.Start(t, sandbox.Options{})
		sandboxtest.AddFault(t, s, row.fault)
		got := sandboxtest.Do(t, s, sandboxtest.Good(row.service))
		if got.Status != row.status || strings.TrimSpace(got.Body) != row.body {
			t.Errorf("%s: status %d, %s", row.fault, got.Status, got.Body)
		}
		if v := got.Header.Get(row.name); v != row.wantValue {
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
	s, c := sandboxtest.Start(t, sandbox.Options{})
	sandboxtest.AddFault(t, s, `{"service":"qmatic","status":500,"times":2}`)
	sandboxtest.AddFault(t, s, `{"path":"/oauth/token","status":501}`)
	sandboxtest.AddFault(t, s, `{"status":502,"times":1}`)
	status := func(service string) int {
		c.Advance(time.Second)
		return sandboxtest.Do(t, s, sandboxtest.Good(service)).Status
	}
	got := []int{
		status("qmatic"), status("talkdesk"), status("qmatic"), // the first that matches
		status("genesys"), status("genesys"), // any service, once
		status("talkdesk"), status("qmatic"), // still; used up
	}
	if diff := cmp.Diff([]int{500, 501, 500, 502, 200, 501, 200}, got); diff != "" {
		t.Error(diff)
	}
	list := sandboxtest.Do(t, s, sandboxtest.Call{Method: http.MethodGet, Path: "/_sandbox/faults"})
	if strings.TrimSpace(list.Body) != `{"faults":[{"path":"/oauth/token","status":501}]}` {
		t.Errorf("list %s", list.Body)
	}
	list = sandboxtest.Do(t, s, sandboxtest.Call{Method: http.MethodDelete, Path: "/_sandbox/faults"})
	if strings.TrimSpace(list.Body) != `{"faults":[]}` || status("talkdesk") != 200 {
		t.Errorf("after DELETE: %s", list.Body)
	}
}

func TestFaultErrors(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	for _, body := range []string{
		``, `{`, `[]`, `{}`, `{"service":"qmatic"}`, `{"statsu":500}`, `{"status":"500"}`, `{"status":100}`, `{"status":600}`,
		`{"service":"zoom","drop":true}`, `{"path":"oauth","drop":true}`, `{"times":-1,"drop":true}`, `{"delay_ms":-1}`,
		`{"truncate":-1}`, `{"redirect":"/x","status":200}`, `{"client_scopes":"a"}`,
		`{"narrow":false}`, `{"body":"` + strings.Repeat("x", 8<<20) + `"}`,
	} {
		got := sandboxtest.Do(t, s, sandboxtest.Call{Method: http.MethodPost, Path: "/_sandbox/faults", Body: body})
		text := sandboxtest.Text(t, got.Fields(t)["error"])
		if got.Status != 400 || !strings.HasPrefix(text, "fault: ") {
			t.Errorf("%.60s: status %d, %q", body, got.Status, text)
		}
	}
	if got := sandboxtest.Do(t, s, sandboxtest.Good("talkdesk")); got.Status != 200 {
		t.Errorf("a refused fault applies: status %d", got.Status)
	}
}
