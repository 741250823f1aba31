package scopes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/config/kinds"
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
func (p *probe) show() error {
	table := term.Table{Header: []string{"SCOPE", "ACCESS", "OPENS", "GRANTED"}}
	if p.all {
		p.names = scopes.Union(p.names, p.granted)
	}
	p.granted = scopes.Missing(scopes.Missing(p.granted, p.names), p.names) // in their order
	list, profile, answer := []probedScope{}, p.client.Profile, map[bool]string{true: "yes", false: "no"}
	for _, name := range scopes.Union(p.granted, p.names) {
		k, _ := scopes.CatalogueOf(profile.Service).Lookup(name)
		granted := slices.Contains(p.granted, name)
		list = append(list, probedScope{Name: name, Granted: granted, Access: k.Access, API: k.API, About: k.About})
		table.Rows = append(table.Rows, []string{name, k.Access, scopes.Opens(k), answer[granted]})
	}
	switch p.output.Format {
	case "json":
		return p.UI.JSON(map[string]any{
			"profile": profile.Name, "provider": profile.Service.Name, "requests": p.requests, "scopes": list,
		})
	case "raw":
		return p.UI.Print(term.Lines(p.granted))
	}
	var b strings.Builder
	b.WriteString(p.UI.Fit(table).String())
	fmt.Fprintf(&b, "\n%d of %s granted, found with %s\n", len(p.granted), term.Counted(len(list), "scope"),
		term.Counted(p.requests, "request"))
	return p.UI.Print(b.String() + block(p.toPaste()))
}

// toPaste are the scopes to put into the profile. Of a probe that --scope limits, what the profile asks for beside
// stays in it.
func (p *probe) toPaste() []string {
	own, _ := withoutFlags(p.Deps, p.client.Profile.Name)
	if p.all || len(p.granted) == 0 || own == nil {
		return p.granted
	}
	return scopes.Union(scopes.Missing(p.names, own.Settings.List("scopes")), p.granted)
}

// block are the lines of a profile that ask for the names, indented for a
// profile as authctl writes it; nothing for none.
func block(names []string) string {
	if len(names) == 0 {
		return ""
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = "      - " + kinds.ListItem(name)
	}
	return "\n    scopes:\n" + strings.Join(quoted, "\n") + "\n"
}
