package scopes

import (
	"slices"

	"github.com/authctl/authctl/internal/providers"
)

// Presence says whether a scope is somewhere. In JSON it is true, false or null.
type Presence int

// The zero value is NotKnown.
const (
	NotKnown Presence = iota
	No
	Yes
)

// String is "yes", "no" or "not known".
func (p Presence) String() string {
	return [...]string{"not known", "no", "yes"}[p]
}

// MarshalJSON writes true, false or null.
func (p Presence) MarshalJSON() ([]byte, error) {
	return []byte([...]string{"null", "false", "true"}[p]), nil
}

// Sides are the places in which a scope can be, as lists of names. Nil and empty
// differ: nil is a side that says nothing.
type Sides struct {
	// Configured are the profile's, Requested those that were sent.
	Configured, Requested []string
	// Granted is the reply's scope. Nil means as requested (RFC 6749 §5.1), and is
	// not known when nothing was requested.
	Granted []string
	// InToken is Claims.Scopes of a JWT; nil for an opaque token too.
	InToken []string
	// Introspected is Claims.Scopes of an introspection, nil when nobody asked.
	Introspected []string
	// Catalogue says what the scopes open.
	Catalogue providers.Catalogue
}

// Row is one scope with all that is known of it.
type Row struct {
	Name         string   `json:"scope"`
	Configured   bool     `json:"configured"`
	Requested    bool     `json:"requested"`
	Granted      Presence `json:"granted"`
	InToken      Presence `json:"in_token"`
	Introspected Presence `json:"introspected"`
	// Missing: it was requested, and some side says that it is not in effect.
	Missing bool `json:"missing"`
	// Extra: it came unasked, which is no error (Keycloak's default scopes do).
	Extra bool `json:"extra"`
	// Known is the catalogue's entry, zero but for the name where there is none.
	Known providers.KnownScope `json:"-"`
}

// InEffect is the strictest of what the sides say: one "no" outweighs all.
func (r Row) InEffect() Presence {
	sides := []Presence{r.Granted, r.InToken, r.Introspected}
	if slices.Contains(sides, No) {
		return No
	}
	return slices.Max(sides)
}

// Compare puts the sides beside each other: the configured scopes first, then the
// other requested ones, then what came unasked, sorted.
//
// The names of all sides are made fit to be shown, each in the same way: one that no
// scope can have (Valid) is then in quotes.
func Compare(s Sides) []Row {
	s = s.shown()
	given := s.Granted
	if given == nil && len(s.Requested) > 0 {
		given = s.Requested
	}
	came := slices.Sorted(slices.Values(slices.Concat(given, s.InToken, s.Introspected)))
	var rows []Row
	for _, name := range Unique(s.Configured, s.Requested, came) {
		r := Row{
			Name: name, Configured: slices.Contains(s.Configured, name), Requested: slices.Contains(s.Requested, name),
			Granted: presence(given, name), InToken: presence(s.InToken, name),
			Introspected: presence(s.Introspected, name), Known: providers.KnownScope{Name: name},
		}
		if known, ok := s.Catalogue.Lookup(name); ok {
			r.Known = known
		}
		r.Missing = r.Requested && r.InEffect() == No
		// Without a request the service decides, and nothing it gives is too much.
		r.Extra = !r.Requested && len(s.Requested) > 0 && slices.Contains(came, name)
		rows = append(rows, r)
	}
	return rows
}

// shown are the sides with names fit to be shown. What is nil stays so.
func (s Sides) shown() Sides {
	for _, side := range []*[]string{&s.Configured, &s.Requested, &s.Granted, &s.InToken, &s.Introspected} {
		*side = slices.Clone(*side)
		for i, name := range *side {
			(*side)[i] = shown(name)
		}
	}
	return s
}

// InEffect are the names of the rows that surely are in effect, for Missing.
func InEffect(rows []Row) []string {
	names := []string{}
	for _, r := range rows {
		if r.InEffect() == Yes {
			names = append(names, r.Name)
		}
	}
	return names
}

// Missing returns what of want is not in have, each once, in want's order.
func Missing(have, want []string) []string {
	return slices.DeleteFunc(Unique(want), func(name string) bool { return slices.Contains(have, name) })
}

// Common returns what of want is in have, each once, in want's order.
func Common(want, have []string) []string { return Missing(Missing(have, want), want) }

func presence(side []string, name string) Presence {
	switch {
	case side == nil:
		return NotKnown
	case slices.Contains(side, name):
		return Yes
	default:
		return No
	}
}

// Unique joins lists and keeps the first of equal names, in their order. It is nil when there are none.
func Unique(lists ...[]string) []string {
	var names []string
	seen := map[string]bool{}
	for _, name := range slices.Concat(lists...) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}
