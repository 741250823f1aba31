package token

import (
	"context"
	"encoding/json"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/providers"
	"github.com/spf13/cobra"
)

// introspect is `token introspect`.
type introspect struct {
	*verb.Deps
	service verb.Service
	output  verb.Output
}

func newIntrospect(d *verb.Deps) *cobra.Command {
	i := &introspect{Deps: d}
	return d.Command(cobra.Command{
		Use:   "introspect [PROFILE]",
		Short: "Ask the service what it knows of the token (RFC 7662)",
	}, verb.Flags{
		Service: &i.service, Output: &i.output, Formats: []string{"table", "json"}, Watched: true,
	}, i.run)
}

func (i *introspect) run(ctx context.Context, args []string) error {
	c, err := i.OpenFor(providers.Introspect, &i.service, args)
	if err != nil {
		return err
	}
	var reply json.RawMessage
	err = c.With(ctx, func(ctx context.Context, with providers.Session) error {
		reply, err = c.Provider.Introspect(ctx, with.AccessToken)
		return err
	})
	if err != nil {
		return i.DryRan(c, err)
	}
	return i.Object(&i.output, reply)
}
