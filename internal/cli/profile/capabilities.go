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
			if s.Has(v) {
				b.WriteString(" yes |")
			} else {
				b.WriteString(" – |")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
