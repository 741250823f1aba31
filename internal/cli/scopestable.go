package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/term"
)

// shortList is how many scopes a list may have that says of each what its API is for, though the terminal is too narrow
// for a table with that.
const shortList = 12

// wordy is how much a list says of each scope.
type wordy int

// The ways to say it, from what needs least room: the bare name of what it opens; that in words; and what that is for.
const (
	inAWord wordy = iota
	inShort
	inFull
)

// of returns the scopes of a service in the page's order, then those that the profile
// asks for and the page does not name, then those that only the service publishes.
func (t listTarget) of(service providers.Spec) []listedScope {
	asked := []string{}
	if t.profile != nil {
		asked = t.profile.Settings.List("scopes")
	}
	list, known := []listedScope{}, scopes.CatalogueOf(service)
	add := func(k providers.KnownScope, remark string) {
		_, found := known.Lookup(k.Name)
		s := listedScope{
			Provider: service.Name, KnownScope: k,
			Asked: slices.Contains(asked, k.Name), Known: found, remark: remark, short: scopes.OpensIn(known, k),
		}
		if t.live != nil {
			published := slices.Contains(t.live, k.Name)
			s.Live = &published
		}
		if !slices.ContainsFunc(list, func(have listedScope) bool { return have.Name == s.Name }) {
			list = append(list, s)
		}
	}
	for _, k := range known.Scopes {
		add(k, "")
	}
	for _, name := range asked {
		add(providers.KnownScope{Name: name}, remarkOn(service, name))
	}
	for _, name := range t.live {
		add(providers.KnownScope{Name: name}, "published, and not on the vendor's page")
	}
	return list
}

// remarkOn says of a scope that the page does not name what can be said.
func remarkOn(service providers.Spec, name string) string {
	warnings := scopes.Check(service, []string{name})
	switch {
	case len(warnings) == 0:
		return "of OpenID Connect"
	case warnings[0].Kind == scopes.Pointless:
		return "unknown: the service takes only " + warnings[0].Suggestion
	case warnings[0].Suggestion != "":
		return "unknown; did you mean " + warnings[0].Suggestion + "?"
	}
	return "unknown"
}

// showScopes prints the list: for people a table for each service.
func (a *app) showScopes(o *scopesListOptions, target listTarget, lists [][]listedScope) error {
	all := slices.Concat(lists...)
	switch o.output.Format {
	case "json":
		return a.UI.JSON(map[string]any{"scopes": append([]listedScope{}, all...)})
	case "raw":
		var b strings.Builder
		for _, s := range all {
			b.WriteString(secret.CleanText(s.Name) + "\n")
		}
		return a.UI.Print(b.String())
	}
	var b strings.Builder
	for i, service := range target.services {
		if len(lists[i]) == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		heading := a.UI.Out.Strong(service.Title) + " (" + service.Name + "), " + count(target, lists[i], service)
		b.WriteString(term.Message(heading, a.UI.Columns()) + "\n")
		b.WriteString(a.UI.Out.Faint(scopes.CatalogueOf(service).Page) + "\n")
		if _, err := a.fittingTable(target, lists[i], len(all)).WriteTo(&b); err != nil {
			return err
		}
	}
	return a.UI.Print(b.String())
}

// count says how many scopes are shown of how many, and how many the profile asks for.
func count(target listTarget, list []listedScope, service providers.Spec) string {
	shown, total, asked := 0, len(scopes.CatalogueOf(service).Scopes), 0
	for _, s := range list {
		if s.Known {
			shown++
		}
		if s.Asked {
			asked++
		}
	}
	text := term.Counted(total, "scope")
	if shown < total {
		text = fmt.Sprintf("%d of %d scopes", shown, total)
	}
	if newer := newerOf(list); newer > 0 {
		text += fmt.Sprintf(", %d of them newer than the page", newer)
	}
	if target.profile == nil {
		return text
	}
	return fmt.Sprintf("%s; profile %s asks for %d of these", text, target.profile.Name, asked)
}

// newerOf counts the scopes that the page does not have yet.
func newerOf(list []listedScope) int {
	newer := 0
	for _, s := range list {
		if s.Newer {
			newer++
		}
	}
	return newer
}

