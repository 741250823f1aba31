package providers

import (
	"encoding/json"
	"slices"
)

// Catalogue is what a vendor's page says of its service's scopes. The pages grow: a
// scope that is missing here may still exist.
type Catalogue struct {
	// Page is the address of the vendor's page.
	Page string `json:"page"`
	// Scopes are in the page's order.
	Scopes []KnownScope `json:"scopes"`
}

// DecodeCatalogue reads a catalogue from JSON. The services embed theirs as text and
// read it when it is asked for, so that other commands do not pay for it. Text that
// is no catalogue gives an empty one: a scope that is not listed is never refused.
func DecodeCatalogue(text string) Catalogue {
	var c Catalogue
	if json.Unmarshal([]byte(text), &c) != nil {
		return Catalogue{}
	}
	return c
}

// Lookup returns the entry of a scope, spelt exactly so; false when there is none.
func (c Catalogue) Lookup(name string) (KnownScope, bool) {
	i := slices.IndexFunc(c.Scopes, func(s KnownScope) bool { return s.Name == name })
	if i < 0 {
		return KnownScope{}, false
	}
	return c.Scopes[i], true
}

// Documented are the names on the vendor's page, without the newer ones.
func (c Catalogue) Documented() []string {
	var names []string
	for _, s := range c.Scopes {
		if !s.Newer {
			names = append(names, s.Name)
		}
	}
	return names
}

// Accesses returns the values of KnownScope.Access, in the order of their reach.
func Accesses() []string { return []string{"read", "write", "manage", "start"} }

// KnownScope is one entry of a Catalogue.
type KnownScope struct {
	// Name is what is asked for, in the vendor's spelling; case matters.
	Name string `json:"scope"`
	// Access is "read", "write", "manage" or "start"; empty where the page does not
	// say.
	Access string `json:"access"`
	// API is the API that the scope opens, as the page calls it, or for Pexip the
	// resource in the scope's name ("appointments"); empty where there is neither.
	API string `json:"api"`
	// About says what that is for, in the page's words; may be empty.
	About string `json:"about"`
	// Newer says that the page which the catalogue follows does not have it yet; About says
	// where it is known from.
	Newer bool `json:"newer,omitempty"`
}
