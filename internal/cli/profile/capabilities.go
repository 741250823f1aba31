package profile

import (
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/providers"
)

// verbs are the commands that ask a service, or tell of one.
func verbs() []string {
	return []string{
		"token get", "token inspect", providers.Login, providers.UserInfo, providers.Ping, providers.SignOut,
		providers.Passwd, providers.Revoke, providers.Introspect, "scopes list", providers.LiveScopes, "scopes check",
		"scopes probe", "scopes wait",
	}
}

// verbsOf returns the names of the verbs that a service has.
func verbsOf(s providers.Spec) []string {
	return slices.DeleteFunc(verbs(), func(verb string) bool { return !s.Has(verb) })
}

// CapabilityTable returns the table of services and verbs in Markdown.
func CapabilityTable(services []providers.Spec) string {
	var b strings.Builder
	b.WriteString("| |")
	for _, s := range services {
		b.WriteString(" " + s.Title + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat(":-:|", len(services)) + "\n")
	for _, v := range verbs() {
		b.WriteString("| `" + v + "` |")
		for _, s := range services {
			b.WriteString(" " + has(s, v) + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// has says in a cell whether a service has a verb: of a service that only a profile describes it
// is the issuer who has what is asked beside tokens.
func has(s providers.Spec, verb string) string {
	_, asked := s.Operations[verb]
	switch {
	case !s.Has(verb):
		return "–"
	case s.Given != nil && (asked || verb == providers.Login || verb == providers.LiveScopes):
		return "where the issuer has it"
	}
	return "yes"
}
