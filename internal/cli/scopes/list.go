package scopes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/setting"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// list is `scopes list`.
type list struct {
	*verb.Deps
	service             verb.Service
	output              verb.Output
	api, access, search string
	live                bool
}

func newList(d *verb.Deps) *cobra.Command {
	l := &list{Deps: d}
	return d.Command(cobra.Command{
		Use:   "list [PROVIDER|PROFILE] [WORD]",
		Short: "List the scopes that the services' pages name, with what each opens",
		Long: `List the scopes that the services' pages name, with what each opens: of one service, or
of all when none is named. For a profile those that it asks for are marked; a name that
is both a profile's and a provider's is the profile's. WORD narrows the list down, as
--search does. Nothing is sent and no secret is needed, except with --live, which asks
the profile's service for the scopes it publishes; of a service that no page describes
(provider oauth2) a profile's list is always that.`,
		Example: `  authctl scopes list talkdesk contacts
  authctl scopes list engage --access read
  authctl scopes list talkdesk --api guardian -o raw`,
		Args:              verb.Arguments(0, 2, "PROVIDER"),
		ValidArgsFunction: l.completeTarget,
	}, verb.Flags{
		Service: &l.service, Without: append(verb.ForCachedTokens(), "store"),
		Output: &l.output, Formats: []string{"table", "json", "raw"}, Own: l.bind,
	}, l.run)
}

func (l *list) bind(flags *pflag.FlagSet) {
	flags.StringVar(&l.api, "api", "", "only those whose API has this `text` in its name or in what it is for")
	flags.StringVar(&l.access, "access", "", "only this kind of `access`: "+strings.Join(providers.Accesses(), ", "))
	verb.Choose(flags, "access", providers.Accesses()...)
	flags.StringVar(&l.search, "search", "", "only those with this `word` in the scope or in what it opens")
	flags.BoolVar(&l.live, "live", false, "ask the profile's service for the scopes it publishes too")
}

// listed is a scope in `scopes list -o json`.
type listed struct {
	Provider string `json:"provider"`
	providers.KnownScope
	// Asked says that the profile asks for it.
	Asked bool `json:"asked"`
	// Known says that the service's page names it.
	Known bool `json:"known"`
	// Live says that the service publishes it; absent without --live.
	Live *bool `json:"live,omitempty"`
	// remark stands for what it opens where the page does not name it.
	remark string
	// short says in a few words what it opens, issuer what the service calls who publishes it.
	short, issuer string
}

func (l *list) run(ctx context.Context, args []string) error {
	if l.access != "" && !slices.Contains(providers.Accesses(), l.access) {
		return verb.Usagef("--access %q is not one of %s", l.access, strings.Join(providers.Accesses(), ", "))
	}
	target, err := l.target(args)
	if err != nil {
		return err
	}
	only := target.services[0]
	if l.live || target.profile != nil && only.Catalogue == nil {
		return l.showLive(ctx, target)
	}
	if len(target.services) == 1 && only.Catalogue == nil {
		l.UI.Note("which scopes there are each issuer says itself: authctl scopes list PROFILE")
		return l.print(target, make([][]listed, len(target.services)))
	}
	return l.show(target)
}

func (l *list) show(target target) error {
	lists, found := make([][]listed, len(target.services)), 0
	for i, service := range target.services {
		lists[i] = slices.DeleteFunc(target.of(service), func(s listed) bool { return !l.shows(s, target.word) })
		found += len(lists[i])
	}
	switch {
	case found == 0 && target.guessed != "":
		return l.noSuchTarget(target.guessed)
	case found == 0:
		l.UI.Note("no scope in the catalogue fits; see them all with: authctl scopes list")
	case target.guessed != "":
		l.UI.Note(target.guessed + " is neither a profile nor a provider: these are the scopes with that word")
	}
	return l.print(target, lists)
}

