// Package scan finds where the parts of a configuration file stand, without parsing it: by the
// lines of a small part of YAML that it knows for certain. Whatever it is not sure of, it says so.
package scan

import (
	"strings"
)

// Layout is where the parts of a configuration file stand. It lets one profile be parsed
// without the thousand others, whose parsing costs more than all else that a warm call
// does, and one be changed without touching the others.
type Layout struct {
	// Keys are the keys at the margin, each with all that is below it.
	Keys []Span
	// Profiles and Bases are in the order of the file.
	Profiles, Bases []Span
}

// Span is a part of the text: whole lines, the first of them a key's.
type Span struct {
	Name string
	// Line is the first line, from 1.
	Line int
	// Start and End are offsets in the text.
	Start, End int
}

// Key returns where a key at the margin stands, the zero Span when it is not there.
func (l Layout) Key(name string) Span { return Find(l.Keys, name) }

// Find returns the span of a name, the zero Span when there is none.
func Find(spans []Span, name string) Span {
	for _, s := range spans {
		if s.Name == name {
			return s
		}
	}
	return Span{}
}

// Names returns the names of the profiles.
func (l Layout) Names() []string { return Names(l.Profiles) }

// Names returns the names of spans.
func Names(spans []Span) []string {
	names := make([]string, len(spans))
	for i, s := range spans {
		names[i] = s.Name
	}
	return names
}

// Scalars are the keys at the margin whose value is one text.
func Scalars() []string {
	return []string{
		"default_profile", "store", "store_key", "store_password", "store_sentinel_password",
		"store_tls_certificate", "store_tls_key", "store_tls_password",
	}
}

// IsOwn reports whether a key at the margin is for what its author likes, such as mappings that
// others are made of.
func IsOwn(key string) bool { return strings.HasPrefix(key, "x-") }
