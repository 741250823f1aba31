package scopes

import (
	"context"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

// explain is `scopes explain`.
type explain struct {
	*verb.Deps
	output verb.Output
}

func newExplain(d *verb.Deps) *cobra.Command {
	x := &explain{Deps: d}
	return d.Command(cobra.Command{
		Use:   "explain [TEXT…|-]",
		Short: "Tell from an error or an API's name which scope is missing",
		Long: `Tell which scope is missing, what opens it, which profile asks for it and what to do.
TEXT is a WWW-Authenticate header, an error's body, a whole answer as curl -i prints it,
a scope, or an API's name; it is read from stdin when it is - or left out. Nothing is
sent.`,
		Example: `  authctl curl calls -- -si "$URL" | authctl scopes explain
  authctl scopes explain 'Bearer error="insufficient_scope", scope="contacts:read"'
  authctl scopes explain contacts api`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}, verb.Flags{Output: &x.output, Formats: []string{"table", "json"}}, x.run)
}

// explanation is what `scopes explain -o json` prints.
type explanation struct {
	Diagnosis scopes.Diagnosis `json:"diagnosis"`
	Scopes    []scopes.Found   `json:"scopes"`
	Profiles  []scopeProfile   `json:"profiles"`
	Next      []string         `json:"next"`
}

func (x *explain) run(ctx context.Context, args []string) error {
	text, err := x.PastedText(ctx, args)
	if err != nil {
		return err
	}
	if right := scopes.Spelling(text, x.Services()); right != "" {
		x.UI.Warn("case matters: the catalogue has it as " + right)
		text = right
	}
	setup, profiles, asked := everyProfile(x.Deps)
	d, failed := scopes.Explain(text, x.Services())
	names, each := d.Needed, true
	if !failed {
		names, each = scopes.Named(text, x.Services(), asked)
		if len(names) == 0 {
			return verb.Usagef("this is neither an error that is known nor an API of a service: give a " +
				"WWW-Authenticate header, an error's body, an answer as curl -i prints it, a scope, " +
				"or an API's name; see authctl scopes list")
		}
	}
	if each {
		d.Needed = names
	}
	e := explanation{Diagnosis: d, Scopes: scopes.Find(names, x.Services())}
	e.Profiles = profilesFor(cachedBy(ctx, x.Deps, setup), profiles, e.Scopes)
	e.Next = e.next(x.CommandFor, failed, each)
	if x.output.JSON() {
		return x.UI.JSON(e)
	}
	return x.show(e, failed)
}

func (x *explain) show(e explanation, failed bool) error {
	var b strings.Builder
	if d := e.Diagnosis; failed {
		b.WriteString(x.UI.Beside("cause: ", d.What))
		if said := d.Said(); said != "" {
			b.WriteString(x.UI.Beside("said:  ", said))
		}
		b.WriteString("\n")
	}
	for _, table := range []term.Table{x.openingTable(e.Scopes), havingTable(e.Profiles)} {
		if len(table.Rows) == 0 {
			continue
		}
		b.WriteString(x.UI.Fit(table).String())
		b.WriteString("\n")
	}
	for _, text := range e.Next {
		b.WriteString(x.UI.Step(text))
	}
	return x.UI.Print(b.String())
}

// openingTable tells what the scopes open.
func (x *explain) openingTable(found []scopes.Found) term.Table {
	opening := term.Table{Header: []string{"SCOPE", "SERVICE", "ACCESS", "OPENS"}}
	for _, s := range found {
		opens := scopes.OpensInFull(s.KnownScope)
		if s.Provider == "" {
			opens = "in no catalogue"
			if right := scopes.Spelling(s.Name, x.Services()); right != "" {
				opens += "; case matters, did you mean " + right + "?"
			}
		}
		opening.Rows = append(opening.Rows, []string{s.Name, s.Provider, s.Access, opens})
	}
	return opening
}
