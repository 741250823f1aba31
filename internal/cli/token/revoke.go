package token

import (
	"context"
	"errors"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/spf13/cobra"
)

// revoke is `token revoke`.
type revoke struct {
	*verb.Deps
	service verb.Service
	output  verb.Output
}

func newRevoke(d *verb.Deps) *cobra.Command {
	r := &revoke{Deps: d}
	return d.Command(cobra.Command{
		Use:   "revoke [PROFILE]",
		Short: "Revoke the cached token at the service and forget it (RFC 7009)",
	}, verb.Flags{
		Service: &r.service, Without: verb.ForCachedTokens(),
		Output: &r.output, Formats: []string{"text", "json"}, Watched: true,
	}, r.run)
}

func (r *revoke) run(ctx context.Context, args []string) error {
	c, err := r.OpenFor(providers.Revoke, &r.service, args)
	if err != nil {
		return err
	}
	record, err := c.Stored(ctx)
	if err != nil {
		return err
	}
	if record == nil {
		if closed := client.Closed(c.Store()); closed != nil {
			// It may be in there.
			return closed
		}
		return r.tell(c, false)
	}
	if c.Store().Shared() && !r.service.DryRun {
		// First: no other machine may be served a token that the service has ended.
		if err := c.Forget(ctx); err != nil {
			return err
		}
		verb.TellOthersLose(r.Deps, &r.service.Store, 1, false)
	}
	err = c.Bounded(ctx, client.SessionOf(record.Token), func(ctx context.Context, with providers.Session) error {
		// The access token goes first: it may end with the refresh token.
		err := c.Provider.Revoke(ctx, with.AccessToken, "access_token")
		if err != nil || with.RefreshToken.IsZero() {
			return err
		}
		return c.Provider.Revoke(ctx, with.RefreshToken, "refresh_token")
	})
	if refused, ok := errors.AsType[*oauth.Error](err); ok && refused.Code == "invalid_token" {
		// What the service does not know is of no use here either.
		return errors.Join(err, c.Forget(ctx))
	}
	if err != nil {
		return r.DryRan(c, err)
	}
	if err := c.Forget(ctx); err != nil {
		return err
	}
	return r.tell(c, true)
}

// tell says whether there was a token to revoke.
func (r *revoke) tell(c *client.Client, done bool) error {
	switch {
	case r.output.JSON():
		return r.UI.JSON(map[string]any{"profile": c.Profile.Name, "provider": c.Provider.Name(), "revoked": done})
	case done:
		r.UI.Note("the token of profile " + c.Profile.Name + " is revoked")
	default:
		r.UI.Note("there is no token of profile " + c.Profile.Name + " here")
	}
	return nil
}
