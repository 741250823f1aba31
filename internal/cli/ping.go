package cli

import (
	"context"
	"errors"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/providers"
	"github.com/spf13/cobra"
)

// pingOptions are the flags of `ping`.
type pingOptions struct {
	verb.Service
	output verb.Output
}

func (a *app) ping() *cobra.Command {
	o := &pingOptions{}
	command := &cobra.Command{
		Use:   "ping [PROFILE]",
		Short: "Ask whether the service is there, and whether it accepts the token",
		Args:  verb.Arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.Begin(&o.output); err != nil {
				return err
			}
			return a.runPing(a.Watched(command.Context()), o, args)
		},
		ValidArgsFunction: a.CompleteProfile,
	}
	o.Bind(command.Flags())
	o.output.Bind(command.Flags(), "text", "json")
	return command
}

func (a *app) runPing(ctx context.Context, o *pingOptions, args []string) error {
	s, err := a.Open(&o.Service, args)
	if err != nil {
		return err
	}
	if err := s.Profile.Service.Require(providers.Ping, a.Services); err != nil {
		return err
	}
	var pong providers.Pong
	ask := func(ctx context.Context, with providers.Session) error {
		pong, err = s.Provider.Ping(ctx, with.AccessToken)
		return err
	}
	if s.Profile.Service.Operations[providers.Ping].WithToken {
		err = s.With(ctx, ask)
	} else {
		err = s.Bounded(ctx, providers.Session{}, ask)
	}
	if failure, ok := errors.AsType[*providers.Failure](err); ok && failure.Reason == providers.ReasonLogin {
		// Nobody is logged in; the service can be asked all the same.
		err = s.Bounded(ctx, providers.Session{}, ask)
	}
	if err != nil {
		return a.DryRan(s, err)
	}
	if o.output.JSON() {
		return a.UI.JSON(map[string]any{"endpoint": pong.Endpoint, "reachable": true, "token_accepted": pong.TokenAccepted})
	}
	text := pong.Endpoint + " answers"
	if pong.TokenAccepted {
		text += " and accepts the token"
	}
	return a.UI.Print(text + "\n")
}
