package sandbox_test

import (
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandbox/service"
	"github.com/authctl/authctl/internal/sandboxtest"
)

const qmaticPrefix = "com.qmatic.saas.appointments/external.appointment."

// scopesOfReply are those that the reply names or, where it names none, those remembered.
func scopesOfReply(t *testing.T, s *sandbox.Server, r sandboxtest.Result) string {
	t.Helper()
	fields := sandboxtest.WantToken(t, r)
	if scope, ok := fields["scope"]; ok {
		return sandboxtest.Text(t, scope)
	}
	token := sandboxtest.Text(t, fields["access_token"])
	issued, _ := (&service.Exchange{Service: s.Service("qmatic")}).Find(token)
	return issued.Scope
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
		s, _ := sandboxtest.Start(t, sandbox.Options{})
		sandboxtest.AddFault(t, s, `{"client_scopes":[`+row.fault+`]}`)
		c := sandboxtest.Good(row.service)
		if row.asked != "" {
			c = c.Set("scope", row.asked)
		}
		got := sandboxtest.Do(t, s, c)
		if got.Status != row.status {
			t.Errorf("%s, %q: status %d, %s", row.service, row.asked, got.Status, got.Body)
			continue
		}
		if row.status != 200 {
			if code := got.Fields(t)["error"]; code != "invalid_scope" {
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
		s, _ := sandboxtest.Start(t, sandbox.Options{})
		sandboxtest.AddFault(t, s, `{"narrow":true`+row.fault+`}`)
		got := sandboxtest.Do(t, s, sandboxtest.Good(row.service).Set("scope", row.asked))
		if got.Status != row.status {
			t.Errorf("%s, %q: status %d, %s", row.service, row.asked, got.Status, got.Body)
			continue
		}
		if row.status == 200 && scopesOfReply(t, s, got) != row.got {
			t.Errorf("%s, %q: got %s, want %q", row.service, row.asked, got.Body, row.got)
		}
	}
}
