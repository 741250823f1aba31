package profile

import (
	"cmp"
	"context"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

// Providers returns the command `providers`.
func Providers(d *verb.Deps) *cobra.Command {
	return d.Group("providers", "The services, their settings and what each can do",
		verb.Made{Name: "list", Make: providersList}, verb.Made{Name: "show", Make: providersShow})
}

// service is a service in `providers list -o json`.
type service struct {
	Name   string   `json:"name"`
	Title  string   `json:"title"`
	Grants []string `json:"grants"`
	Verbs  []string `json:"verbs"`
	Docs   []string `json:"docs"`
}

func serviceOf(s providers.Spec) service {
	return service{Name: s.Name, Title: s.Title, Grants: s.Grants(), Verbs: verbsOf(s), Docs: s.Docs}
}

func providersList(d *verb.Deps) *cobra.Command {
	output := &verb.Output{}
	return d.Command(cobra.Command{
		Use:   "list",
		Short: "List the services",
	}, verb.Flags{Output: output, Formats: []string{"table", "json"}}, func(context.Context, []string) error {
		list := []service{}
		table := term.Table{Header: []string{"NAME", "SERVICE", "GRANTS"}}
		for _, spec := range d.Services() {
			s := serviceOf(spec)
			list = append(list, s)
			table.Rows = append(table.Rows, []string{s.Name, s.Title, strings.Join(s.Grants, ", ")})
		}
		return d.List(output, "providers", list, table)
	})
}

func providersShow(d *verb.Deps) *cobra.Command {
	output := &verb.Output{}
	return d.Command(cobra.Command{
		Use:   "show PROVIDER",
		Short: "Show what a profile of a service is made of",
		Args:  verb.Arguments(1, 1, "PROVIDER"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return completeProvider(d, args)
		},
	}, verb.Flags{Output: output, Formats: []string{"table", "json"}}, func(_ context.Context, args []string) error {
		spec, err := d.Service(args[0])
		if err != nil {
			return err
		}
		return showService(d, spec, output)
	})
}

// described is a setting in `providers show -o json`.
type described struct {
	Name     string   `json:"name"`
	Kind     string   `json:"kind"`
	Required bool     `json:"required"`
	When     string   `json:"when,omitempty"`
	Default  string   `json:"default,omitempty"`
	Values   []string `json:"values,omitempty"`
	Env      string   `json:"env"`
	Help     string   `json:"help"`
	Example  string   `json:"example,omitempty"`
}

func showService(d *verb.Deps, spec providers.Spec, output *verb.Output) error {
	settings := []described{}
	table := term.Table{Header: []string{"SETTING", "NEEDED", "DEFAULT", "MEANING"}}
	for _, s := range spec.Settings() {
		settings = append(settings, described{
			Name: s.Name, Kind: s.Kind.String(), Required: s.Required, When: when(s), Default: s.Default,
			Values: s.Values, Env: s.Env(), Help: s.Help, Example: s.Example,
		})
		table.Rows = append(table.Rows, []string{s.Name, need(s), s.Default, meaning(s)})
	}
	if output.JSON() {
		return d.UI.JSON(map[string]any{"provider": serviceOf(spec), "settings": settings})
	}
	var b strings.Builder
	b.WriteString(d.UI.Out.Strong(spec.Title) + " (" + spec.Name + ")\n")
	for _, address := range spec.Docs {
		b.WriteString(d.UI.Out.Faint(address) + "\n")
	}
	b.WriteString(d.UI.Beside("can: ", strings.Join(verbsOf(spec), ", ")) + "\n")
	b.WriteString(d.UI.Fit(table).String())
	return d.UI.Print(b.String())
}

// completeProvider offers the services where no argument is there yet.
func completeProvider(d *verb.Deps, args []string) (found []string, _ cobra.ShellCompDirective) {
	if len(args) == 0 {
		for _, s := range d.Services() {
			found = append(found, s.Name+"\t"+s.Title)
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// when says under which condition a setting is required, empty for always.
func when(d setting.Setting) string {
	words := []string{}
	if d.If != nil {
		words = append(words, "when "+condition(*d.If))
	}
	for _, c := range d.Unless {
		words = append(words, "unless "+condition(c))
	}
	return strings.Join(words, ", ")
}

func condition(c setting.Condition) string {
	if c.Is == "" {
		return "there is " + c.Setting
	}
	return c.Setting + " is " + c.Is
}

func need(d setting.Setting) string {
	if !d.Required {
		return ""
	}
	return cmp.Or(when(d), "yes")
}

func meaning(d setting.Setting) string {
	if len(d.Values) > 0 {
		return d.Help + ": " + strings.Join(d.Values, ", ")
	}
	return d.Help
}
