package challenge

import (
	"net/http"
	"testing"

	"github.com/authctl/authctl/internal/secret"
	"github.com/google/go-cmp/cmp"
)

func TestParseChallenge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		lines []string
		want  Challenge
	}{
		{"none", nil, Challenge{}},
		{"empty realm", []string{"Basic realm="}, Challenge{Scheme: "Basic"}},
		{"scheme alone", []string{"Negotiate"}, Challenge{Scheme: "Negotiate"}},
		{"token68", []string{"Negotiate YWJj=="}, Challenge{Scheme: "Negotiate"}},
		{
			"bearer",
			[]string{`Bearer realm="r 1", error="insufficient_scope", error_description="need \"openid\"", scope="openid email"`},
			Challenge{Scheme: "Bearer", Realm: "r 1", Error: "insufficient_scope", Description: `need "openid"`, Scope: "openid email"},
		},
		{
			"the one with an error wins",
			[]string{`Basic realm="b", Bearer error=invalid_token , error_description = x`},
			Challenge{Scheme: "Bearer", Error: "invalid_token", Description: "x"},
		},
		{"in another line", []string{"Basic realm=b", "Bearer error=invalid_token"}, Challenge{Scheme: "Bearer", Error: "invalid_token"}},
		{"hostile", []string{"Bearer error=\"a\u202eb\x1b[0m"}, Challenge{Scheme: "Bearer", Error: "ab [0m"}},
		{"our secret", []string{`Bearer error="x", error_description="sent fake-secret"`}, Challenge{Scheme: "Bearer", Error: "x", Description: secret.Redacted}},
		{"broken", []string{`="`, `Bearer "x`, `,,,`}, Challenge{Scheme: "Bearer"}},
	} {
		got := In(http.Header{"Www-Authenticate": c.lines}, secret.Redactor{"fake-secret"})
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func FuzzChallenge(f *testing.F) {
	f.Add(`Bearer realm="r", error=x, Basic a==`)
	f.Add(`="\`)
	f.Fuzz(func(t *testing.T, line string) {
		c := In(http.Header{"Www-Authenticate": {line}}, nil)
		for _, s := range []string{c.Scheme, c.Realm, c.Error, c.Description, c.Scope} {
			if secret.CleanText(s) != s {
				t.Errorf("%q gives %q", line, s)
			}
		}
	})
}
