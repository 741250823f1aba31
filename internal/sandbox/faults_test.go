package sandbox_test

import (
	"context"
	"errors"
	"io"
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

func TestFaultExpiresInIsWritten(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	sandboxtest.AddFault(t, s, `{"expires_in":3600.0}`)
	if got := sandboxtest.Do(t, s, sandboxtest.Good("talkdesk")); !strings.Contains(got.Body, `"expires_in":3600.0,`) {
		t.Errorf("body %s", got.Body)
	}
	s.ClearFaults()
	sandboxtest.AddFault(t, s, `{"expires_in":7}`)
	fields := sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("talkdesk")))
	_, claims := sandboxtest.VerifyES256(t, sandboxtest.PublicOf(s.Service("talkdesk").Signer), sandboxtest.Text(t, fields["access_token"]))
	if sandboxtest.Seconds(t, claims) != 7 {
		t.Errorf("the token lives otherwise than it says: %v", claims)
	}
	s.ClearFaults()
	sandboxtest.AddFault(t, s, `{"service":"genesys","expires_in":"12"}`)
	got := sandboxtest.Do(t, s, sandboxtest.Good("genesys").WithHeader("Accept", sandboxtest.FormType))
	if !strings.Contains(got.Body, "expires_in=12&") {
		t.Errorf("form %s", got.Body)
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

func TestFaultDropAndTruncate(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	sandboxtest.AddFault(t, s, `{"service":"genesys","drop":true,"times":1}`)
	sandboxtest.AddFault(t, s, `{"service":"talkdesk","truncate":10}`)
	sandboxtest.AddFault(t, s, `{"service":"pexip","truncate":0}`)
	sandboxtest.AddFault(t, s, `{"service":"qmatic","truncate":100000}`)
	if resp, err := sandboxtest.NewHTTPClient(t).Do(sandboxtest.Good("genesys").Request(t, s)); err == nil {
		_ = resp.Body.Close()
		t.Errorf("drop: status %d", resp.StatusCode)
	}
	for service, n := range map[string]int{"talkdesk": 10, "pexip": 0} {
		resp, err := sandboxtest.NewHTTPClient(t).Do(sandboxtest.Good(service).Request(t, s))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if !errors.Is(err, io.ErrUnexpectedEOF) || len(b) != n || resp.StatusCode != 200 || resp.ContentLength < 50 {
			t.Errorf("%s: %d bytes of %d, status %d, %v", service, len(b), resp.ContentLength, resp.StatusCode, err)
		}
	}
	sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("qmatic")))
	if r := s.Requests(); len(r) != 4 || r[0].Status != 0 || r[1].Status != 200 {
		t.Errorf("log %+v", r)
	}
}

// A refresh whose answer is lost has been carried out all the same.
func TestFaultDropSpendsTheRefreshToken(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	token := sandboxtest.Text(t, sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.PasswordCall(t)))["refresh_token"])
	sandboxtest.AddFault(t, s, `{"drop":true,"times":1}`)
	if resp, err := sandboxtest.NewHTTPClient(t).Do(sandboxtest.RefreshCall(t, "genesys", token).Request(t, s)); err == nil {
		_ = resp.Body.Close()
		t.Error("not dropped")
	}
	if got := sandboxtest.Do(t, s, sandboxtest.RefreshCall(t, "genesys", token)); got.Status != 400 {
		t.Errorf("status %d", got.Status)
	}
}

func TestFaultDelay(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	sandboxtest.AddFault(t, s, `{"delay_ms":20,"times":1}`)
	sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("talkdesk")))

	sandboxtest.AddFault(t, s, `{"delay_ms":600000}`)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	req := sandboxtest.Good("talkdesk").Request(t, s).WithContext(ctx)
	client := sandboxtest.NewHTTPClient(t)
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
func awaitRequests(t *testing.T, s *sandbox.Server, n int, failed <-chan error) {
	t.Helper()
	for {
		got := sandboxtest.Do(t, s, sandboxtest.Call{Method: http.MethodGet, Path: "/_sandbox/requests"})
		if list, ok := got.Fields(t)["requests"].([]any); ok && len(list) >= n {
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
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	sandboxtest.AddFault(t, s, `{"delay_ms":600000}`)
	failed := make(chan error, 1)
	req, client := sandboxtest.Good("genesys").Request(t, s), sandboxtest.NewHTTPClient(t)
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
	s, _ := sandboxtest.Start(t, sandbox.Options{})
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
		`{"service":"genesys","scope_pending":["a"]}`: "client_scopes, narrow and scope_pending: genesys has one scope",
		`{"service":"genesys","client_scopes":[]}`:    "client_scopes, narrow and scope_pending: genesys has one scope",
		`{"service":"genesys","narrow":true}`:         "client_scopes, narrow and scope_pending: genesys has one scope",
		`{"client_scopes":"a"}`:                       "client_scopes: a JSON string does not fit here",
		`{"narrow":false}`:                            "the fault does nothing",
	} {
		got := sandboxtest.Do(t, s, sandboxtest.Call{Method: http.MethodPost, Path: "/_sandbox/faults", Body: body})
		text := sandboxtest.Text(t, got.Fields(t)["error"])
		if got.Status != 400 || !strings.Contains(text, want) || !strings.HasPrefix(text, "fault: ") {
			t.Errorf("%s: status %d, %q; want %q", body, got.Status, text, want)
		}
	}
	big := sandboxtest.Call{Method: http.MethodPost, Path: "/_sandbox/faults"}
	big.Body = `{"body":"` + strings.Repeat("x", 8<<20) + `"}`
	if got := sandboxtest.Do(t, s, big); got.Status != 413 {
		t.Errorf("too big: status %d", got.Status)
	}
	if got := sandboxtest.Do(t, s, sandboxtest.Good("talkdesk")); got.Status != 200 {
		t.Errorf("a refused fault applies: status %d", got.Status)
	}
}
