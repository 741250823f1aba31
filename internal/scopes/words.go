package scopes

import (
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/providers"
)

// Opens says in a few words what a scope opens, empty when nobody knows. Where the
// API is in the scope's own name, the page's words say more.
func Opens(k providers.KnownScope) string {
	if k.API == "" || strings.Contains(k.Name, k.API) {
		return k.About
	}
	return k.API
}

// OpensIn is Opens for a scope of a catalogue: where that has one API only, its name
// tells no scope from another, and the page's words do.
func OpensIn(c providers.Catalogue, k providers.KnownScope) string {
	another := func(other providers.KnownScope) bool { return other.API != k.API }
	if k.About != "" && !slices.ContainsFunc(c.Scopes, another) {
		return k.About
	}
	return Opens(k)
}

// OpensInFull says that and what it is for.
func OpensInFull(k providers.KnownScope) string {
	text := Opens(k)
	if k.About != "" && text != k.About {
		text += ": " + k.About
	}
	return text
}

// WithMeaning are names, each with what it opens.
func WithMeaning(service providers.Spec, names []string) string {
	catalogue := CatalogueOf(service)
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = name
		known, _ := catalogue.Lookup(name)
		if text := OpensIn(catalogue, known); text != "" {
			words[i] += " (" + text + ")"
		}
	}
	return strings.Join(words, ", ")
}

// CatalogueOf is what a service's pages name, empty where there is no list.
func CatalogueOf(service providers.Spec) providers.Catalogue {
	if service.Catalogue == nil {
		return providers.Catalogue{}
	}
	return service.Catalogue()
}

// Corrected replaces the names that are surely or probably slips.
func Corrected(service providers.Spec, names []string) []string {
	better := slices.Clone(names)
	for _, c := range Check(service, names) {
		if c.Suggestion != "" {
			better[slices.Index(names, c.Name)] = c.Suggestion
		}
	}
	return Unique(better)
}

// Union is a list and what it lacks of another, in their order.
func Union(list, more []string) []string {
	return append(slices.Clone(list), Missing(list, more)...)
}
