package cli

import (
	"context"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

func (a *app) scopesExplain() *cobra.Command {
	output := &verb.Output{}
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
			if err := a.Begin(output); err != nil {
				return err
			}
			return a.runScopesExplain(command.Context(), output, args)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	output.Bind(command.Flags(), "table", "json")
	return command
}

// explanation is what `scopes explain -o json` prints.
type explanation struct {
	Diagnosis scopes.Diagnosis `json:"diagnosis"`
	Scopes    []scopes.Found   `json:"scopes"`
	Profiles  []scopeProfile   `json:"profiles"`
	Next      []string         `json:"next"`
}

func (a *app) runScopesExplain(ctx context.Context, output *verb.Output, args []string) error {
	text, err := a.PastedText(ctx, args)
	if err != nil {
		return err
	}
	if right := scopes.Spelling(text, a.Services); right != "" {
		a.UI.Warn("case matters: the catalogue has it as " + right)
		text = right
	}
	setup, profiles, asked := a.everyProfile()
	d, failed := scopes.Explain(text, a.Services)
	names, each := d.Needed, true
	if !failed {
		names, each = scopes.Named(text, a.Services, asked)
		if len(names) == 0 {
			return verb.Usagef("this is neither an error that is known nor an API of a service: give a WWW-Authenticate header, " +
				"an error's body, an answer as curl -i prints it, a scope, or an API's name; see authctl scopes list")
		}
	}
	if each {
		d.Needed = names
	}
	e := explanation{Diagnosis: d, Scopes: scopes.Find(names, a.Services)}
	e.Profiles = profilesFor(a.cachedBy(ctx, setup), profiles, e.Scopes)
	e.Next = e.next(a, failed, each)
	if output.JSON() {
		return a.UI.JSON(e)
	}
	return a.showExplanation(e, failed)
}

func (a *app) showExplanation(e explanation, failed bool) error {
	var b strings.Builder
	if d := e.Diagnosis; failed {
		b.WriteString(a.UI.Beside("cause: ", d.What))
		if said := d.Said(); said != "" {
			b.WriteString(a.UI.Beside("said:  ", said))
		}
		b.WriteString("\n")
	}
	for _, table := range []term.Table{a.openingTable(e.Scopes), havingTable(e.Profiles)} {
		if len(table.Rows) == 0 {
			continue
		}
		if _, err := a.UI.Fit(table).WriteTo(&b); err != nil {
			return err
		}
		b.WriteString("\n")
	}
	for _, text := range e.Next {
		b.WriteString(a.UI.Step(text))
	}
	return a.UI.Print(b.String())
}
