package cli

import (
	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/spf13/cobra"
)

// app is one run of the program.
type app struct{ *verb.Deps }

func made(make func() *cobra.Command) func(*verb.Deps) *cobra.Command {
	return func(*verb.Deps) *cobra.Command { return make() }
}
