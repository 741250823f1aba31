package cli

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/spf13/cobra"
)

func (a *app) scopesExplain() *cobra.Command {
	output := &outputFlag{}
	command := &cobra.Command{
		Use:   "explain [TEXT…|-]",
		Short: "Tell from an error or an API's name which scope is missing",
		Long: `Tell which scope is missing, what opens it, which profile asks for it and what to do.
TEXT is a WWW-Authenticate header, an error's body, a whole answer as curl -i prints it,
a scope, or an API's name; it is read from stdin when it is - or left out. Nothing is
sent.`,
		Example: `  authctl curl calls -- -si "$URL" | authctl scopes explain
  authctl scopes explain 'Bearer error="insufficient_scope", scope="contacts:read"'
  authctl scopes explain contacts api`,
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.begin(output); err != nil {
				return err
			}
			return a.runScopesExplain(command.Context(), output, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	output.bind(command.Flags(), "table", "json")
	return command
}

// explanation is what `scopes explain -o json` prints.
type explanation struct {
	Diagnosis scopes.Diagnosis `json:"diagnosis"`
	Scopes    []openingScope   `json:"scopes"`
	Profiles  []scopeProfile   `json:"profiles"`
	Next      []string         `json:"next"`
	// named says that the error or the person names the scopes; else they are those
	// that open an API, of which one may do.
	named bool
	// typed says that the text is nothing but scopes.
	typed bool
	// read says that it is the body of an error, whatever that tells.
	read bool
}

// openingScope is a scope of a service's catalogue.
type openingScope struct {
	Provider string `json:"provider"`
	providers.KnownScope
	// spelling is how the catalogue spells it, where only the case differs.
	spelling string
}

func (a *app) runScopesExplain(ctx context.Context, output *outputFlag, args []string) error {
	text, err := a.pastedText(ctx, args)
	if err != nil {
		return err
	}
	if right := a.spelling(strings.TrimSpace(text)); right != "" {
		a.warn("case matters: the catalogue has it as " + right)
		text = right
	}
	e := explanation{Diagnosis: scopes.Explain(text, a.services)}
	_, e.read = oauth.ParseErrorBody([]byte(text))
	switch d := e.Diagnosis; {
	case len(d.Needed) > 0:
		e.Scopes, e.named = a.namedScopes(d.Needed), true
		e.typed = len(scopes.Missing(d.Needed, config.Words(text))) == 0
	case d.Cause == scopes.CauseScope, d.Cause == scopes.CauseUnknown:
		e.Scopes = a.openingScopes(text)
	}
	if e.saysNothing() {
		e.takeForScopes(a, config.Words(text))
	}
	if e.saysNothing() {
		return usagef("this is neither an error that is known nor an API of a service: give a WWW-Authenticate header, " +
			"an error's body, an answer as curl -i prints it, a scope, or an API's name; see authctl scopes list")
	}
	e.Profiles = a.profilesFor(ctx, e.Scopes)
	e.Next = e.next(a)
	if output.json() {
		e.Scopes, e.Profiles = append([]openingScope{}, e.Scopes...), append([]scopeProfile{}, e.Profiles...)
		return a.json(e)
	}
	return a.showExplanation(e)
}

// saysNothing reports whether the text is no error and nothing that is known.
func (e *explanation) saysNothing() bool {
	d := e.Diagnosis
	return d.Cause == scopes.CauseUnknown && len(e.Scopes) == 0 && d.Status == 0 && d.Code == "" && !e.read
}

// takeForScopes takes words that no catalogue has for scopes, where they look like some or
// a profile asks for them.
func (e *explanation) takeForScopes(a *app, words []string) {
	asked := a.askedScopes()
	for _, word := range words {
		if !scopes.Valid(word) || !strings.ContainsAny(word, ":./") && !slices.Contains(asked, word) {
			return
		}
	}
	e.Diagnosis.Needed = scopes.Unique(words)
	e.Scopes, e.named, e.typed = a.namedScopes(words), true, true
}

// askedScopes are those that the profiles ask for.
func (a *app) askedScopes() []string {
	file, _, err := a.file()
	if err != nil {
		return nil
	}
	var asked []string
	names, _ := file.Names()
	for _, name := range names {
		if p, err := file.Profile(name, nil); err == nil {
			asked = append(asked, p.Settings.List("scopes")...)
		}
	}
	return asked
}

// pastedText returns the arguments' text, or stdin's.
func (a *app) pastedText(ctx context.Context, args []string) (string, error) {
	text := strings.Join(args, " ")
	if len(args) == 0 && a.Streams.InTerminal {
		return "", usagef("TEXT is missing: give an error or an API's name, or pipe it in")
	}
	if len(args) == 0 || text == "-" {
		read, err := a.readStdin(ctx, nil)
		if err != nil {
			return "", err
		}
		text = read
	}
	if strings.TrimSpace(text) == "" {
		return "", usagef("there is no text to explain")
	}
	return text, nil
}

// namedScopes finds scopes in the catalogues. One that no catalogue has is kept.
func (a *app) namedScopes(names []string) []openingScope {
	var found []openingScope
	for _, name := range names {
		before := len(found)
		for _, service := range a.services {
			if known, ok := catalogueOf(service).Lookup(name); ok {
				found = append(found, newOpeningScope(service, known))
			}
		}
		if len(found) == before {
			found = append(found, openingScope{KnownScope: providers.KnownScope{Name: name}, spelling: a.spelling(name)})
		}
	}
	return found
}

// spelling is a scope that differs in case only, empty when there is none.
func (a *app) spelling(name string) string {
	for _, service := range a.services {
		for _, c := range scopes.Check(service, []string{name}) {
			if c.Kind == scopes.WrongCase {
				return c.Suggestion
			}
		}
	}
	return ""
}

// openingScopes are those that open the API that a text is, or speaks of.
func (a *app) openingScopes(text string) []openingScope {
	var found []openingScope
	for _, service := range a.services {
		catalogue := catalogueOf(service)
		opening := scopes.Opening(catalogue, text)
		if len(opening) == 0 {
			opening = spokenOf(catalogue, text)
		}
		for _, known := range opening {
			found = append(found, newOpeningScope(service, known))
		}
	}
	// An API of just that name is meant, and no other that has it as a part.
	exact := func(s openingScope) bool { return strings.EqualFold(s.API, strings.TrimSpace(text)) }
	if slices.ContainsFunc(found, exact) {
		found = slices.DeleteFunc(found, func(s openingScope) bool { return !exact(s) })
	}
	return found
}

// spokenOf are the scopes whose API a longer text names in full.
func spokenOf(catalogue providers.Catalogue, text string) []providers.KnownScope {
	text = strings.ToLower(text)
	return slices.DeleteFunc(slices.Clone(catalogue.Scopes), func(k providers.KnownScope) bool {
		return !strings.HasSuffix(k.API, " API") || !strings.Contains(text, strings.ToLower(k.API))
	})
}

func newOpeningScope(s providers.Service, k providers.KnownScope) openingScope {
	return openingScope{Provider: s.Name, KnownScope: k}
}

func (s openingScope) opens() string {
	if s.spelling != "" {
		return "in no catalogue; case matters, did you mean " + s.spelling + "?"
	}
	return cmp.Or(opensInFull(s.KnownScope), "in no catalogue")
}

// next says what to do, in order: with the profile that asks for most of it.
func (e explanation) next(a *app) []string {
	lines := []string{}
	if len(e.Profiles) > 0 {
		lines = e.Profiles[0].next(a, e.named)
	}
	switch {
	case e.Diagnosis.Code == "invalid_scope":
		return []string{e.Diagnosis.Advice}
	case len(lines) > 0:
		return lines
	case !e.looksUp():
		lines = append(lines, e.Diagnosis.Advice)
	}
	if len(e.Scopes) > 0 && e.Scopes[0].Provider != "" {
		first := e.Scopes[0]
		lines = append(lines, "no profile is of this service: "+
			a.commandFor("", "profile", "add", "NAME", "--provider", first.Provider, "--set", "scopes="+first.Name))
	}
	return lines
}

// looksUp says that the text is no error, but what somebody wants to know of.
func (e explanation) looksUp() bool {
	d := e.Diagnosis
	return e.typed || d.Cause == scopes.CauseUnknown && len(e.Scopes) > 0 && d.Status == 0 && d.Code == ""
}
