package scopes

import (
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/config/kinds"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
	"github.com/spf13/cobra"
)

// Complete offers the catalogue of the service that the command is about. It is
// offline and fetches no secret.
func Complete(d *verb.Deps) cobra.CompletionFunc {
	return func(command *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		name := command.Flag("profile").Value.String()
		if len(args) > 0 && name == "" {
			name = args[0]
		}
		file, err := d.File()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		profile, err := file.Profile(name, nil)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return ofCatalogue(profile.Service, begun), cobra.ShellCompDirectiveNoFileComp
	}
}

// CompleteSetting offers the settings of `profile add --set`, behind scopes= the
// catalogue of the service that --provider names, and behind others what they may be.
func CompleteSetting(d *verb.Deps) cobra.CompletionFunc {
	return func(command *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		service, err := d.Service(command.Flag("provider").Value.String())
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		name, value, given := strings.Cut(begun, "=")
		if given && name == "scopes" {
			return behind("scopes=", ofCatalogue(service, value)), cobra.ShellCompDirectiveNoFileComp
		}
		found := []string{}
		for _, s := range service.Settings() {
			if given && s.Name == name {
				return behind(name+"=", valuesOf(s)), cobra.ShellCompDirectiveNoFileComp
			}
			found = append(found, s.Name+"=\t"+secret.CleanText(s.Help))
		}
		return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// valuesOf are those that a setting may have, or some of them; none where nobody knows.
func valuesOf(d setting.Setting) []string {
	switch {
	case d.Kind == setting.Bool:
		return []string{"true", "false"}
	case len(d.Values) > 0:
		return d.Values
	}
	return d.Known
}

func behind(prefix string, words []string) []string {
	found := make([]string, len(words))
	for i, word := range words {
		found[i] = prefix + word
	}
	return found
}

// ofCatalogue are the scopes of a service's catalogue, each behind those of a list
// that are there already.
func ofCatalogue(service providers.Spec, begun string) []string {
	before := begun[:strings.LastIndexAny(begun, ", ")+1]
	chosen, found := kinds.Words(before), []string{}
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

// completeTarget offers providers and profiles, a name that is both once.
func (l *list) completeTarget(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	found := l.ProfileNames()
	for _, s := range l.Services() {
		if !slices.Contains(found, s.Name) {
			found = append(found, s.Name+"\t"+s.Title)
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}
