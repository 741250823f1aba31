package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/setting"
	"github.com/spf13/cobra"
)

// scopesListOptions are the flags of `scopes list`.
type scopesListOptions struct {
	verb.Service
	output              verb.Output
	api, access, search string
	live                bool
}

func (a *app) scopesList() *cobra.Command {
	o := &scopesListOptions{}
	command := &cobra.Command{
		Use:   "list [PROVIDER|PROFILE] [WORD]",
		Short: "List the scopes that the services' pages name, with what each opens",
		Long: `List the scopes that the services' pages name, with what each opens: of one service, or
of all when none is named. For a profile those that it asks for are marked; a name that
is both a profile's and a provider's is the profile's. WORD narrows the list down, as
--search does. Nothing is sent and no secret is needed, except with --live, which asks
the profile's service for the scopes it publishes.`,
		Example: `  authctl scopes list talkdesk contacts
  authctl scopes list engage --access read
  authctl scopes list talkdesk --api guardian -o raw`,
		Args: verb.Arguments(0, 2, "PROVIDER"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.Begin(&o.output); err != nil {
				return err
			}
			return a.runScopesList(command.Context(), o, args)
		},
		ValidArgsFunction: a.completeProviderOrProfile,
	}
	flags := command.Flags()
	o.Bind(flags, append(verb.ForCachedTokens(), "store")...)
	o.output.Bind(flags, "table", "json", "raw")
	flags.StringVar(&o.api, "api", "", "only those whose API has this `text` in its name or in what it is for")
	flags.StringVar(&o.access, "access", "", "only this kind of `access`: "+strings.Join(providers.Accesses(), ", "))
	verb.Choose(flags, "access", providers.Accesses()...)
	flags.StringVar(&o.search, "search", "", "only those with this `word` in the scope or in what it opens")
	flags.BoolVar(&o.live, "live", false, "ask the profile's service for the scopes it publishes too")
	return command
}

// listedScope is a scope in `scopes list -o json`.
type listedScope struct {
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
	// short says in a few words what it opens.
	short string
}

func (a *app) runScopesList(ctx context.Context, o *scopesListOptions, args []string) error {
	if o.access != "" && !slices.Contains(providers.Accesses(), o.access) {
		return verb.Usagef("--access %q is not one of %s", o.access, strings.Join(providers.Accesses(), ", "))
	}
	target, err := a.listTarget(o, args)
	if err != nil {
		return err
	}
	if o.live {
		return a.listLive(ctx, o, target)
	}
	return a.listScopes(o, target)
}

func (a *app) listScopes(o *scopesListOptions, target listTarget) error {
	lists, found := make([][]listedScope, len(target.services)), 0
	for i, service := range target.services {
		lists[i] = slices.DeleteFunc(target.of(service), func(s listedScope) bool { return !o.shows(s, target.word) })
		found += len(lists[i])
	}
	switch {
	case found == 0 && target.guessed != "":
		return a.noSuchTarget(target.guessed)
	case found == 0:
		a.UI.Note("no scope in the catalogue fits; see them all with: authctl scopes list")
	case target.guessed != "":
		a.UI.Note(target.guessed + " is neither a profile nor a provider: these are the scopes with that word")
	}
	return a.showScopes(o, target, lists)
}

// listTarget is what a list is about.
type listTarget struct {
	services []providers.Spec
	// profile marks the scopes that it asks for; nil for none.
	profile *config.Profile
	word    string
	// guessed is an argument that is neither a profile nor a provider, taken for a word.
	guessed string
	// live are the scopes that the service publishes; nil without --live.
	live []string
}

// listTarget reads the arguments: a profile or a provider, and a word.
func (a *app) listTarget(o *scopesListOptions, args []string) (listTarget, error) {
	name, target := o.Profile.Name, listTarget{services: a.Services, word: o.search}
	if name == "" && len(args) > 0 || len(args) > 0 && name == args[0] {
		name, args = args[0], args[1:]
	}
	if len(args) > 0 && o.search != "" || len(args) > 1 {
		return target, verb.Usagef("two words to search for: %q and %q", args[0], append(args, o.search)[1])
	}
	if len(args) > 0 {
		target.word = args[0]
	}
	if name == "" && !a.profileInEnvironment() {
		return target, nil
	}
	if _, err := a.Local(); err != nil {
		return target, err
	}
	named := o.Service
	named.Profile.Name = name
	profile, err := a.Pick(&named, nil, nil)
	if err == nil {
		target.profile, target.services = profile, []providers.Spec{profile.Service}
		return target, nil
	}
	if name == "" || o.Profile.Name != "" {
		return target, err
	}
	return a.listProvider(target, name, err)
}

// profileInEnvironment reports whether the environment names a profile, or is one.
func (a *app) profileInEnvironment() bool {
	profile, _ := a.LookupEnv("AUTHCTL_PROFILE")
	provider, _ := a.LookupEnv("AUTHCTL_PROVIDER")
	return profile+provider != ""
}

// listProvider goes on where there is no profile of that name: it may be a provider,
// or a word to search for. why says what is wrong with the profile.
func (a *app) listProvider(target listTarget, name string, why error) (listTarget, error) {
	missing := errors.Is(why, config.ErrNoProfile)
	if service, err := a.Service(name); err == nil {
		if !missing {
			a.UI.Warn("no profile is looked at: " + why.Error())
		}
		a.Subject.Provider, target.services = service.Name, []providers.Spec{service}
		return target, nil
	}
	switch {
	case !missing:
		return target, why
	case target.word != "":
		return target, a.noSuchTarget(name)
	}
	target.word, target.guessed = name, name
	return target, nil
}

// noSuchTarget is the error for what is nothing that can be listed.
func (a *app) noSuchTarget(name string) error {
	names := a.ProfileNames()
	for _, s := range a.Services {
		names = append(names, s.Name)
	}
	if near := setting.Nearest(name, names); near != "" {
		return verb.Usagef("%q is neither a profile nor a provider, and no scope has that word; did you mean %s?", name, near)
	}
	return verb.Usagef("%q is neither a profile nor a provider, and no scope has that word", name)
}

// shows reports whether a scope is one of those that are looked for.
func (o *scopesListOptions) shows(s listedScope, word string) bool {
	has := func(text, part string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(part)) }
	return (o.access == "" || s.Access == o.access) &&
		(o.api == "" || has(s.API+"\n"+s.About, o.api)) &&
		(word == "" || has(s.Name+"\n"+s.API+"\n"+s.About, word))
}

// lister opens the profile for --live.
func (a *app) lister(o *scopesListOptions, target listTarget) (*client.Client, error) {
	if target.profile == nil && len(target.services) == 1 {
		if err := target.services[0].Require(providers.LiveScopes, a.Services); err != nil {
			return nil, err
		}
	}
	if target.profile == nil {
		return nil, verb.Usagef("--live asks the service of a profile: name one")
	}
	s, err := a.OpenProfile(&o.Service, target.profile)
	if err != nil {
		return nil, err
	}
	return s, s.Profile.Service.Require(providers.LiveScopes, a.Services)
}

// listLive lists with what the profile's service publishes.
func (a *app) listLive(ctx context.Context, o *scopesListOptions, target listTarget) error {
	s, err := a.lister(o, target)
	if err != nil {
		return err
	}
	err = s.Bounded(a.Watched(ctx), providers.Session{}, func(ctx context.Context, _ providers.Session) error {
		target.live, err = s.Provider.Scopes(ctx)
		return err
	})
	if err != nil {
		return a.DryRan(s, fmt.Errorf("asking which scopes there are: %w", err))
	}
	return a.listScopes(o, target)
}
