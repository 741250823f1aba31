// Package builtin lists the services that authctl knows. The list is explicit:
// what is not here is not in the program.
package builtin

import (
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/genesys"
	"github.com/authctl/authctl/internal/providers/oauth2"
	"github.com/authctl/authctl/internal/providers/pexip"
	"github.com/authctl/authctl/internal/providers/qmatic"
	"github.com/authctl/authctl/internal/providers/talkdesk"
)

// Services returns the services in the order in which listings show them.
func Services() []providers.Spec {
	return []providers.Spec{pexip.Spec(), talkdesk.Spec(), qmatic.Spec(), genesys.Spec(), oauth2.Spec()}
}
