package scopes

import (
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/builtin"
	"github.com/google/go-cmp/cmp"
)

// service is one of the real ones.
func service(t *testing.T, name string) providers.Spec {
	t.Helper()
	services := builtin.Services().All()
	i := slices.IndexFunc(services, func(s providers.Spec) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no service %s", name)
	}
	return services[i]
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ service, names, want string }{
		{"pexip", "engage:appointments:readOnly openid profile email", ""},
		{
			"pexip", "engage:appointments:readonly",
			"scope engage:appointments:readonly is not in the catalogue of Pexip Engage: " +
				"case matters, did you mean engage:appointments:readOnly?",
		},
		{
			"pexip", "engage:appointment:readOnly",
			"scope engage:appointment:readOnly is not in the catalogue of Pexip Engage; did you mean engage:appointments:readOnly?",
		},
		{
			"pexip", "engage:forms:write",
			"scope engage:forms:write is not in the catalogue of Pexip Engage; did you mean engage:forms:readWrite?",
		},
		{
			"pexip", "webhooks:readWrite",
			"scope webhooks:readWrite is not in the catalogue of Pexip Engage; did you mean engage:webhooks:readWrite?",
		},
		{"talkdesk", "contacts:read openid", ""},
		{"talkdesk", "users:write", "scope users:write is not in the catalogue of Talkdesk; did you mean users:read?"},
		{"talkdesk", "OpenID", "scope OpenID is not in the catalogue of Talkdesk: case matters, did you mean openid?"},
		{
			"talkdesk", "quarks:read quarks:read",
			"scope quarks:read is not in the catalogue of Talkdesk, which may be older than the scope",
		},
		{
			"qmatic", "external.appointment.book",
			"scope external.appointment.book is not in the catalogue of Qmatic Cloud Appointments; " +
				"did you mean com.qmatic.saas.appointments/external.appointment.book?",
		},
		{
			"qmatic", "openid",
			"scope openid is not in the catalogue of Qmatic Cloud Appointments, which may be older than the scope",
		},
		{"genesys", "*", ""},
		{"genesys", "openid", "scope openid is pointless: Genesys Multicloud CX takes only *"},
		{
			"talkdesk", "a\x1b[31m",
			`scope "a [31m" is not in the catalogue of Talkdesk, which may be older than the scope`,
		},
	} {
		var lines []string
		for _, warning := range Check(service(t, c.service), strings.Split(c.names, " ")) {
			lines = append(lines, warning.String())
		}
		if diff := cmp.Diff(c.want, strings.Join(lines, "\n")); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", c.service, c.names, diff)
		}
	}
}

func TestCheckWithoutCatalogue(t *testing.T) {
	t.Parallel()
	if got := Check(providers.Spec{}, []string{"a"}); got != nil {
		t.Errorf("%v", got)
	}
}
