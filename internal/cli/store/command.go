// Package store is where tokens are kept: it sets the file store up, and tells which store is
// used and why.
package store

import (
	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/spf13/cobra"
)

// Command returns the command `store`.
func Command(d *verb.Deps) *cobra.Command {
	return d.Group("store", "Where tokens are kept: set it up, or see which store is used and why",
		verb.Made{Name: "init", Make: newSetUp}, verb.Made{Name: "show", Make: newShow})
}
