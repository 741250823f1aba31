package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/config/edit"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

func (a *app) profiles() *cobra.Command {
	return a.Group("profile", "The profiles, and where each value comes from",
		verb.Made{Name: "list", Make: made(a.profileList)}, verb.Made{Name: "show", Make: made(a.profileShow)}, verb.Made{Name: "add", Make: made(a.profileAdd)},
		verb.Made{Name: "remove", Make: made(a.profileRemove)}, verb.Made{Name: "use", Make: made(a.profileUse)},
	)
}

// shownProfile is a profile in `profile list -o json`.
type shownProfile struct {
	Name     string `json:"name"`
	Provider string `json:"provider"`
	Account  string `json:"account"`
	Default  bool   `json:"default"`
	Problem  string `json:"problem,omitempty"`
}

func (a *app) profileList() *cobra.Command {
	output := &verb.Output{}
	command := &cobra.Command{
		Use:   "list",
		Short: "List the profiles of the configuration file",
		Args:  verb.Arguments(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			if err := a.Begin(output); err != nil {
				return err
			}
			return a.runProfileList(output)
		},
	}
	output.Bind(command.Flags(), "table", "json")
	return command
}

func (a *app) runProfileList(output *verb.Output) error {
	file, err := a.File()
	if err != nil {
		return err
	}
	summaries, err := file.List()
	if err != nil {
		return err
	}
	list := []shownProfile{}
	table := term.Table{Header: []string{"NAME", "PROVIDER", "ACCOUNT", "DEFAULT", "PROBLEM"}}
	for _, s := range summaries {
		p := shownProfile{Name: s.Name, Provider: s.Provider, Account: s.Account, Default: s.Default}
		if s.Err != nil {
			p.Problem = s.Err.Error()
		}
		list = append(list, p)
		table.Rows = append(table.Rows, []string{p.Name, p.Provider, p.Account, mark(p.Default), p.Problem})
	}
	if len(list) == 0 && !output.JSON() {
		a.UI.Note("there is no profile in " + cmp.Or(file.Path, "any file, for there is no home directory") +
			"; make one with: authctl profile add NAME")
	}
	if name, err := file.Default(); err == nil && name != "" && !slices.ContainsFunc(list, func(p shownProfile) bool {
		return p.Name == name
	}) {
		a.UI.Warn("default_profile " + config.NamesNothing(name))
	}
	return a.List(output, "profiles", list, table)
}

func mark(on bool) string {
	if on {
		return "*"
	}
	return ""
}

func (a *app) profileShow() *cobra.Command {
	output, choice := &verb.Output{}, &verb.Profile{}
	command := &cobra.Command{
		Use:   "show [PROFILE]",
		Short: "Show a profile's effective values and where each comes from",
		Args:  verb.Arguments(0, 1, "PROFILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := a.Begin(output); err != nil {
				return err
			}
			name, err := choice.Choose(args)
			if err != nil {
				return err
			}
			return a.runProfileShow(output, name)
		},
		ValidArgsFunction: a.CompleteProfile,
	}
	choice.Bind(command.Flags())
	output.Bind(command.Flags(), "table", "json")
	return command
}

func (a *app) runProfileShow(output *verb.Output, name string) error {
	file, err := a.File()
	if err != nil {
		return err
	}
	p, err := file.Profile(name, nil)
	if err != nil {
		return err
	}
	type item struct {
		Name   string `json:"name"`
		Value  string `json:"value"`
		Origin string `json:"origin"`
		Secret bool   `json:"secret"`
	}
	items := []item{}
	table := term.Table{Header: []string{"SETTING", "VALUE", "FROM"}}
	for _, i := range p.Describe() {
		items = append(items, item(i))
		table.Rows = append(table.Rows, []string{i.Name, i.Value, i.Origin})
	}
	// What is missing does not hide what is there.
	if err := p.Settings.Check(p.Service.Settings); err != nil {
		a.UI.Warn(err.Error())
	}
	if output.JSON() {
		return a.UI.JSON(map[string]any{"profile": p.Name, "settings": items})
	}
	return a.UI.Table(table)
}

func (a *app) profileRemove() *cobra.Command {
	return &cobra.Command{
		Use:   "remove PROFILE",
		Short: "Remove a profile from the configuration file",
		Long: `Remove a profile from the configuration file, and the secrets that profile add put
into the keyring for it. Its tokens are forgotten; sign out first to end them at a
service that has it. The rest of the file stays as it is.`,
		Args: verb.Arguments(1, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.Begin(nil); err != nil {
				return err
			}
			return a.runProfileRemove(command.Context(), args[0])
		},
		ValidArgsFunction: a.CompleteProfile,
	}
}

func (a *app) runProfileRemove(ctx context.Context, name string) error {
	setup, err := a.changing(ctx, func(setup *client.Local, file *config.File) error {
		own, err := file.OwnSecrets(name, secretName(name, ""))
		if err != nil {
			a.UI.Warn("its secrets stay in the keyring: " + err.Error())
		}
		if err := edit.Remove(file, name); err != nil {
			return err
		}
		a.UI.Note("profile " + name + " removed from " + file.Path)
		for _, secret := range own {
			if err := setup.Keyring.DeleteSecret(ctx, secret); err != nil {
				a.UI.Warn("the secret " + secret + " is still in the keyring: " + err.Error())
				continue
			}
			a.UI.Note("the secret " + secret + " is deleted from the keyring")
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.forgetTokensOf(ctx, setup, name)
}

// changing has change edit the configuration file, under its lock: of many processes
// that do so at once each reads what the one before has written.
func (a *app) changing(ctx context.Context, change func(*client.Local, *config.File) error) (*client.Local, error) {
	file, err := a.File()
	if err != nil {
		return nil, err
	}
	local, err := a.Local()
	if err != nil {
		return nil, err
	}
	return local, local.Change(ctx, file.Path, func(file *config.File) error { return change(local, file) })
}

// forgetTokensOf takes away what is cached for a profile that is gone. A store that
// cannot be used has nothing to take away.
func (a *app) forgetTokensOf(ctx context.Context, setup *client.Local, name string) error {
	kept, err := setup.QuietStore()
	if err != nil {
		return err
	}
	entries, err := kept.List(ctx)
	if err != nil {
		a.UI.Warn("a token of the profile may still be stored: " + err.Error())
	}
	for _, e := range entries {
		if e.Profile != name {
			continue
		}
		if err := kept.Delete(ctx, e.Key); err != nil {
			return fmt.Errorf("forgetting the token of profile %s: %w", name, err)
		}
		text := "its token is forgotten here and valid until " + moment.End(e.Expiry)
		if service, err := a.Service(e.Key.Provider); err == nil && service.Has(providers.SignOut) {
			text += "; to end it at the service, sign out before the profile is removed: " + a.CommandFor(name, "signout")
		}
		a.UI.Note(text)
	}
	return nil
}

// secretName is where profile add keeps a secret in the keyring. Names that begin so
// are its own: profile remove takes them away.
func secretName(profile, setting string) string { return "profile/" + profile + "/" + setting }

func (a *app) profileUse() *cobra.Command {
	return &cobra.Command{
		Use:   "use PROFILE",
		Short: "Make a profile the default",
		Args:  verb.Arguments(1, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.Begin(nil); err != nil {
				return err
			}
			_, err := a.changing(command.Context(), func(_ *client.Local, file *config.File) error {
				if err := edit.SetDefault(file, args[0]); err != nil {
					return err
				}
				a.UI.Note("profile " + args[0] + " is the default in " + file.Path)
				return nil
			})
			return err
		},
		ValidArgsFunction: a.CompleteProfile,
	}
}
