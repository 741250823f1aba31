package session

import (
	"context"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/providers"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// userinfo is `userinfo`.
type userinfo struct {
	*verb.Deps
	verb.Service
	output verb.Output
	view   string
}

// UserInfo returns the command `userinfo`.
func UserInfo(d *verb.Deps) *cobra.Command {
	u := &userinfo{Deps: d}
	return d.Command(cobra.Command{
		Use: "userinfo [PROFILE]", SuggestFor: []string{"whoami", "me"},
		Short: "Tell who the token speaks for",
		Long: `Tell who the token speaks for, as the service says it. Genesys has three views: user,
openid, and jwt, which is decoded and not verified.`,
	}, verb.Flags{
		Service: &u.Service, Output: &u.output, Formats: []string{"table", "json"}, Watched: true,
		Own: func(f *pflag.FlagSet) {
			f.StringVar(&u.view, "view", "", "what to ask for: user, openid or jwt (Genesys)")
			verb.Choose(f, "view", "user", "openid", "jwt")
		},
	}, u.run)
}

func (u *userinfo) run(ctx context.Context, args []string) error {
	c, err := u.OpenFor(providers.UserInfo, &u.Service, args)
	if err != nil {
		return err
	}
	view, err := chooseView(c.Profile.Service, u.view)
	if err != nil {
		return err
	}
	var info providers.Claims
	err = c.With(ctx, func(ctx context.Context, with providers.Session) error {
		info, err = c.Provider.UserInfo(ctx, with, view)
		return err
	})
	if err != nil {
		return u.DryRan(c, err)
	}
	if info.Unverified {
		u.UI.Warn("unverified: these are the claims of a JWT whose signature nobody checked")
	}
	return u.Object(&u.output, info.JSON)
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
