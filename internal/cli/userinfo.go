package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/providers"
	"github.com/spf13/cobra"
)

// userinfoOptions are the flags of `userinfo`.
type userinfoOptions struct {
	verb.Service
	output verb.Output
	view   string
}

func (a *app) userinfo() *cobra.Command {
	o := &userinfoOptions{}
	command := &cobra.Command{
		Use: "userinfo [PROFILE]", SuggestFor: []string{"whoami", "me"},
		Short: "Tell who the token speaks for",
		Long: `Tell who the token speaks for, as the service says it. Genesys has three views: user,
openid, and jwt, which is decoded and not verified.`,
		Args: verb.Arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.Begin(&o.output); err != nil {
				return err
			}
			return a.runUserinfo(a.Watched(command.Context()), o, args)
		},
		ValidArgsFunction: a.CompleteProfile,
	}
	o.Bind(command.Flags())
	o.output.Bind(command.Flags(), "table", "json")
	command.Flags().StringVar(&o.view, "view", "", "what to ask for: user, openid or jwt (Genesys)")
	verb.Choose(command.Flags(), "view", "user", "openid", "jwt")
	return command
}

func (a *app) runUserinfo(ctx context.Context, o *userinfoOptions, args []string) error {
	s, err := a.Open(&o.Service, args)
	if err != nil {
		return err
	}
	if err := s.Profile.Service.Require(providers.UserInfo, a.Services); err != nil {
		return err
	}
	view, err := chooseView(s.Profile.Service, o.view)
	if err != nil {
		return err
	}
	var info providers.Claims
	err = s.With(ctx, func(ctx context.Context, with providers.Session) error {
		info, err = s.Provider.UserInfo(ctx, with, view)
		return err
	})
	if err != nil {
		return a.DryRan(s, err)
	}
	if info.Unverified {
		a.UI.Warn("unverified: these are the claims of a JWT whose signature nobody checked")
	}
	return a.Object(&o.output, info.JSON)
}

// chooseView returns the view that is asked for, the service's first when none is.
func chooseView(service providers.Spec, view string) (string, error) {
	views := service.Views()
	switch {
	case view == "" && len(views) > 0:
		return views[0], nil
	case view != "" && len(views) == 0:
		return "", verb.Usagef("--view: %s has one view only", service.Title)
	case view != "" && !slices.Contains(views, view):
		return "", verb.Usagef("--view %q is not one of %s", view, strings.Join(views, ", "))
	}
	return view, nil
}
