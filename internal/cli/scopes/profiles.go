package scopes

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/term"
)

// scopeProfile is a profile that may get the scopes: which of them it asks for, which its
// cached token was granted, null without one, and which it neither asks for nor has.
type scopeProfile struct {
	Profile  string   `json:"profile"`
	Provider string   `json:"provider"`
	Asks     []string `json:"asks"`
	Lacks    []string `json:"lacks"`
	Has      []string `json:"has"`

	settings *config.Profile
}

// everyProfile returns the profiles and what they ask for, none without a configuration that can be read.
func everyProfile(d *verb.Deps) (setup *client.Local, list []*config.Profile, asked []string) {
	file, err := d.File()
	if err != nil {
		return nil, nil, nil
	}
	setup, err = d.Local()
	if err != nil {
		return nil, nil, nil
	}
	names, _ := file.Names()
	if provider, _ := d.LookupEnv("AUTHCTL_PROVIDER"); provider != "" {
		names = []string{""}
	}
	for _, name := range names {
		if p, err := file.Profile(name, nil); err == nil {
			list, asked = append(list, p), append(asked, p.Settings.List("scopes")...)
		}
	}
	return setup, list, asked
}

// cachedBy returns what the cached token that token get would print for a profile was granted, nil without one. That
// the store cannot be read is no matter here.
func cachedBy(ctx context.Context, d *verb.Deps, setup *client.Local) func(p *config.Profile) []string {
	var entries []store.Entry
	if setup != nil {
		// It is not worth a person's password.
		setup.Keyring.NeverAsk = true
		if chosen, err := setup.QuietStore(); err == nil {
			entries, _ = chosen.List(ctx)
		}
	}
	return func(p *config.Profile) []string {
		provider, err := p.Service.New(p.Settings, &oauth.Client{})
		for _, e := range entries {
			if err == nil && e.Key.Equal(provider.Key()) && (e.Expiry.IsZero() || e.Expiry.After(d.Now())) {
				return append([]string{}, e.Scopes()...)
			}
		}
		return nil
	}
}

// profilesFor returns the profiles of the services that have the scopes, and those that ask for one or have it. Those
// that lack least come first; who neither asks nor has a token is left out beside those who do.
func profilesFor(
	cached func(*config.Profile) []string, profiles []*config.Profile, wanted []scopes.Found,
) []scopeProfile {
	found := []scopeProfile{}
	for _, p := range profiles {
		names, own := []string{}, false
		for _, w := range wanted {
			if w.Provider == p.Service.Name || w.Provider == "" {
				names, own = append(names, w.Name), own || w.Provider != ""
			}
		}
		if len(names) == 0 {
			continue
		}
		of := scopeProfile{Profile: p.Name, Provider: p.Service.Name, settings: p, Has: cached(p)}
		of.Asks = append([]string{}, scopes.Common(names, p.Settings.List("scopes"))...)
		if of.Has != nil {
			of.Has = append([]string{}, scopes.Common(names, of.Has)...)
		}
		of.Lacks = append([]string{}, scopes.Missing(slices.Concat(of.Asks, of.Has), names)...)
		if own || len(of.Asks)+len(of.Has) > 0 {
			found = append(found, of)
		}
	}
	slices.SortStableFunc(found, func(a, b scopeProfile) int {
		return cmp.Or(len(a.Lacks)-len(b.Lacks), len(b.Has)-len(a.Has))
	})
	far := func(p scopeProfile) bool { return len(p.Asks) == 0 && p.Has == nil }
	if slices.ContainsFunc(found, func(p scopeProfile) bool { return !far(p) }) {
		return slices.DeleteFunc(found, far)
	}
	return found
}

// next says what to do with the profile.
func (p scopeProfile) next(commandFor func(string, ...string) string, each bool) []string {
	lines := []string{}
	switch {
	case each && len(p.Lacks) > 0:
	case len(p.Has) > 0 && len(scopes.Missing(p.Has, p.Asks)) == 0:
		noun, _ := strings.CutPrefix(term.Counted(len(p.Has), "scope"), fmt.Sprint(len(p.Has), " "))
		lines = append(lines, fmt.Sprintf("use profile %s, it has the %s %s: %s", p.Profile, noun,
			strings.Join(p.Has, ", "), commandFor(p.Profile, "token", "get")))
	case len(p.Asks) > 0:
		lines = append(lines, fmt.Sprintf("profile %s asks for %s; see whether the client gets it: %s", p.Profile,
			strings.Join(p.Asks, ", "), commandFor(p.Profile, "scopes", "check")))
	}
	if len(p.Lacks) == 0 {
		return lines
	}
	add, of := p.Lacks, ""
	if !each && len(add) > 1 {
		add, of = add[:1], " (or another of these)"
	}
	names := strings.Join(add, ",")
	return append(lines,
		"to ask for "+names+of+": "+verb.ScopesAssignment(p.settings, slices.Concat(p.settings.Settings.List("scopes"), add)),
		"see whether the client gets it: "+commandFor(p.Profile, "scopes", "probe", "--scope", names),
		"if it was added to the client just now: "+commandFor(p.Profile, "scopes", "wait", "--scope", names))
}

// havingTable tells which profiles ask for the scopes, and whose token has them.
func havingTable(profiles []scopeProfile) term.Table {
	having := term.Table{Header: []string{"PROFILE", "SCOPE", "ASKS FOR IT", "CACHED TOKEN"}}
	for _, p := range profiles {
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

// next says what to do, in order: with the profile that lacks least. each says that all of the scopes are needed, and
// not whichever of them the call wants.
func (e explanation) next(commandFor func(string, ...string) string, failed, each bool) []string {
	if len(e.Profiles) > 0 && e.Diagnosis.Code != "invalid_scope" {
		return e.Profiles[0].next(commandFor, each)
	}
	lines := []string{}
	if failed {
		lines = append(lines, e.Diagnosis.Advice)
	}
	if len(e.Scopes) > 0 && e.Scopes[0].Provider != "" && len(e.Profiles) == 0 {
		lines = append(lines, "no profile is of this service: "+commandFor("", "profile", "add", "NAME",
			"--provider", e.Scopes[0].Provider, "--set", "scopes="+e.Scopes[0].Name))
	}
	return lines
}
