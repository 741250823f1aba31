package cli

import (
	"context"
	"errors"

	"github.com/authctl/authctl/internal/providers"
	"github.com/spf13/cobra"
)

// pingOptions are the flags of `ping`.
type pingOptions struct {
	serviceFlags
	output outputFlag
}

func (a *app) ping() *cobra.Command {
	o := &pingOptions{}
	command := &cobra.Command{
		Use:   "ping [PROFILE]",
		Short: "Ask whether the service is there, and whether it accepts the token",
		Args:  arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.begin(&o.output); err != nil {
				return err
			}
			return a.runPing(a.watched(command.Context()), o, args)
		},
		ValidArgsFunction: a.completeProfile,
	}
	o.bind(command.Flags())
	o.output.bind(command.Flags(), "text", "json")
	return command
}

func (a *app) runPing(ctx context.Context, o *pingOptions, args []string) error {
	s, err := a.open(&o.serviceFlags, args)
	if err != nil {
		return err
	}
	if err := s.profile.Service.Require(providers.Ping, a.services); err != nil {
		return err
	}
	var pong providers.Pong
	ask := func(ctx context.Context, with providers.Session) error {
		pong, err = s.provider.Ping(ctx, with.AccessToken)
		return err
	}
	if s.profile.Service.Operations[providers.Ping].WithToken {
		err = s.withToken(ctx, ask)
	} else {
		err = s.bounded(ctx, providers.Session{}, ask)
	}
	if failure, ok := errors.AsType[*providers.Failure](err); ok && failure.Reason == providers.ReasonLogin {
		// Nobody is logged in; the service can be asked all the same.
		err = s.bounded(ctx, providers.Session{}, ask)
	}
	if err != nil {
		return a.dryRan(s, err)
	}
	if o.output.json() {
		return a.json(map[string]any{"endpoint": pong.Endpoint, "reachable": true, "token_accepted": pong.TokenAccepted})
	}
	text := pong.Endpoint + " answers"
	if pong.TokenAccepted {
		text += " and accepts the token"
	}
	return a.print(text + "\n")
}
