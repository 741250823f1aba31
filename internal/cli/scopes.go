package cli

import (
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/config"
	"github.com/spf13/cobra"
)

func (a *app) scopes() *cobra.Command {
	return a.Group("scopes", "See which scopes there are, which a client has, and why a call is refused",
		verb.Made{Name: "list", Make: made(a.scopesList)}, verb.Made{Name: "check", Make: made(a.scopesCheck)}, verb.Made{Name: "probe", Make: made(a.scopesProbe)},
		verb.Made{Name: "wait", Make: made(a.scopesWait)}, verb.Made{Name: "explain", Make: made(a.scopesExplain)},
	)
}

// scopesBlock are the lines of a profile that ask for the names, indented for a
// profile as authctl writes it; nothing for none.
func scopesBlock(names []string) string {
	if len(names) == 0 {
		return ""
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = "      - " + config.ListItem(name)
	}
	return "\n    scopes:\n" + strings.Join(quoted, "\n") + "\n"
}
