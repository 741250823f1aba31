// Package profile is what a configuration holds and may hold: the profiles, and the services
// that they can be of.
package profile

import (
	"cmp"
	"context"
	"slices"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

// Command returns the command `profile`.
func Command(d *verb.Deps) *cobra.Command {
	return d.Group("profile", "The profiles, and where each value comes from",
		verb.Made{Name: "list", Make: list}, verb.Made{Name: "show", Make: show}, verb.Made{Name: "add", Make: newAdd},
		verb.Made{Name: "set", Make: newSet}, verb.Made{Name: "rename", Make: rename},
		verb.Made{Name: "remove", Make: remove}, verb.Made{Name: "use", Make: use},
	)
}

// listed is a profile in `profile list -o json`.
type listed struct {
	Name     string `json:"name"`
	Provider string `json:"provider"`
	Account  string `json:"account"`
	Default  bool   `json:"default"`
	// Extends is the base, and File the file that includes have brought in; empty for none.
	Extends string `json:"extends,omitempty"`
	File    string `json:"file,omitempty"`
	Problem string `json:"problem,omitempty"`
}

func list(d *verb.Deps) *cobra.Command {
	output := &verb.Output{}
	return d.Command(cobra.Command{
		Use:   "list",
		Short: "List the profiles of the configuration file",
	}, verb.Flags{Output: output, Formats: []string{"table", "json"}}, func(context.Context, []string) error {
		local, err := d.Local()
		if err != nil {
			return err
		}
		return listIn(d, local, output)
	})
}

func listIn(d *verb.Deps, local *client.Local, output *verb.Output) error {
	file, err := local.File()
	if err != nil {
		return err
	}
	summaries, err := file.List()
	if err != nil {
		return err
	}
	list := []listed{}
	table := term.Table{Header: []string{"NAME", "PROVIDER", "ACCOUNT", "DEFAULT", "PROBLEM"}}
	for _, s := range summaries {
		p := listed{Name: s.Name, Provider: s.Provider, Account: s.Account, Default: s.Default, Extends: s.Base}
		if s.Path != file.Path {
			p.File = s.Path
		}
		if s.Err == nil {
			s.Err = local.CheckProfile(s.Profile, client.Options{})
		}
		if s.Err != nil {
			p.Problem = s.Err.Error()
		}
		list = append(list, p)
		table.Rows = append(table.Rows, []string{p.Name, p.Provider, p.Account, mark(p.Default), p.Problem})
	}
	if len(list) == 0 && !output.JSON() {
		d.UI.Note("there is no profile in " + cmp.Or(file.Path, "any file, for there is no home directory") +
			"; make one with: authctl profile add NAME")
	}
	name, err := file.Default()
	if err == nil && name != "" && !slices.ContainsFunc(list, func(p listed) bool { return p.Name == name }) {
		d.UI.Warn("default_profile " + file.NamesNothing(name))
	}
	return d.List(output, "profiles", list, table)
}

func mark(on bool) string {
	if on {
		return "*"
	}
	return ""
}

// item is a setting in `profile show -o json`.
type item struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
	Secret bool   `json:"secret"`
	// Members are those of a map; a secret's is its reference.
	Members map[string]any `json:"members,omitempty"`
}

func show(d *verb.Deps) *cobra.Command {
	output, choice := &verb.Output{}, &verb.Profile{}
	return d.Command(cobra.Command{
		Use:   "show [PROFILE]",
		Short: "Show a profile's effective values and where each comes from",
	}, verb.Flags{Profile: choice, Output: output, Formats: []string{"table", "json"}},
		func(_ context.Context, args []string) error {
			name, err := choice.Choose(args)
			if err != nil {
				return err
			}
			file, err := d.File()
			if err != nil {
				return err
			}
			p, err := file.Profile(name, nil)
			if err != nil {
				return err
			}
			return showProfile(d, p, output)
		})
}

func showProfile(d *verb.Deps, p *config.Profile, output *verb.Output) error {
	items := []item{}
	table := term.Table{Header: []string{"SETTING", "VALUE", "FROM"}}
	for _, i := range p.Describe() {
		v, _ := p.Settings.Lookup(i.Name)
		items = append(items, item{Name: i.Name, Value: i.Value, Origin: i.Origin, Secret: i.Secret, Members: v.Shown()})
		table.Rows = append(table.Rows, []string{i.Name, i.Value, i.Origin})
	}
	// What is missing does not hide what is there.
	if err := p.Settings.Check(p.Service.Settings()); err != nil {
		d.UI.Warn(err.Error())
	}
	if _, rotating := p.Settings.Before(); rotating {
		d.UI.Note("a rotation is under way: client_secret_old is tried when client_secret is refused; when it is done: " +
			d.CommandFor(p.Name, "profile", "set") + " client_secret_old=")
	}
	if output.JSON() {
		return d.UI.JSON(map[string]any{"profile": p.Name, "settings": items})
	}
	return d.UI.Table(table)
}
