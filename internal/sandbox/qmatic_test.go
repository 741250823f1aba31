package sandbox

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestQmaticToken(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	const prefix = "com.qmatic.saas.appointments/external.appointment."
	for name, form := range map[string]url.Values{
		"no scope":      {},
		"two scopes":    {"scope": {prefix + "book " + prefix + "cancel"}},
		"account field": {"x-account": {"mybankab"}, "scope": {prefix + "reschedule"}},
		"client id":     {"client_id": {"sandbox-qmatic"}},
	} {
		c.advance(time.Second)
		fields := wantToken(t, do(t, s, good("qmatic").withForm(t, form)))
		if token := text(t, fields["access_token"]); !strings.Contains(token, Marker) {
			t.Errorf("%s: token %q", name, token)
		}
		delete(fields, "access_token")
		if diff := cmp.Diff(map[string]any{"expires_in": 3600.0, "token_type": "Bearer"}, fields); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestQmaticRefusals(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	get := good("qmatic")
	get.method, get.body = "GET", ""
	at := func(path string) call { c := good("qmatic"); c.path = path; return c }
	account := func(name string) call { return good("qmatic").withHeader("X-Account", name) }
	const (
		badRequest = `{"error":"invalid_request"}`
		badClient  = `{"error":"invalid_client"}`
		secret     = Marker + "+qmatic%:raw"
	)
	runRefusals(t, s, func() { c.advance(time.Second) }, []refusal{
		{"other path", at("/oauth2/nothing"), 404, `{"message":"Not Found"}`},
		{"method", get, 405, `{"message":"Method Not Allowed"}`},
		{"no account", good("qmatic").without("X-Account"), 400, badRequest},
		{"upper case", account("MyBankAB"), 400, badRequest},
		{"blank inside", account("my bank ab"), 400, badRequest},
		{"other account", account("yourbank"), 400, badClient},
		{"other account in form", good("qmatic").set("x-account", "My Bank AB"), 400, badRequest},
		{"no content type", good("qmatic").without("Content-Type"), 400, badRequest},
		{"query", at("/oauth2/token?grant_type=client_credentials"), 400, badRequest},
		{"no grant", good("qmatic").withForm(t, url.Values{"grant_type": nil}), 400, badRequest},
		{"secret twice", good("qmatic").withForm(t, url.Values{"client_secret": {secret}}), 400, badRequest},
		{"no credentials", good("qmatic").without("Authorization"), 400, badClient},
		{"secret in form", good("qmatic").without("Authorization").withForm(t,
			url.Values{"client_id": {"sandbox-qmatic"}, "client_secret": {secret}}), 400, badClient},
		{"wrong secret", good("qmatic").as("sandbox-qmatic", "x"), 400, badClient},
		{
			"encoded secret", good("qmatic").withHeader("Authorization", formBasic("sandbox-qmatic", secret)),
			400, badClient,
		},
		{"other client id", good("qmatic").set("client_id", "x"), 400, badClient},
		{"unknown scope", good("qmatic").set("scope", "book"), 400, `{"error":"invalid_scope"}`},
		{"code", good("qmatic").set("grant_type", "authorization_code"), 400, `{"error":"unauthorized_client"}`},
		{"unknown grant", good("qmatic").set("grant_type", "magic"), 400, `{"error":"unsupported_grant_type"}`},
		{"refresh", good("qmatic").set("grant_type", "refresh_token"), 400, `{"error":"invalid_grant"}`},
	})
}

func TestQmaticRateLimit(t *testing.T) {
	t.Parallel()
	for _, after := range []string{"", "1"} {
		s, c := start(t, Options{QmaticRetryAfter: after})
		wantToken(t, do(t, s, good("qmatic")))
		c.advance(999 * time.Millisecond)
		got := do(t, s, good("qmatic"))
		if got.status != 429 || strings.TrimSpace(got.body) != `{"message":"Too Many Requests"}` {
			t.Errorf("status %d, %s", got.status, got.body)
		}
		if h := got.header.Get("Retry-After"); h != after {
			t.Errorf("Retry-After %q, want %q", h, after)
		}
		c.advance(time.Millisecond)
		wantToken(t, do(t, s, good("qmatic")))
	}
}

func TestQmaticRateLimitCountsFailures(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	wrong := good("qmatic").as("sandbox-qmatic", "x")
	if got := do(t, s, wrong); got.status != 400 {
		t.Errorf("first: status %d", got.status)
	}
	if got := do(t, s, good("qmatic")); got.status != 429 {
		t.Errorf("second: status %d", got.status)
	}
}

func TestQmaticNoRateLimit(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{QmaticInterval: -1})
	for range 3 {
		wantToken(t, do(t, s, good("qmatic")))
	}
}
