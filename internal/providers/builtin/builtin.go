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
func Services() providers.Services {
	return providers.Services{
		{Name: "pexip", Spec: pexip.Spec},
		{Name: "talkdesk", Spec: talkdesk.Spec},
		{Name: "qmatic", Spec: qmatic.Spec},
		{Name: "genesys", Spec: genesys.Spec},
		{Name: "oauth2", Spec: oauth2.Spec},
	}
}
