package cli

import (
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/spf13/cobra"
)

// TestNamedCommandsAreTheSame: a command that is made alone is the one of the whole tree.
func TestNamedCommandsAreTheSame(t *testing.T) {
	t.Parallel()
	count := 0
	var walk func(*cobra.Command)
	walk = func(want *cobra.Command) {
		path := strings.Fields(want.CommandPath())[1:]
		alone := newApp(t.Context(), verb.World{Args: path}).root()
		got, rest, err := alone.Find(path)
		if err != nil || len(rest) > 0 || got.CommandPath() != want.CommandPath() {
			t.Errorf("%v: found %v, %v, %v", path, got.CommandPath(), rest, err)
			return
		}
		if got.Long != want.Long || got.LocalFlags().FlagUsages() != want.LocalFlags().FlagUsages() {
			t.Errorf("%v: it has another help when it is made alone", path)
		}
		if len(path) > 0 && len(got.Commands()) != len(want.Commands()) {
			t.Errorf("%v: it has %d commands when it is made alone, want %d", path, len(got.Commands()), len(want.Commands()))
		}
		count++
		for _, below := range want.Commands() {
			walk(below)
		}
	}
	for _, command := range Documentation().Commands() {
		walk(command)
	}
	if count < 30 {
		t.Errorf("only %d commands were looked at", count)
	}
	if n := len(newApp(t.Context(), verb.World{Args: []string{"token", "get"}}).root().Commands()); n > 3 {
		t.Errorf("%d commands are made for one", n)
	}
}
