package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/term"
)

// scopeProfile is a profile of a service that a missing scope belongs to.
type scopeProfile struct {
	Profile  string `json:"profile"`
	Provider string `json:"provider"`
	// Asks are those of the scopes that the profile asks for, Lacks those that it neither
	// asks for nor has.
	Asks  []string `json:"asks"`
	Lacks []string `json:"lacks"`
	// Has are those that its cached token was granted; null when there is none.
	Has []string `json:"has"`

	// own says that its service has one of the scopes in its catalogue.
	own      bool
	settings *config.Profile
}

// profilesFor returns the profiles of the services that have the scopes. Without a
// configuration that can be read there are none.
func (a *app) profilesFor(ctx context.Context, wanted []openingScope) []scopeProfile {
	if len(wanted) == 0 {
		return nil
	}
	file, setup, err := a.file()
	if err != nil {
		return nil
	}
	names, _ := file.Names()
	if provider, _ := a.LookupEnv("AUTHCTL_PROVIDER"); provider != "" {
		names = []string{""}
	}
	var found []scopeProfile
	for _, name := range names {
		p, err := file.Profile(name, nil)
		if err != nil {
			continue
		}
		if of := newScopeProfile(p, wanted); of != nil {
			found = append(found, *of)
		}
	}
	if len(found) > 0 {
		addCached(ctx, setup, found)
	}
	found = slices.DeleteFunc(found, func(p scopeProfile) bool { return !p.own && len(p.Asks) == 0 && len(p.Has) == 0 })
	// Those that lack least come first, and those that have most.
	slices.SortStableFunc(found, func(a, b scopeProfile) int {
		return cmp.Or(len(a.Lacks)-len(b.Lacks), len(b.Has)-len(a.Has))
	})
	// Who neither asks nor has a token is noise beside those who do.
	near := slices.DeleteFunc(slices.Clone(found), func(p scopeProfile) bool { return len(p.Asks) == 0 && p.Has == nil })
	if len(near) > 0 {
		return near
	}
	return found
}

// newScopeProfile is nil for a profile of another service. A scope that no catalogue
// has may be anybody's.
func newScopeProfile(p *config.Profile, wanted []openingScope) *scopeProfile {
	own := p.Settings.List("scopes")
	names, ofService := []string{}, false
	for _, w := range wanted {
		if w.Provider == p.Service.Name || w.Provider == "" {
			names = append(names, w.Name)
			ofService = ofService || w.Provider != ""
		}
	}
	if len(names) == 0 {
		return nil
	}
	lacks := append([]string{}, scopes.Missing(own, names)...)
	return &scopeProfile{
		Profile: p.Name, Provider: p.Service.Name, settings: p, own: ofService,
		Asks: append([]string{}, scopes.Missing(lacks, names)...), Lacks: lacks,
	}
}

// addCached adds what the profiles' own cached tokens were granted: those that token get
// would print, and not those got with --scope or by a client that the profile was before.
// That the store cannot be read is no matter here.
func addCached(ctx context.Context, setup *setup, list []scopeProfile) {
	chosen, err := setup.quietStore()
	if err != nil {
		return
	}
	entries, err := chosen.List(ctx)
	if err != nil {
		return
	}
	for i, p := range list {
		provider, err := p.settings.Service.New(p.settings.Settings, &oauth.Client{})
		if err != nil {
			continue
		}
		own := store.Key(provider.Identity())
		for _, e := range entries {
			if e.Key.Equal(own) && (e.Expiry.IsZero() || e.Expiry.After(setup.app.Now())) {
				names := slices.Concat(p.Asks, p.Lacks)
				list[i].Has = append([]string{}, scopes.Missing(scopes.Missing(scopesOf(e), names), names)...)
				list[i].Lacks = append([]string{}, scopes.Missing(list[i].Has, p.Lacks)...)
			}
		}
	}
}

