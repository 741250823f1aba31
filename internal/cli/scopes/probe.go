package scopes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// probe is one run of `scopes probe`: of names are granted some, found with requests. all says that the names were
// not chosen, proven that the credentials have been accepted, so that what is refused are scopes.
type probe struct {
	*verb.Deps
	service        verb.Service
	output         verb.Output
	client         *client.Client
	names, granted []string
	all, proven    bool
	requests       int
}

func newProbe(d *verb.Deps) *cobra.Command {
	p := &probe{Deps: d}
	return d.Command(cobra.Command{
		Use:   "probe [PROFILE]",
		Short: "Find which scopes the client really gets",
		Long: `Find which scopes the client really gets: those of the service's catalogue but for the
newer ones, and of the profile; or those of --scope. It asks for tokens, for many scopes at once where it can,
throws them away and neither reads nor writes the cache. The service's rate limit is
respected.`,
		Example: `  authctl scopes probe engage
  authctl scopes probe engage --scope engage:forms:readOnly,engage:forms:readWrite
  authctl scopes probe booking -o raw`,
	}, verb.Flags{
		Service: &p.service, Without: append(verb.ForCachedTokens(), "store"),
		Output: &p.output, Formats: []string{"table", "json", "raw"}, Watched: true,
		Own: func(f *pflag.FlagSet) {
			f.Lookup("scope").Usage = "a `scope` to probe instead of the catalogue's (repeatable; comma or space separated)"
			f.Lookup("timeout").Usage = "how long each request may take (AUTHCTL_TIMEOUT; default 30s)"
		},
	}, p.run)
}

// run asks for the names, or once for none, where a service answers that with all that the client has.
func (p *probe) run(ctx context.Context, args []string) (err error) {
	if p.client, err = openAsking(p.Deps, &p.service, args, "a probe", p.choose); err != nil {
		return err
	}
	if p.client.Profile.Service.ListsGranted {
		p.granted, _, err = p.ask(ctx, nil)
		p.proven = err == nil
	}
	if err == nil && p.granted == nil {
		err = p.search(ctx)
	}
	if err != nil {
		return p.DryRan(p.client, err)
	}
	return p.show()
}

// choose decides what is probed: what --scope names, else the catalogue and the profile's own.
func (p *probe) choose(service providers.Spec, wanted, own []string) ([]string, error) {
	p.names, p.all = scopes.Unique(wanted), wanted == nil
	if p.all && service.Catalogue == nil {
		return nil, verb.Usagef("no page names the scopes of %s: name those to probe with --scope "+
			"(authctl scopes list shows what its issuer publishes)", service.Title)
	}
	if p.all {
		p.names = scopes.Union(scopes.CatalogueOf(service).Documented(), own)
	}
	if len(p.names) == 0 {
		return nil, verb.Usagef("there is nothing to probe: name scopes with --scope")
	}
	return p.names, nil
}

func (p *probe) search(ctx context.Context) (err error) {
	status, known := term.NewStatus(p.Streams.Err, p.ShowsStatus(&p.service)), 0
	defer status.Clear()
	decided := func(more int) {
		known += more
		bar := term.Bar(known, len(p.names), 24)
		status.Show(fmt.Sprintf("%d of %d scopes %s %s", known, len(p.names), bar, term.Counted(p.requests, "request")))
	}
	decided(0)
	p.granted, err = (&scopes.Probe{Ask: p.ask, Decided: decided}).Run(ctx, p.names, false)
	return err
}

// ask sends one request, and sends it again when the service says that it may, while there is time.
func (p *probe) ask(ctx context.Context, names []string) (granted []string, refused bool, err error) {
	p.requests++
	for end := p.Now().Add(p.client.Timeout); ; {
		got, err := askFor(ctx, p.client, names, max(end.Sub(p.Now()), time.Second))
		failure, ok := errors.AsType[*providers.Failure](err)
		if !ok {
			return got.given, false, err
		}
		refused := failure.Reason == providers.ReasonScope || p.proven && failure.Reason == providers.ReasonCredentials
		if names != nil && refused {
			return nil, true, nil
		}
		wait := max(failure.NotBefore.Sub(p.Now()), time.Second)
		if !failure.Throttled || !p.Now().Add(wait).Before(end) || moment.Sleep(ctx, wait) != nil {
			return nil, false, cmp.Or(context.Cause(ctx), err)
		}
	}
}
