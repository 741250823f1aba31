package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/spf13/cobra"
)

func (a *app) scopes() *cobra.Command {
	return a.group("scopes", "See which scopes there are, which a client has, and why a call is refused",
		a.named("scopes",
			made{"list", a.scopesList}, made{"check", a.scopesCheck}, made{"probe", a.scopesProbe},
			made{"wait", a.scopesWait}, made{"explain", a.scopesExplain},
		)...)
}

// warnOfScopes warns about scopes that the service does not know, each once. Reading a
// catalogue takes time that a token from the cache does not: it is called for what
// was typed just now, and otherwise only when the service is about to be asked.
// origin says where the names come from, empty where that is plain.
func (a *app) warnOfScopes(service providers.Spec, names []string, origin string) {
	if a.flags.quiet || len(names) == 0 {
		return
	}
	for _, c := range scopes.Check(service, names) {
		if slices.Contains(a.warnedOf, c.Name) {
			continue
		}
		a.warnedOf = append(a.warnedOf, c.Name)
		text := c.String()
		if other, ok := a.elsewhere(service, c.Name); ok && c.Suggestion == "" {
			text += "; it is one of " + other
		}
		if origin != "" {
			text += " (" + origin + ")"
		}
		a.warn(text)
	}
}

// elsewhere returns the title of another service that has the scope.
func (a *app) elsewhere(service providers.Spec, name string) (string, bool) {
	for _, s := range a.services {
		if _, ok := catalogueOf(s).Lookup(name); ok && s.Name != service.Name {
			return s.Title, true
		}
	}
	return "", false
}

// warnOfProfile warns about the scopes that a profile will ask for.
func (a *app) warnOfProfile(p *config.Profile) {
	value, _ := p.Settings.Lookup("scopes")
	a.warnOfScopes(p.Service, value.List, value.Origin)
}

// watchedWith is watched for what is about to ask the service of a profile.
func (a *app) watchedWith(p *config.Profile) func(context.Context) context.Context {
	return func(ctx context.Context) context.Context {
		a.warnOfProfile(p)
		return a.watched(ctx)
	}
}

// opens says in a few words what a scope opens, empty when nobody knows. Where the
// API is in the scope's own name, the page's words say more.
func opens(k providers.KnownScope) string {
	if k.API == "" || strings.Contains(k.Name, k.API) {
		return k.About
	}
	return k.API
}

// opensIn is opens for a scope of a catalogue: where that has one API only, its name
// tells no scope from another, and the page's words do.
func opensIn(c providers.Catalogue, k providers.KnownScope) string {
	another := func(other providers.KnownScope) bool { return other.API != k.API }
	if k.About != "" && !slices.ContainsFunc(c.Scopes, another) {
		return k.About
	}
	return opens(k)
}

// opensInFull says that and what it is for.
func opensInFull(k providers.KnownScope) string {
	text := opens(k)
	if k.About != "" && text != k.About {
		text += ": " + k.About
	}
	return text
}

// opening are names, each with what it opens.
func opening(service providers.Spec, names []string) string {
	catalogue := catalogueOf(service)
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = name
		known, _ := catalogue.Lookup(name)
		if text := opensIn(catalogue, known); text != "" {
			words[i] += " (" + text + ")"
		}
	}
	return strings.Join(words, ", ")
}

func catalogueOf(service providers.Spec) providers.Catalogue {
	if service.Catalogue == nil {
		return providers.Catalogue{}
	}
	return service.Catalogue()
}

// scopesLine is the line of a profile that asks for the names.
func scopesLine(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = config.ListItem(name)
	}
	return "scopes: [" + strings.Join(quoted, ", ") + "]"
}

// scopesBlock are the lines of a profile that ask for the names, indented for a
// profile as authctl writes it; nothing for none.
func scopesBlock(names []string) string {
	if len(names) == 0 {
		return ""
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = "      - " + config.ListItem(name)
	}
	return "\n    scopes:\n" + lines(quoted)
}

// scopesAssignment is how the names are asked for instead of those that a profile
// asks for now: by its line, or by what goes before that.
func scopesAssignment(p *config.Profile, names []string) string {
	value, _ := p.Settings.Lookup("scopes")
	list := shellQuote(strings.Join(names, ","))
	switch {
	case strings.HasPrefix(value.Origin, "flag "):
		return "--scope " + list
	case p.Name == config.EnvironmentProfile, strings.HasPrefix(value.Origin, "environment "):
		return "AUTHCTL_SCOPES=" + list
	}
	return scopesLine(names) + " in profile " + p.Name
}