// next says what to do with the profile. all says that each of the scopes is needed,
// and not whichever of them the call wants.
func (p scopeProfile) next(a *app, all bool) []string {
	lines := []string{}
	asks, noun := strings.Join(p.Asks, ", "), "scope"
	if len(p.Has) > 1 {
		noun = "scopes"
	}
	switch {
	case all && len(p.Lacks) > 0:
	case len(p.Has) > 0 && len(scopes.Missing(p.Has, p.Asks)) == 0:
		const use = "use profile %s, it has the %s %s: %s"
		lines = append(lines,
			fmt.Sprintf(use, p.Profile, noun, strings.Join(p.Has, ", "), a.commandFor(p.Profile, "token", "get")))
	case asks == "":
	default:
		const see = "profile %s asks for %s; see whether the client gets it: %s"
		lines = append(lines, fmt.Sprintf(see, p.Profile, asks, a.commandFor(p.Profile, "scopes", "check")))
	}
	if len(p.Lacks) == 0 {
		return lines
	}
	add, of := p.Lacks, ""
	if !all && len(add) > 1 {
		add, of = add[:1], " (or another of these)"
	}
	names := strings.Join(add, ",")
	return append(lines,
		"to ask for "+names+of+": "+scopesAssignment(p.settings, slices.Concat(p.settings.Settings.List("scopes"), add)),
		"see whether the client gets it: "+a.commandFor(p.Profile, "scopes", "probe", "--scope", names),
		"if it was added to the client just now: "+a.commandFor(p.Profile, "scopes", "wait", "--scope", names))
}

// cached says whether the cached token has a scope.
func (p scopeProfile) cached(name string) string {
	switch {
	case p.Has == nil:
		return "none"
	case slices.Contains(p.Has, name):
		return "has it"
	}
	return "lacks it"
}

func (a *app) showExplanation(e explanation) error {
	var b strings.Builder
	d := e.Diagnosis
	if !e.looksUp() {
		b.WriteString(a.beside("cause: ", causeText(d)))
		if said := strings.TrimSpace(strings.Join([]string{statusText(d.Status), d.Code, d.Description}, " ")); said != "" {
			b.WriteString(a.beside("said:  ", strings.Join(strings.Fields(said), " ")))
		}
		b.WriteString("\n")
	}
	for _, table := range []term.Table{e.scopeTable(), e.profileTable()} {
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

// step is one thing to do. A command gets a line of its own and is not broken, to be
// copied.
func (a *app) step(text string) string {
	before, command, found := strings.Cut(text, ": authctl ")
	if !found {
		return a.beside("- ", text)
	}
	return a.beside("- ", before+":") + "    authctl " + command + "\n"
}

func (e explanation) scopeTable() term.Table {
	table := term.Table{Header: []string{"SCOPE", "SERVICE", "ACCESS", "OPENS"}}
	for _, w := range e.Scopes {
		table.Rows = append(table.Rows, []string{w.Name, w.Provider, w.Access, w.opens()})
	}
	return table
}

func (e explanation) profileTable() term.Table {
	table := term.Table{Header: []string{"PROFILE", "SCOPE", "ASKS FOR IT", "CACHED TOKEN"}}
	for _, p := range e.Profiles {
		for _, name := range p.Asks {
			table.Rows = append(table.Rows, []string{p.Profile, name, "yes", p.cached(name)})
		}
		for _, name := range append(scopes.Missing(p.Asks, p.Has), p.Lacks...) {
			table.Rows = append(table.Rows, []string{p.Profile, name, "no", p.cached(name)})
		}
	}
	return table
}

func statusText(status int) string {
	if status == 0 {
		return ""
	}
	return strconv.Itoa(status)
}

func causeText(d scopes.Diagnosis) string {
	switch d.Cause {
	case scopes.CauseScope:
		if d.Code == "invalid_scope" {
			return "a scope was refused when a token was asked for"
		}
		return "the token lacks a scope"
	case scopes.CauseToken:
		return "the token is not accepted"
	case scopes.CauseCredentials:
		return "the client or the user is not accepted"
	case scopes.CauseUser:
		return "the token has no user"
	case scopes.CauseOther:
		return "not the scope"
	default:
		return "not said"
	}
}
