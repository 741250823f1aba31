package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/providers"
	"github.com/spf13/cobra"
)

// userinfoOptions are the flags of `userinfo`.
type userinfoOptions struct {
	serviceFlags
	output outputFlag
	view   string
}

func (a *app) userinfo() *cobra.Command {
	o := &userinfoOptions{}
	command := &cobra.Command{
		Use: "userinfo [PROFILE]", SuggestFor: []string{"whoami", "me"},
		Short: "Tell who the token speaks for",
		Long: `Tell who the token speaks for, as the service says it. Genesys has three views: user,
openid, and jwt, which is decoded and not verified.`,
		Args: arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.begin(&o.output); err != nil {
				return err
			}
			return a.runUserinfo(a.watched(command.Context()), o, args)
		},
		ValidArgsFunction: a.completeProfile,
	}
	o.bind(command.Flags())
	o.output.bind(command.Flags(), "table", "json")
	command.Flags().StringVar(&o.view, "view", "", "what to ask for: user, openid or jwt (Genesys)")
	choose(command.Flags(), "view", "user", "openid", "jwt")
	return command
}

func (a *app) runUserinfo(ctx context.Context, o *userinfoOptions, args []string) error {
	s, err := a.open(&o.serviceFlags, args)
	if err != nil {
		return err
	}
	if err := s.profile.Service.Require(providers.UserInfo, a.services); err != nil {
		return err
	}
	view, err := chooseView(s.profile.Service, o.view)
	if err != nil {
		return err
	}
	var info providers.Claims
	err = s.withToken(ctx, func(ctx context.Context, with providers.Session) error {
		info, err = s.provider.UserInfo(ctx, with, view)
		return err
	})
	if err != nil {
		return a.dryRan(s, err)
	}
	if info.Unverified {
		a.warn("unverified: these are the claims of a JWT whose signature nobody checked")
	}
	return a.object(&o.output, info.JSON)
}

// chooseView returns the view that is asked for, the service's first when none is.
func chooseView(service providers.Spec, view string) (string, error) {
	views := service.Views()
	switch {
	case view == "" && len(views) > 0:
		return views[0], nil
	case view != "" && len(views) == 0:
		return "", usagef("--view: %s has one view only", service.Title)
	case view != "" && !slices.Contains(views, view):
		return "", usagef("--view %q is not one of %s", view, strings.Join(views, ", "))
	}
	return view, nil
}
