package cli

import (
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

func (a *app) providersCommand() *cobra.Command {
	return a.Group("providers", "The services, their settings and what each can do",
		verb.Made{Name: "list", Make: made(a.providersList)}, verb.Made{Name: "show", Make: made(a.providersShow)})
}

// shownProvider is a service in `providers list -o json`.
type shownProvider struct {
	Name   string   `json:"name"`
	Title  string   `json:"title"`
	Grants []string `json:"grants"`
	Verbs  []string `json:"verbs"`
	Docs   []string `json:"docs"`
}

// shownSetting is a setting in `providers show -o json`.
type shownSetting struct {
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

func (a *app) providersList() *cobra.Command {
	output := &verb.Output{}
	command := &cobra.Command{
		Use:   "list",
		Short: "List the services",
		Args:  verb.Arguments(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			if err := a.Begin(output); err != nil {
				return err
			}
			list := []shownProvider{}
			table := term.Table{Header: []string{"NAME", "SERVICE", "GRANTS"}}
			for _, s := range a.Services {
				p := shown(s)
				list = append(list, p)
				table.Rows = append(table.Rows, []string{p.Name, p.Title, strings.Join(p.Grants, ", ")})
			}
			return a.List(output, "providers", list, table)
		},
	}
	output.Bind(command.Flags(), "table", "json")
	return command
}

func (a *app) providersShow() *cobra.Command {
	output := &verb.Output{}
	command := &cobra.Command{
		Use:   "show PROVIDER",
		Short: "Show what a profile of a service is made of",
		Args:  verb.Arguments(1, 1, "PROVIDER"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := a.Begin(output); err != nil {
				return err
			}
			service, err := a.Service(args[0])
			if err != nil {
				return err
			}
			return a.showProvider(output, service)
		},
		ValidArgsFunction: a.completeProvider,
	}
	output.Bind(command.Flags(), "table", "json")
	return command
}

func (a *app) showProvider(output *verb.Output, service providers.Spec) error {
	settings := []shownSetting{}
	table := term.Table{Header: []string{"SETTING", "NEEDED", "DEFAULT", "MEANING"}}
	for _, d := range service.Settings {
		s := shownSetting{
			Name: d.Name, Kind: kindName(d.Kind), Required: d.Required, When: when(d), Default: d.Default,
			Values: d.Values, Env: d.Env(), Help: d.Help, Example: d.Example,
		}
		settings = append(settings, s)
		table.Rows = append(table.Rows, []string{s.Name, need(s), s.Default, meaning(s)})
	}
	if output.JSON() {
		p := shown(service)
		return a.UI.JSON(map[string]any{"provider": p, "settings": settings})
	}
	var b strings.Builder
	b.WriteString(a.UI.Out.Strong(service.Title) + " (" + service.Name + ")\n")
	for _, address := range service.Docs {
		b.WriteString(a.UI.Out.Faint(address) + "\n")
	}
	b.WriteString(a.UI.Beside("can: ", strings.Join(verbsOf(service), ", ")) + "\n")
	if _, err := a.UI.Fit(table).WriteTo(&b); err != nil {
		return err
	}
	return a.UI.Print(b.String())
}

func (a *app) completeProvider(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	found := []string{}
	for _, s := range a.Services {
		found = append(found, s.Name+"\t"+s.Title)
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

func shown(s providers.Spec) shownProvider {
	p := shownProvider{Name: s.Name, Title: s.Title, Verbs: verbsOf(s), Docs: s.Docs}
	for _, d := range s.Settings {
		if d.Name == "grant" {
			p.Grants = d.Values
		}
	}
	return p
}

func kindName(k setting.Kind) string {
	switch k {
	case setting.List:
		return "list"
	case setting.Bool:
		return "bool"
	case setting.Number:
		return "number"
	case setting.Secret:
		return "secret"
	}
	return "text"
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

func need(s shownSetting) string {
	if !s.Required {
		return ""
	}
	if s.When != "" {
		return s.When
	}
	return "yes"
}

func meaning(s shownSetting) string {
	if len(s.Values) > 0 {
		return s.Help + ": " + strings.Join(s.Values, ", ")
	}
	return s.Help
}
