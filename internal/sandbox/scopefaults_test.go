package sandbox

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

const qmaticPrefix = "com.qmatic.saas.appointments/external.appointment."

// scopesOfReply are those that the reply names or, where it names none, those remembered.
func scopesOfReply(t *testing.T, s *Server, r result) string {
	t.Helper()
	fields := wantToken(t, r)
	if scope, ok := fields["scope"]; ok {
		return text(t, scope)
	}
	token := text(t, fields["access_token"])
	return issued(s, "qmatic", token).Scope
}

// A client that has only some of the scopes: what is asked, and what it gets, which is
// empty for a refusal with the status and the code of the service.
func TestFaultClientScopes(t *testing.T) {
	t.Parallel()
	const pexip = `"engage:forms:readOnly","engage:forms:readWrite"`
	const talkdesk, qmatic = `"apps:read","voicebiometrics-enroll:write"`, `"` + qmaticPrefix + `cancel"`
	for _, row := range []struct {
		service, fault, asked, got string
		status                     int
	}{
		{"pexip", pexip, "engage:forms:readWrite", "engage:forms:readWrite profile email", 200},
		{"pexip", pexip, "openid email", "openid email profile", 200},
		{"pexip", pexip, "", "profile email", 200},
		{"pexip", pexip, "engage:forms:readOnly engage:offices:readOnly", "", 400},
		{"pexip", "", "engage:forms:readOnly", "", 400},
		{"talkdesk", talkdesk, "voicebiometrics-enroll:write", "voicebiometrics-enroll:write", 200},
		{"talkdesk", talkdesk, "", "apps:read voicebiometrics-enroll:write", 200},
		{"talkdesk", talkdesk, "apps:read apps:write", "", 401},
		{"talkdesk", "", "apps:read", "", 401},
		{"qmatic", qmatic, qmaticPrefix + "cancel", qmaticPrefix + "cancel", 200},
		{"qmatic", qmatic, qmaticPrefix + "book", "", 400},
		{"qmatic", "", qmaticPrefix + "book", "", 400},
	} {
		s, _ := start(t, Options{})
		addFault(t, s, `{"client_scopes":[`+row.fault+`]}`)
		c := good(row.service)
		if row.asked != "" {
			c = c.set("scope", row.asked)
		}
		got := do(t, s, c)
		if got.status != row.status {
			t.Errorf("%s, %q: status %d, %s", row.service, row.asked, got.status, got.body)
			continue
		}
		if row.status != 200 {
			if code := got.fields(t)["error"]; code != "invalid_scope" {
				t.Errorf("%s, %q: error %v", row.service, row.asked, code)
			}
			continue
		}
		if scope := scopesOfReply(t, s, got); scope != row.got {
			t.Errorf("%s, %q: got %q, want %q", row.service, row.asked, scope, row.got)
		}
	}
}

func TestFaultNarrow(t *testing.T) {
	t.Parallel()
	const two = `,"client_scopes":["engage:forms:readOnly","engage:offices:readOnly","apps:read","` + qmaticPrefix + `cancel"]`
	for _, row := range []struct {
		service, fault, asked, got string
		status                     int
	}{
		{
			"pexip", two, "engage:regions:readOnly engage:offices:readOnly engage:forms:readOnly",
			"engage:offices:readOnly engage:forms:readOnly profile email", 200,
		},
		{"pexip", two, "engage:regions:readOnly", "profile email", 200},
		{"pexip", "", "engage:nothing:readOnly engage:forms:readOnly", "engage:forms:readOnly profile email", 200},
		{"talkdesk", two, "apps:write apps:read", "apps:read", 200},
		{"talkdesk", two, "apps:write", "", 401},
		{"talkdesk", "", "voicebiometrics-enroll:write apps:write", "apps:write", 200},
		{"qmatic", two, qmaticPrefix + "book " + qmaticPrefix + "cancel", qmaticPrefix + "cancel", 200},
		{"qmatic", two, qmaticPrefix + "book", "", 400},
	} {
		s, _ := start(t, Options{})
		addFault(t, s, `{"narrow":true`+row.fault+`}`)
		got := do(t, s, good(row.service).set("scope", row.asked))
		if got.status != row.status {
			t.Errorf("%s, %q: status %d, %s", row.service, row.asked, got.status, got.body)
			continue
		}
		if row.status == 200 && scopesOfReply(t, s, got) != row.got {
			t.Errorf("%s, %q: got %s, want %q", row.service, row.asked, got.body, row.got)
		}
	}
}

