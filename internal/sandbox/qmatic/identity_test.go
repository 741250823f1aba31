package qmatic_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
	"github.com/google/go-cmp/cmp"
)

func TestToken(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	const prefix = "com.qmatic.saas.appointments/external.appointment."
	for name, form := range map[string]url.Values{
		"no scope":      {},
		"two scopes":    {"scope": {prefix + "book " + prefix + "cancel"}},
		"account field": {"x-account": {"mybankab"}, "scope": {prefix + "reschedule"}},
		"client id":     {"client_id": {"sandbox-qmatic"}},
	} {
		c.Advance(time.Second)
		fields := sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("qmatic").WithForm(t, form)))
		if token := sandboxtest.Text(t, fields["access_token"]); !strings.Contains(token, sandbox.Marker) {
			t.Errorf("%s: token %q", name, token)
		}
		delete(fields, "access_token")
		if diff := cmp.Diff(map[string]any{"expires_in": 3600.0, "token_type": "Bearer"}, fields); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	get := sandboxtest.Good("qmatic")
	get.Method, get.Body = "GET", ""
	at := func(path string) sandboxtest.Call { c := sandboxtest.Good("qmatic"); c.Path = path; return c }
	account := func(name string) sandboxtest.Call { return sandboxtest.Good("qmatic").WithHeader("X-Account", name) }
	const (
		badRequest = `{"error":"invalid_request"}`
		badClient  = `{"error":"invalid_client"}`
		secret     = sandbox.Marker + "+qmatic%:raw"
	)
	sandboxtest.RunRefusals(t, s, func() { c.Advance(time.Second) }, []sandboxtest.Refusal{
		{"other path", at("/oauth2/nothing"), 404, `{"message":"Not Found"}`},
		{"method", get, 405, `{"message":"Method Not Allowed"}`},
		{"no account", sandboxtest.Good("qmatic").Without("X-Account"), 400, badRequest},
		{"upper case", account("MyBankAB"), 400, badRequest},
		{"blank inside", account("my bank ab"), 400, badRequest},
		{"other account", account("yourbank"), 400, badClient},
		{"other account in form", sandboxtest.Good("qmatic").Set("x-account", "My Bank AB"), 400, badRequest},
		{"no content type", sandboxtest.Good("qmatic").Without("Content-Type"), 400, badRequest},
		{"query", at("/oauth2/token?grant_type=client_credentials"), 400, badRequest},
		{"no grant", sandboxtest.Good("qmatic").WithForm(t, url.Values{"grant_type": nil}), 400, badRequest},
		{"secret twice", sandboxtest.Good("qmatic").WithForm(t, url.Values{"client_secret": {secret}}), 400, badRequest},
		{"no credentials", sandboxtest.Good("qmatic").Without("Authorization"), 400, badClient},
		{"secret in form", sandboxtest.Good("qmatic").Without("Authorization").WithForm(t,
			url.Values{"client_id": {"sandbox-qmatic"}, "client_secret": {secret}}), 400, badClient},
		{"wrong secret", sandboxtest.Good("qmatic").As("sandbox-qmatic", "x"), 400, badClient},
		{
			"encoded secret", sandboxtest.Good("qmatic").WithHeader("Authorization", sandboxtest.FormBasic("sandbox-qmatic", secret)),
			400, badClient,
		},
		{"other client id", sandboxtest.Good("qmatic").Set("client_id", "x"), 400, badClient},
		{"unknown scope", sandboxtest.Good("qmatic").Set("scope", "book"), 400, `{"error":"invalid_scope"}`},
		{"code", sandboxtest.Good("qmatic").Set("grant_type", "authorization_code"), 400, `{"error":"unauthorized_client"}`},
		{"unknown grant", sandboxtest.Good("qmatic").Set("grant_type", "magic"), 400, `{"error":"unsupported_grant_type"}`},
		{"refresh", sandboxtest.Good("qmatic").Set("grant_type", "refresh_token"), 400, `{"error":"invalid_grant"}`},
	})
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("qmatic")))
	c.Advance(999 * time.Millisecond)
	got := sandboxtest.Do(t, s, sandboxtest.Good("qmatic"))
	if got.Status != 429 || strings.TrimSpace(got.Body) != `{"message":"Too Many Requests"}` {
		t.Errorf("status %d, %s", got.Status, got.Body)
	}
	c.Advance(time.Millisecond)
	sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good("qmatic")))
}
