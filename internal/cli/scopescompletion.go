package cli

import (
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/secret"
	"github.com/spf13/cobra"
)

// completeScope offers the catalogue of the service that the command is about. It is
// offline and fetches no secret.
func (a *app) completeScope(command *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	service, ok := a.serviceOf(command, args)
	if !ok {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completeScopes(service, begun), cobra.ShellCompDirectiveNoFileComp
}

// completeSetting offers the settings of `profile add --set`, behind scopes= the
// catalogue of the service that --provider names, and behind others what they may be.
func (a *app) completeSetting(command *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	service, err := a.Service(command.Flag("provider").Value.String())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	found := []string{}
	if list, ok := strings.CutPrefix(begun, "scopes="); ok {
		for _, name := range completeScopes(service, list) {
			found = append(found, "scopes="+name)
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
	for _, d := range service.Settings {
		if strings.HasPrefix(begun, d.Name+"=") && len(d.Values) > 0 {
			for _, value := range d.Values {
				found = append(found, d.Name+"="+value)
			}
			return found, cobra.ShellCompDirectiveNoFileComp
		}
	}
	for _, d := range service.Settings {
		found = append(found, d.Name+"=\t"+secret.CleanText(d.Help))
	}
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeScopes are the scopes of a service's catalogue, each behind those of a list
// that are there already.
func completeScopes(service providers.Spec, begun string) []string {
	before := begun[:strings.LastIndexAny(begun, ", ")+1]
	chosen, found := config.Words(before), []string{}
	catalogue := scopes.CatalogueOf(service)
	for _, k := range catalogue.Scopes {
		if !slices.Contains(chosen, k.Name) {
			found = append(found, before+k.Name+"\t"+described(catalogue, k))
		}
	}
	return found
}

// described is what a shell shows beside a scope.
func described(c providers.Catalogue, k providers.KnownScope) string {
	text := scopes.OpensIn(c, k)
	if k.Access == "" || text == k.About {
		return secret.CleanText(text)
	}
	return secret.CleanText(k.Access + ", " + text)
}

// serviceOf returns the service of the profile on the command line so far.
func (a *app) serviceOf(command *cobra.Command, args []string) (providers.Spec, bool) {
	name := command.Flag("profile").Value.String()
	if len(args) > 0 && name == "" {
		name = args[0]
	}
	file, err := a.File()
	if err != nil {
		return providers.Spec{}, false
	}
	profile, err := file.Profile(name, nil)
	if err != nil {
		return providers.Spec{}, false
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
	found := a.ProfileNames()
	for _, s := range a.Services {
		if !slices.Contains(found, s.Name) {
			found = append(found, s.Name+"\t"+s.Title)
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}