// A scope that is pending is refused, or left out with narrow, until the fault is gone.
func TestFaultScopePending(t *testing.T) {
	t.Parallel()
	const cancel, book = qmaticPrefix + "cancel", qmaticPrefix + "book"
	for _, row := range []struct {
		service, had, added string
		status              int
	}{
		{"pexip", "engage:forms:readOnly", "engage:offices:readOnly", 400},
		{"talkdesk", "apps:read", "apps:write", 401},
		{"qmatic", cancel, book, 400},
	} {
		s, clock := start(t, Options{})
		asked := good(row.service).set("scope", row.had+" "+row.added)
		pending := `{"service":"` + row.service + `","scope_pending":["` + row.added + `"],"times":1`
		addFault(t, s, pending+`}`)
		if got := do(t, s, asked); got.status != row.status || got.fields(t)["error"] != "invalid_scope" {
			t.Errorf("%s: status %d, %s", row.service, got.status, got.body)
		}
		clock.advance(time.Second)
		addFault(t, s, pending+`,"narrow":true}`)
		if scope := scopesOfReply(t, s, do(t, s, asked)); !strings.Contains(scope, row.had) || strings.Contains(scope, row.added) {
			t.Errorf("%s: narrowed to %q", row.service, scope)
		}
		clock.advance(time.Second)
		if scope := scopesOfReply(t, s, do(t, s, asked)); !strings.Contains(scope, row.added) {
			t.Errorf("%s: afterwards %q", row.service, scope)
		}
	}
}

// What is narrowed is so in the token too.
func TestFaultNarrowInTheToken(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	addFault(t, s, `{"narrow":true,"client_scopes":["engage:forms:readOnly","apps:read"]}`)
	asked := "engage:forms:readOnly engage:offices:readOnly"
	fields := wantToken(t, do(t, s, good("pexip").set("scope", asked)))
	_, claims := verifyES256(t, publicOf(s.services[0].Signer), text(t, fields["access_token"]))
	if scope := text(t, claims["scope"]); strings.Contains(scope, "offices") || scope != fields["scope"] {
		t.Errorf("pexip: claim %q, reply %q", scope, fields["scope"])
	}
	c.advance(time.Second)
	fields = wantToken(t, do(t, s, good("talkdesk").set("scope", "apps:read apps:write")))
	_, claims = verifyES256(t, publicOf(s.services[1].Signer), text(t, fields["access_token"]))
	if list, ok := claims["scope"].([]any); !ok || len(list) != 1 || list[0] != "apps:read" {
		t.Errorf("talkdesk: claim %v", claims["scope"])
	}
}

// A login is refused or narrowed as client credentials are; openid is not Builder's to grant.
func TestFaultClientScopesInALogin(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	asked := url.Values{"scope": {"openid apps:read apps:write"}}
	addFault(t, s, `{"service":"talkdesk","client_scopes":["apps:read"]}`)
	got := do(t, s, get(authorizePath("talkdesk", asked)))
	if query := callbackQuery(t, got.header.Get("Location")); query.Get("error") != "invalid_scope" {
		t.Errorf("refused: %v", query)
	}
	s.ClearFaults()
	addFault(t, s, `{"service":"talkdesk","client_scopes":["apps:read"],"narrow":true}`)
	if fields := userToken(t, s, "talkdesk", asked); fields["scope"] != "openid apps:read" {
		t.Errorf("narrowed: %v", fields["scope"])
	}
}
