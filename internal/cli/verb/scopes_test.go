package verb

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// What is to be pasted into a profile has to be read as it was meant.
func TestScopesLineIsYAML(t *testing.T) {
	t.Parallel()
	names := []string{
		"contacts:read", "com.qmatic.saas.appointments/external.appointment.book", "*", "openid", "true", "No", "12", "1.5",
		"a:", ":a", "-a", "it's", "a#b", "a, b", "[x]", "", "~",
	}
	var read struct{ Scopes []any }
	if err := yaml.Unmarshal([]byte(scopesLine(names)), &read); err != nil {
		t.Fatal(err)
	}
	want := []any{}
	for _, name := range names {
		want = append(want, name)
	}
	if diff := cmp.Diff(want, read.Scopes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if line := scopesLine(names[:1]); line != "scopes: [contacts:read]" {
		t.Errorf("quoted where it need not be: %s", line)
	}
}
