package scopes

import (
	"cmp"
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
func (t target) of(service providers.Spec) []listed {
	asked := []string{}
	if t.profile != nil {
		asked = t.profile.Settings.List("scopes")
	}
	list, known := []listed{}, scopes.CatalogueOf(service)
	add := func(k providers.KnownScope, remark string) {
		_, found := known.Lookup(k.Name)
		s := listed{
			Provider: service.Name, KnownScope: k,
			Asked: slices.Contains(asked, k.Name), Known: found, remark: remark, short: scopes.OpensIn(known, k),
			issuer: cmp.Or(service.IssuerIs, "issuer"),
		}
		if t.live != nil {
			published := slices.Contains(t.live, k.Name)
			s.Live = &published
		}
		if !slices.ContainsFunc(list, func(have listed) bool { return have.Name == s.Name }) {
			list = append(list, s)
		}
	}
	for _, k := range known.Scopes {
		add(k, "")
	}
	for _, name := range asked {
		add(providers.KnownScope{Name: name}, t.remarkOn(service, name))
	}
	published := "published, and not on the vendor's page"
	if service.Catalogue == nil {
		published = publishedByIssuer
	}
	for _, name := range t.live {
		add(providers.KnownScope{Name: name}, published)
	}
	return list
}

// publishedByIssuer is said of the scopes of a service that has no page.
const publishedByIssuer = "published by the issuer"

// remarkOn says of a scope that the page does not name what can be said.
func (t target) remarkOn(service providers.Spec, name string) string {
	warnings := scopes.Check(service, []string{name})
	switch {
	case service.Catalogue == nil && slices.Contains(t.live, name):
		return publishedByIssuer
	case service.Catalogue == nil:
		return "not among those that the issuer publishes, which need not be all"
	case len(warnings) == 0:
		return "of OpenID Connect"
	case warnings[0].Kind == scopes.Pointless:
		return "unknown: the service takes only " + warnings[0].Suggestion
	case warnings[0].Suggestion != "":
		return "unknown; did you mean " + warnings[0].Suggestion + "?"
	}
	return "unknown"
}

// print prints the list: for people a table for each service.
func (l *list) print(target target, lists [][]listed) error {
	all := slices.Concat(lists...)
	switch l.output.Format {
	case "json":
		return l.UI.JSON(map[string]any{"scopes": append([]listed{}, all...)})
	case "raw":
		var b strings.Builder
		for _, s := range all {
			b.WriteString(secret.CleanText(s.Name) + "\n")
		}
		return l.UI.Print(b.String())
	}
	var b strings.Builder
	for i, service := range target.services {
		if len(lists[i]) == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		heading := l.UI.Out.Strong(service.Title) + " (" + service.Name + "), " + count(target, lists[i], service)
		b.WriteString(term.Message(heading, l.UI.Columns()) + "\n")
		if page := scopes.CatalogueOf(service).Page; page != "" {
			b.WriteString(l.UI.Out.Faint(page) + "\n")
		}
		b.WriteString(l.fittingTable(target, lists[i], len(all)).String())
	}
	return l.UI.Print(b.String())
}

// count says how many scopes are shown of how many, how many of them the page does not have
// yet, and how many the profile asks for.
func count(target target, list []listed, service providers.Spec) string {
	number := func(is func(listed) bool) (n int) {
		for _, s := range list {
			if is(s) {
				n++
			}
		}
		return n
	}
	shown := number(func(s listed) bool { return s.Known })
	newer := number(func(s listed) bool { return s.Newer })
	asked := number(func(s listed) bool { return s.Asked })
	total := len(scopes.CatalogueOf(service).Scopes)
	text := term.Counted(total, "scope")
	switch {
	case service.Catalogue == nil:
		text = term.Counted(len(list), "scope")
	case shown < total:
		text = fmt.Sprintf("%d of %d scopes", shown, total)
	}
	if newer > 0 {
		text += fmt.Sprintf(", %d of them newer than the page", newer)
	}
	if target.profile == nil {
		return text
	}
	return fmt.Sprintf("%s; profile %s asks for %d of these", text, target.profile.Name, asked)
}

// fittingTable says as much as fits into a table, of a short list all in any case.
func (l *list) fittingTable(target target, list []listed, shown int) term.Table {
	full := l.table(target, list, inFull)
	if shown <= shortList {
		return full
	}
	for how := inFull; how >= inAWord; how-- {
		if table := l.table(target, list, how); table.Fits() {
			return table
		}
	}
	return full
}

// table has columns only for what there is to say.
func (l *list) table(target target, scopes []listed, how wordy) term.Table {
	asked := func(s listed) string { return map[bool]string{true: "*"}[s.Asked] }
	table := tableOf(scopes, []column[listed]{
		{name: "SCOPE", text: func(s listed) string { return secret.CleanText(s.Name) }},
		{name: "ASKED", text: asked, always: target.profile != nil},
		{name: "SOURCE", text: listed.source},
		{name: "ACCESS", text: func(s listed) string { return s.Access }},
		{name: "OPENS", text: func(s listed) string { return s.opens(how) }},
		{name: "ABOUT", text: func(s listed) string { return s.about(how) }},
	})
	return l.UI.Fit(table)
}

// source says where a scope is named, for --live.
func (s listed) source() string {
	switch {
	case s.Live == nil:
		return ""
	case !*s.Live && !s.Known:
		return "profile"
	case !*s.Live:
		return "page"
	case !s.Known:
		return s.issuer
	}
	return "both"
}

func (s listed) opens(how wordy) string {
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
func (s listed) about(how wordy) string {
	if how < inFull || s.remark != "" || s.About == s.short {
		return ""
	}
	return s.About
}
