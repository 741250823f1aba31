package verb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/config/kinds"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/term"
)

// ScopeNotes are what a run of the program says of scopes, each note once.
type ScopeNotes struct {
	ui         *term.UI
	services   func() []providers.Spec
	commandFor func(profile string, words ...string) string
	// warnedOf are the scopes that a warning was given for, and toldOf the one that was last
	// given of scopes a token lacks.
	warnedOf []string
	toldOf   string
}

// MissingScopes are the scopes that a token should have and has not: those that were
// asked for and, where it has just taken the place of another, those that this one had.
func MissingScopes(answer broker.Answer) []string {
	return scopes.Union(answer.Missing, answer.Lost)
}

// TellOfScopes warns of the scopes that a token should have and has not, in one line, and
// not again while that stays so. It is for the verbs that hand a token on or use it.
func (n *ScopeNotes) TellOfScopes(c *client.Client, answer broker.Answer) {
	text := n.lackingScopes(c, answer)
	if c.Options.Explain != nil {
		c.Options.Explain("scopes: %s", explainedScopes(c, answer))
	}
	if text != "" && text != n.toldOf {
		n.ui.Warn(text)
	}
	n.toldOf = text
}

// lackingScopes says which scopes are missing, empty when none is.
func (n *ScopeNotes) lackingScopes(c *client.Client, answer broker.Answer) string {
	of := "the token of profile " + c.Profile.Name
	see := "; see " + n.commandFor(c.Profile.Name, "scopes", "check")
	before := scopes.Missing(answer.Missing, answer.Lost)
	switch {
	case len(answer.Missing) == 0 && len(before) == 0:
		return ""
	case len(answer.Missing) == 0:
		return fmt.Sprintf("%s lacks scopes that the one before it had: %s%s", of, named(before), see)
	case len(before) == 0:
		return fmt.Sprintf("%s has fewer scopes than were asked for, it lacks %s%s", of, named(answer.Missing), see)
	}
	return fmt.Sprintf("%s has fewer scopes than were asked for, it lacks %s; and the one before it had %s%s",
		of, named(answer.Missing), named(before), see)
}

// explainedScopes is what --explain tells of a token's scopes.
func explainedScopes(c *client.Client, answer broker.Answer) string {
	asked := c.Provider.Key().Scopes
	text := "none were asked for"
	switch {
	case len(answer.Missing) > 0:
		text = "asked for and not granted: " + named(answer.Missing)
	case len(asked) > 0 && answer.Token.Scope == nil:
		text = "the service named none, so those that were asked for: " + named(asked)
	case len(asked) > 0:
		text = "all that were asked for are granted: " + named(asked)
	case len(answer.Token.Scope) > 0:
		text += ", granted: " + named(answer.Token.Scope)
	}
	if len(answer.Lost) > 0 {
		text += "; the token before had also: " + named(answer.Lost)
	}
	return text
}

// named are scopes in a line, fit to be shown.
func named(names []string) string { return strings.Join(scopes.Shown(names), ", ") }

// WarnOfScopes warns about scopes that the service does not know, each once. Reading a
// catalogue takes time that a token from the cache does not: it is called for what
// was typed just now, and otherwise only when the service is about to be asked.
// origin says where the names come from, empty where that is plain.
func (n *ScopeNotes) WarnOfScopes(service providers.Spec, names []string, origin string) {
	if n.ui.Quiet || len(names) == 0 {
		return
	}
	for _, c := range scopes.Check(service, names) {
		if slices.Contains(n.warnedOf, c.Name) {
			continue
		}
		n.warnedOf = append(n.warnedOf, c.Name)
		text := c.String()
		if other, ok := n.elsewhere(service, c.Name); ok && c.Suggestion == "" {
			text += "; it is one of " + other
		}
		if origin != "" {
			text += " (" + origin + ")"
		}
		n.ui.Warn(text)
	}
}

// elsewhere returns the title of another service that has the scope.
func (n *ScopeNotes) elsewhere(service providers.Spec, name string) (string, bool) {
	for _, s := range n.services() {
		if _, ok := scopes.CatalogueOf(s).Lookup(name); ok && s.Name != service.Name {
			return s.Title, true
		}
	}
	return "", false
}

// WarnOfProfile warns about the scopes that a profile will ask for.
func (n *ScopeNotes) WarnOfProfile(p *config.Profile) {
	value, _ := p.Settings.Lookup("scopes")
	n.WarnOfScopes(p.Service, value.List, value.Origin)
}

// scopesLine is the line of a profile that asks for the names.
func scopesLine(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = kinds.ListItem(name)
	}
	return "scopes: [" + strings.Join(quoted, ", ") + "]"
}

// ScopesAssignment is how the names are asked for instead of those that a profile
// asks for now: by its line, or by what goes before that.
func ScopesAssignment(p *config.Profile, names []string) string {
	value, _ := p.Settings.Lookup("scopes")
	list := ShellQuote(strings.Join(names, ","))
	switch {
	case strings.HasPrefix(value.Origin, "flag "):
		return "--scope " + list
	case p.Name == config.EnvironmentProfile, strings.HasPrefix(value.Origin, "environment "):
		return "AUTHCTL_SCOPES=" + list
	}
	return scopesLine(names) + " in profile " + p.Name
}
