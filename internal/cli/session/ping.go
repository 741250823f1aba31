package session

import (
	"context"
	"errors"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/providers"
	"github.com/spf13/cobra"
)

// ping is `ping`.
type ping struct {
	*verb.Deps
	verb.Service
	output verb.Output
}

// Ping returns the command `ping`.
func Ping(d *verb.Deps) *cobra.Command {
	p := &ping{Deps: d}
	return d.Command(cobra.Command{
		Use:   "ping [PROFILE]",
		Short: "Ask whether the service is there, and whether it accepts the token",
	}, verb.Flags{Service: &p.Service, Output: &p.output, Formats: []string{"text", "json"}, Watched: true}, p.run)
}

func (p *ping) run(ctx context.Context, args []string) error {
	c, err := p.OpenFor(providers.Ping, &p.Service, args)
	if err != nil {
		return err
	}
	var pong providers.Pong
	ask := func(ctx context.Context, with providers.Session) error {
		pong, err = c.Provider.Ping(ctx, with.AccessToken)
		return err
	}
	if c.Provider.PingsWithToken() {
		err = c.With(ctx, ask)
	} else {
		err = c.Bounded(ctx, providers.Session{}, ask)
	}
	if failure, ok := errors.AsType[*providers.Failure](err); ok && failure.Reason == providers.ReasonLogin {
		// Nobody is logged in; the service can be asked all the same.
		err = c.Bounded(ctx, providers.Session{}, ask)
	}
	if err != nil {
		return p.DryRan(c, err)
	}
	if p.output.JSON() {
		return p.UI.JSON(map[string]any{"endpoint": pong.Endpoint, "reachable": true, "token_accepted": pong.TokenAccepted})
	}
	text := pong.Endpoint + " answers"
	if pong.TokenAccepted {
		text += " and accepts the token"
	}
	return p.UI.Print(text + "\n")
}
