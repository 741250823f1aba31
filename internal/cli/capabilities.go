package cli

import (
	"strings"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/builtin"
)

// verb is a command that asks a service, and which services have it.
type verb struct {
	name string
	has  func(providers.Service) bool
}

// verbs are read off the adapters' method sets: what the table says is what is there.
func verbs() []verb {
	always := func(providers.Service) bool { return true }
	return []verb{
		{"token get", always},
		{"token inspect", always},
		{"login", implements[providers.LoginStarter]},
		{"userinfo", implements[providers.UserInfoer]},
		{"ping", implements[providers.Pinger]},
		{"signout", implements[providers.SignOuter]},
		{"passwd", implements[providers.PasswordChanger]},
		{"token revoke", implements[providers.Revoker]},
		{"token introspect", implements[providers.Introspector]},
		{"scopes list", always},
		{"scopes list --live", implements[providers.ScopeLister]},
		{"scopes check", always},
		{"scopes probe", always},
		{"scopes wait", always},
	}
}

func implements[T any](s providers.Service) bool {
	_, ok := s.Prototype.(T)
	return ok
}

// verbsOf returns the names of the verbs that a service has.
func verbsOf(s providers.Service) []string {
	names := []string{}
	for _, v := range verbs() {
		if v.has(s) {
			names = append(names, v.name)
		}
	}
	return names
}

// CapabilityTable returns the table of services and verbs in Markdown, for the
// generator of the documentation.
func CapabilityTable() string {
	services := builtin.Services()
	var b strings.Builder
	b.WriteString("| |")
	for _, s := range services {
		b.WriteString(" " + s.Title + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat(":-:|", len(services)) + "\n")
	for _, v := range verbs() {
		b.WriteString("| `" + v.name + "` |")
		for _, s := range services {
			if v.has(s) {
				b.WriteString(" yes |")
			} else {
				b.WriteString(" – |")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
