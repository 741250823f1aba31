package cli

import "testing"

func TestVersionText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ version, commit, want string }{
		{"development", "", "development"},
		{"0.1.0", "1a2b3c4", "0.1.0 1a2b3c4"},
		{"0.1.1-snapshot.g1a2b3c4", "1a2b3c4", "0.1.1-snapshot.g1a2b3c4"},
	} {
		if got := versionText(c.version, c.commit); got != c.want {
			t.Errorf("%q at %q is %q, want %q", c.version, c.commit, got, c.want)
		}
	}
}
