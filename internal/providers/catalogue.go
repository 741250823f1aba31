package providers

import "context"

// Catalogue is what a vendor's page says of its service's scopes. The pages grow: a
// scope that is missing here may still exist.
type Catalogue struct {
	// Page is the address of the vendor's page.
	Page string `json:"page"`
	// Scopes are in the page's order.
	Scopes []KnownScope `json:"scopes"`
}

// KnownScope is one entry of a Catalogue.
type KnownScope struct {
	// Name is what is asked for, in the vendor's spelling; case matters.
	Name string `json:"scope"`
	// Access is "read", "write", "manage" or "start"; empty where the page does not
	// say.
	Access string `json:"access"`
	// API is the API that the scope opens, as the page calls it; empty where it
	// names none.
	API string `json:"api"`
	// About says what that is for, in the page's words; may be empty.
	About string `json:"about"`
}

// ScopeLister is a Provider whose service tells which scopes it knows.
type ScopeLister interface {
	// LiveScopes returns the scopes that the service publishes (scopes_supported of
	// RFC 8414 §2), which are not those that this client may have.
	LiveScopes(ctx context.Context) ([]string, error)
}
