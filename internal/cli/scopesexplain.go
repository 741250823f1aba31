package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/term"
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
	Scopes    []scopes.Found   `json:"scopes"`
	Profiles  []scopeProfile   `json:"profiles"`
	Next      []string         `json:"next"`
}

func (a *app) runScopesExplain(ctx context.Context, output *outputFlag, args []string) error {
	text, err := a.pastedText(ctx, args)
	if err != nil {
		return err
	}
	if right := scopes.Spelling(text, a.services); right != "" {
		a.warn("case matters: the catalogue has it as " + right)
		text = right
	}
	setup, profiles, asked := a.everyProfile()
	d, failed := scopes.Explain(text, a.services)
	names, each := d.Needed, true
	if !failed {
		names, each = scopes.Named(text, a.services, asked)
		if len(names) == 0 {
			return usagef("this is neither an error that is known nor an API of a service: give a WWW-Authenticate header, " +
				"an error's body, an answer as curl -i prints it, a scope, or an API's name; see authctl scopes list")
		}
	}
	if each {
		d.Needed = names
	}
	e := explanation{Diagnosis: d, Scopes: scopes.Find(names, a.services)}
	e.Profiles = profilesFor(a.cachedBy(ctx, setup), profiles, e.Scopes)
	e.Next = e.next(a, failed, each)
	if output.json() {
		return a.json(e)
	}
	return a.showExplanation(e, failed)
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
	return strings.TrimSpace(text), nil
}

// next says what to do, in order: with the profile that lacks least. each says that all of the scopes are needed, and
// not whichever of them the call wants.
func (e explanation) next(a *app, failed, each bool) []string {
	if len(e.Profiles) > 0 && e.Diagnosis.Code != "invalid_scope" {
		return e.Profiles[0].next(a, each)
	}
	lines := []string{}
	if failed {
		lines = append(lines, e.Diagnosis.Advice)
	}
	if len(e.Scopes) > 0 && e.Scopes[0].Provider != "" && len(e.Profiles) == 0 {
		lines = append(lines, "no profile is of this service: "+a.commandFor("", "profile", "add", "NAME",
			"--provider", e.Scopes[0].Provider, "--set", "scopes="+e.Scopes[0].Name))
	}
	return lines
}

func (a *app) showExplanation(e explanation, failed bool) error {
	var b strings.Builder
	if d := e.Diagnosis; failed {
		b.WriteString(a.beside("cause: ", d.What))
		if said := d.Said(); said != "" {
			b.WriteString(a.beside("said:  ", said))
		}
		b.WriteString("\n")
	}
	for _, table := range []term.Table{a.openingTable(e), e.havingTable()} {
		if len(table.Rows) == 0 {
			continue
		}
		if _, err := a.paint(table).WriteTo(&b); err != nil {
			return err
		}
		b.WriteString("\n")
	}
	for _, text := range e.Next {
		b.WriteString(a.step(text))
	}
	return a.print(b.String())
}

// openingTable tells what the scopes open.
func (a *app) openingTable(e explanation) term.Table {
	opening := term.Table{Header: []string{"SCOPE", "SERVICE", "ACCESS", "OPENS"}}
	for _, s := range e.Scopes {
		opens := opensInFull(s.KnownScope)
		if s.Provider == "" {
			opens = "in no catalogue"
			if right := scopes.Spelling(s.Name, a.services); right != "" {
				opens += "; case matters, did you mean " + right + "?"
			}
		}
		opening.Rows = append(opening.Rows, []string{s.Name, s.Provider, s.Access, opens})
	}
	return opening
}

// havingTable tells which profiles ask for the scopes, and whose token has them.
func (e explanation) havingTable() term.Table {
	having := term.Table{Header: []string{"PROFILE", "SCOPE", "ASKS FOR IT", "CACHED TOKEN"}}
	for _, p := range e.Profiles {
		for _, name := range scopes.Unique(slices.Concat(p.Asks, p.Has, p.Lacks)) {
			cached := "none"
			if p.Has != nil {
				cached = map[bool]string{true: "has it", false: "lacks it"}[slices.Contains(p.Has, name)]
			}
			asks := map[bool]string{true: "yes", false: "no"}[slices.Contains(p.Asks, name)]
			having.Rows = append(having.Rows, []string{p.Profile, name, asks, cached})
		}
	}
	return having
}
