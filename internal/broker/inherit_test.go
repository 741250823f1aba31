package broker

import (
	"testing"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/google/go-cmp/cmp"
)

// A refresh reply that says "no scope" is not one that says nothing (RFC 6749 §5.1).
func TestInheritTellsNoScopeFromSilence(t *testing.T) {
	t.Parallel()
	old := oauth.Token{Scope: []string{"a"}}
	for _, c := range []struct{ came, want []string }{
		{nil, []string{"a"}}, {[]string{}, []string{}}, {[]string{"b"}, []string{"b"}},
	} {
		if diff := cmp.Diff(c.want, inherit(oauth.Token{Scope: c.came}, old).Scope); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.came, diff)
		}
	}
}