// fittingTable says as much as fits into a table, of a short list all in any case.
func (a *app) fittingTable(target listTarget, list []listedScope, shown int) term.Table {
	full := a.scopesTable(target, list, inFull)
	if shown <= shortList {
		return full
	}
	for how := inFull; how >= inAWord; how-- {
		if table := a.scopesTable(target, list, how); table.Fits() {
			return table
		}
	}
	return full
}

// scopesTable has columns only for what there is to say.
func (a *app) scopesTable(target listTarget, list []listedScope, how wordy) term.Table {
	columns := []struct {
		name string
		text func(listedScope) string
	}{
		{"SCOPE", func(s listedScope) string { return secret.CleanText(s.Name) }},
		{"ASKED", func(s listedScope) string { return mark(s.Asked) }},
		{"SOURCE", listedScope.source},
		{"ACCESS", func(s listedScope) string { return s.Access }},
		{"OPENS", func(s listedScope) string { return s.opens(how) }},
		{"ABOUT", func(s listedScope) string { return s.about(how) }},
	}
	table := term.Table{Rows: make([][]string, len(list))}
	for _, column := range columns {
		blank := func(s listedScope) bool { return column.text(s) == "" }
		always := column.name == "ASKED" && target.profile != nil
		if !always && !slices.ContainsFunc(list, func(s listedScope) bool { return !blank(s) }) {
			continue
		}
		table.Header = append(table.Header, column.name)
		for i, s := range list {
			table.Rows[i] = append(table.Rows[i], column.text(s))
		}
	}
	return a.UI.Fit(table)
}

// source says where a scope is named, for --live.
func (s listedScope) source() string {
	switch {
	case s.Live == nil:
		return ""
	case !*s.Live && !s.Known:
		return "profile"
	case !*s.Live:
		return "page"
	case !s.Known:
		return "realm"
	}
	return "both"
}

func (s listedScope) opens(how wordy) string {
	switch {
	case s.remark != "":
		return s.remark
	case s.Newer && how == inAWord:
		return "newer"
	case how == inAWord:
		return strings.TrimSuffix(s.short, " API")
	}
	return s.short
}

// about is empty where opens has said it.
func (s listedScope) about(how wordy) string {
	if how < inFull || s.remark != "" || s.About == s.short {
		return ""
	}
	return s.About
}

// probedScope is one scope of `scopes probe -o json`.
type probedScope struct {
	Name    string `json:"scope"`
	Granted bool   `json:"granted"`
	Access  string `json:"access"`
	API     string `json:"api"`
	About   string `json:"about"`
}

// show prints the result, the granted scopes first.
func (p *probing) show() error {
	table := term.Table{Header: []string{"SCOPE", "ACCESS", "OPENS", "GRANTED"}}
	if p.all {
		p.names = scopes.Union(p.names, p.granted)
	}
	p.granted = scopes.Missing(scopes.Missing(p.granted, p.names), p.names) // in their order
	list, profile, answer := []probedScope{}, p.session.Profile, map[bool]string{true: "yes", false: "no"}
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
	if _, err := p.UI.Fit(table).WriteTo(&b); err != nil {
		return err
	}
	fmt.Fprintf(&b, "\n%d of %s granted, found with %s\n", len(p.granted), term.Counted(len(list), "scope"),
		term.Counted(p.requests, "request"))
	return p.UI.Print(b.String() + scopesBlock(p.toPaste()))
}

// toPaste are the scopes to put into the profile. Of a probe that --scope limits, what the profile asks for beside
// stays in it.
func (p *probing) toPaste() []string {
	own, _ := p.ownProfile(p.session.Profile.Name)
	if p.all || len(p.granted) == 0 || own == nil {
		return p.granted
	}
	return scopes.Union(scopes.Missing(p.names, own.Settings.List("scopes")), p.granted)
}

// openingTable tells what the scopes open.
func (a *app) openingTable(found []scopes.Found) term.Table {
	opening := term.Table{Header: []string{"SCOPE", "SERVICE", "ACCESS", "OPENS"}}
	for _, s := range found {
		opens := scopes.OpensInFull(s.KnownScope)
		if s.Provider == "" {
			opens = "in no catalogue"
			if right := scopes.Spelling(s.Name, a.Services); right != "" {
				opens += "; case matters, did you mean " + right + "?"
			}
		}
		opening.Rows = append(opening.Rows, []string{s.Name, s.Provider, s.Access, opens})
	}
	return opening
}
