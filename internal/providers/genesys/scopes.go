package genesys

import (
	_ "embed"

	"github.com/authctl/authctl/internal/providers"
)

//go:embed scopes.json
var scopesJSON string

// catalogue returns the scopes of the vendor's page.
func catalogue() providers.Catalogue { return providers.DecodeCatalogue(scopesJSON) }
