package cli

import (
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/spf13/cobra"
)

// completeScope offers the catalogue of the service that the command is about, also
// behind a comma. It is offline and fetches no secret.
func (a *app) completeScope(command *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	service, ok := a.serviceOf(command, args)
	if !ok {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	before := begun[:strings.LastIndexAny(begun, ", ")+1]
	chosen, found := config.Words(before), []string{}
	for _, k := range catalogueOf(service).Scopes {
		if !slices.Contains(chosen, k.Name) {
			found = append(found, before+k.Name+"\t"+described(k))
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// described is what a shell shows beside a scope.
func described(k providers.KnownScope) string {
	if k.Access == "" || opens(k) == k.About {
		return oauth.CleanText(opens(k))
	}
	return oauth.CleanText(k.Access + ", " + opens(k))
}

// serviceOf returns the service of the profile on the command line so far.
func (a *app) serviceOf(command *cobra.Command, args []string) (providers.Service, bool) {
	name := command.Flag("profile").Value.String()
	if len(args) > 0 && name == "" {
		name = args[0]
	}
	file, _, err := a.file()
	if err != nil {
		return providers.Service{}, false
	}
	profile, err := file.Profile(name, nil)
	if err != nil {
		return providers.Service{}, false
	}
	return profile.Service, true
}

// completeProviderOrProfile offers both, a name that is both once.
func (a *app) completeProviderOrProfile(
	_ *cobra.Command, args []string, _ string,
) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	found := a.profileNames()
	for _, s := range a.services {
		if !slices.Contains(found, s.Name) {
			found = append(found, s.Name+"\t"+s.Title)
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}
