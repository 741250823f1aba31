// Package scopes has the commands about scopes: which there are, which a client has, and why
// a call is refused.
package scopes

import (
	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/spf13/cobra"
)

// Command returns the group `scopes`.
func Command(d *verb.Deps) *cobra.Command {
	return d.Group("scopes", "See which scopes there are, which a client has, and why a call is refused",
		verb.Made{Name: "list", Make: newList},
		verb.Made{Name: "check", Make: newCheck},
		verb.Made{Name: "probe", Make: newProbe},
		verb.Made{Name: "wait", Make: newWait},
		verb.Made{Name: "explain", Make: newExplain},
	)
}