// target is what a list is about.
type target struct {
	services []providers.Spec
	// profile marks the scopes that it asks for; nil for none.
	profile *config.Profile
	word    string
	// guessed is an argument that is neither a profile nor a provider, taken for a word.
	guessed string
	// live are the scopes that the service publishes; nil without --live.
	live []string
}

// target reads the arguments: a profile or a provider, and a word.
func (l *list) target(args []string) (target, error) {
	name, target := l.service.Profile.Name, target{services: l.Services(), word: l.search}
	if name == "" && len(args) > 0 || len(args) > 0 && name == args[0] {
		name, args = args[0], args[1:]
	}
	if len(args) > 0 && l.search != "" || len(args) > 1 {
		return target, verb.Usagef("two words to search for: %q and %q", args[0], append(args, l.search)[1])
	}
	if len(args) > 0 {
		target.word = args[0]
	}
	if name == "" && !l.profileInEnvironment() {
		return target, nil
	}
	if _, err := l.Local(); err != nil {
		return target, err
	}
	named := l.service
	named.Profile.Name = name
	profile, err := l.Pick(&named, nil, nil)
	if err == nil {
		target.profile, target.services = profile, []providers.Spec{profile.Service}
		return target, nil
	}
	if name == "" || l.service.Profile.Name != "" {
		return target, err
	}
	return l.provider(target, name, err)
}

// profileInEnvironment reports whether the environment names a profile, or is one.
func (l *list) profileInEnvironment() bool {
	profile, _ := l.LookupEnv("AUTHCTL_PROFILE")
	provider, _ := l.LookupEnv("AUTHCTL_PROVIDER")
	return profile+provider != ""
}

// provider goes on where there is no profile of that name: it may be a provider,
// or a word to search for. why says what is wrong with the profile.
func (l *list) provider(target target, name string, why error) (target, error) {
	missing := errors.Is(why, config.ErrNoProfile)
	if missing {
		l.Subject.Profile = ""
	}
	if service, err := l.Service(name); err == nil {
		if !missing {
			l.UI.Warn("no profile is looked at: " + why.Error())
		}
		l.Subject.Provider, target.services = service.Name, []providers.Spec{service}
		return target, nil
	}
	switch {
	case !missing:
		return target, why
	case target.word != "":
		return target, l.noSuchTarget(name)
	}
	target.word, target.guessed = name, name
	return target, nil
}

// noSuchTarget is the error for what is nothing that can be listed.
func (l *list) noSuchTarget(name string) error {
	names := l.ProfileNames()
	for _, s := range l.Services() {
		names = append(names, s.Name)
	}
	if near := setting.Nearest(name, names); near != "" {
		return verb.Usagef("%q is neither a profile nor a provider, and no scope has that word; did you mean %s?", name, near)
	}
	return verb.Usagef("%q is neither a profile nor a provider, and no scope has that word", name)
}

// shows reports whether a scope is one of those that are looked for.
func (l *list) shows(s listed, word string) bool {
	has := func(text, part string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(part)) }
	return (l.access == "" || s.Access == l.access) &&
		(l.api == "" || has(s.API+"\n"+s.About, l.api)) &&
		(word == "" || has(s.Name+"\n"+s.API+"\n"+s.About, word))
}

// showLive lists with what the profile's service publishes.
func (l *list) showLive(ctx context.Context, target target) error {
	if len(target.services) == 1 {
		if err := target.services[0].Require(providers.LiveScopes, l.Services()); err != nil {
			return err
		}
	}
	if target.profile == nil {
		return verb.Usagef("--live asks the service of a profile: name one")
	}
	c, err := l.OpenProfile(&l.service, target.profile)
	if err != nil {
		return err
	}
	err = c.Bounded(l.Watched(ctx), providers.Session{}, func(ctx context.Context, _ providers.Session) error {
		target.live, err = c.Provider.Scopes(ctx)
		return err
	})
	if err != nil {
		return l.DryRan(c, fmt.Errorf("asking which scopes there are: %w", err))
	}
	return l.show(target)
}
