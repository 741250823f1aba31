package cli

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/term"
)

// TestPanicShowsNoValue has a library that panics with what it holds.
func TestPanicShowsNoValue(t *testing.T) {
	t.Parallel()
	var none map[string]string
	for name, broken := range map[string]func(){
		"text":    func() { panic("fake-secret") },
		"runtime": func() { none["fake-secret"] = "fake-secret" },
	} {
		var said bytes.Buffer
		looked := false
		code := Main(t.Context(), verb.World{
			Args:    []string{"token", "list"},
			Streams: term.Streams{Out: &said, Err: &said},
			LookupEnv: func(string) (string, bool) {
				if !looked {
					looked = true
					broken()
				}
				return "", false
			},
		})
		want := regexp.MustCompile(`^authctl: error: authctl is broken in \S+, line \d+ of broken_test\.go(: assignment to entry in nil map)?; please report it\n$`)
		if code != 1 || !want.MatchString(said.String()) {
			t.Errorf("%s: code %d, %q", name, code, said.String())
		}
	}
}
