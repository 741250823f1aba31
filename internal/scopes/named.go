package scopes

import (
	"cmp"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/providers"
)

// Named are the scopes that a text is about which is no error, and whether each of them is
// meant: those it names, else any that opens the API whose name, or a part of it, the text
// is, else words that look like scopes or are among asked.
func Named(text string, services []providers.Spec, asked []string) (names []string, each bool) {
	words, isKnown := strings.Fields(text), unmistakable(services)
	for _, word := range words {
		if isKnown(word) || len(words) == 1 && slices.Contains(namesOf(services), word) {
			names = append(names, word)
		}
	}
	if len(names) > 0 {
		return Unique(names), true
	}
	for _, service := range services {
		if service.Catalogue != nil {
			for _, known := range opening(service.Catalogue(), text) {
				names = append(names, known.Name)
			}
		}
	}
	if len(names) > 0 {
		return Unique(names), false
	}
	odd := func(word string) bool {
		return !Valid(word) || !strings.ContainsAny(word, ":./") && !slices.Contains(asked, word)
	}
	if slices.ContainsFunc(words, odd) {
		return nil, false
	}
	return Unique(words), true
}

// opening returns the scopes of a catalogue that open an API, given by a part of its name
// in any case; of an API that has just that name only its own. Where the catalogue names
// no API, the scopes' own names count.
func opening(catalogue providers.Catalogue, api string) []providers.KnownScope {
	api = strings.ToLower(strings.TrimSpace(api))
	var found, exact []providers.KnownScope
	for _, scope := range catalogue.Scopes {
		name := strings.ToLower(cmp.Or(scope.API, scope.Name))
		if api != "" && strings.Contains(name, api) {
			found = append(found, scope)
		}
		if name == api {
			exact = append(exact, scope)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return found
}

// Found is a scope of a service's catalogue; of no service's, with its name alone.
type Found struct {
	Provider string `json:"provider"`
	providers.KnownScope
}

// Find finds scopes in the services' catalogues.
func Find(names []string, services []providers.Spec) []Found {
	found := []Found{}
	for _, name := range names {
		before := len(found)
		for _, service := range services {
			if service.Catalogue == nil {
				continue
			}
			if known, ok := service.Catalogue().Lookup(name); ok {
				found = append(found, Found{Provider: service.Name, KnownScope: known})
			}
		}
		if len(found) == before {
			found = append(found, Found{KnownScope: providers.KnownScope{Name: name}})
		}
	}
	return found
}

// Spelling is a scope that differs in case only, empty when there is none.
func Spelling(name string, services []providers.Spec) string {
	for _, service := range services {
		for _, c := range Check(service, []string{name}) {
			if c.Kind == WrongCase {
				return c.Suggestion
			}
		}
	}
	return ""
}

// namesOf are the names that some service knows.
func namesOf(services []providers.Spec) (names []string) {
	for _, service := range services {
		names = append(names, knownNames(service)...)
	}
	return names
}

// unmistakable tells the names of scopes that are no word of a text as well.
func unmistakable(services []providers.Spec) func(word string) bool {
	known := namesOf(services)
	return func(word string) bool { return strings.ContainsAny(word, ":/") && slices.Contains(known, word) }
}

// wordsOf splits a text at everything that no scope of a catalogue has.
func wordsOf(text string) []string {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:./-_*"
	words := strings.FieldsFunc(text, func(r rune) bool { return !strings.ContainsRune(allowed, r) })
	for i, word := range words {
		words[i] = strings.Trim(word, ":.")
	}
	return words
}
