package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/term"
)

// probedScope is one scope of `scopes probe -o json`.
type probedScope struct {
	Name    string `json:"scope"`
	Granted bool   `json:"granted"`
	Access  string `json:"access"`
	API     string `json:"api"`
	About   string `json:"about"`
}

// show prints the result, the granted scopes first.
func (p *prober) show(output *outputFlag) error {
	state := p.found.State
	granted := slices.DeleteFunc(slices.Clone(p.names), func(n string) bool { return !slices.Contains(state.Granted, n) })
	list := p.list(granted)
	switch output.format {
	case "json":
		return p.json(p.asJSON(list))
	case "raw":
		return p.print(lines(granted))
	}
	table := term.Table{Header: []string{"SCOPE", "ACCESS", "OPENS", "GRANTED"}}
	for _, s := range list {
		answer := "no"
		if s.Granted {
			answer = "yes"
		}
		k, _ := catalogueOf(p.session.profile.Service).Lookup(s.Name)
		table.Rows = append(table.Rows, []string{s.Name, s.Access, opens(k), answer})
	}
	var b strings.Builder
	if _, err := p.paint(table).WriteTo(&b); err != nil {
		return err
	}
	fmt.Fprintf(&b, "\n%d of %s granted, found with %s\n", len(granted), counted(len(list), "scope"),
		counted(state.Requests+p.each, "request"))
	b.WriteString(p.toPaste(granted))
	return p.print(b.String())
}

// list is what was probed, the granted names first.
func (p *prober) list(granted []string) []probedScope {
	list := []probedScope{}
	for _, name := range joined(granted, p.names) {
		k, _ := catalogueOf(p.session.profile.Service).Lookup(name)
		list = append(list, probedScope{
			Name: name, Granted: slices.Contains(granted, name), Access: k.Access, API: k.API, About: k.About,
		})
	}
	return list
}

// toPaste are the lines to put into the profile. Of a probe that --scope limits, what
// the profile asks for beside stays in it.
func (p *prober) toPaste(granted []string) string {
	if !p.all && len(granted) > 0 {
		own, _ := p.session.setup.app.ownProfile(p.session.profile.Name)
		if own != nil {
			granted = joined(scopes.Missing(p.names, own.Settings.List("scopes")), granted)
		}
	}
	return scopesBlock(granted)
}

// asJSON has resumed_from only where it applies.
func (p *prober) asJSON(list []probedScope) map[string]any {
	out := map[string]any{
		"profile": p.session.profile.Name, "provider": p.session.profile.Service.Name,
		"requests": p.found.State.Requests + p.each, "scopes": list,
	}
	if p.resumed {
		out["resumed_from"] = moment.UTC(p.found.Began)
	}
	return out
}

// scopesBlock are the lines of a profile that ask for the names, indented for a
// profile as authctl writes it; nothing for none.
func scopesBlock(names []string) string {
	if len(names) == 0 {
		return ""
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = "      - " + yamlScope(name)
	}
	return "\n    scopes:\n" + lines(quoted)
}

func lines(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, "\n") + "\n"
}

// counted is a number with its noun: "1 request", "2 requests".
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
