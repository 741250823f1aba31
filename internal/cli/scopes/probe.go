package scopes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
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
		all := len(p.names)
		bar := term.Bar(known, all, 24)
		status.Show(fmt.Sprintf("%d of %d scopes %s %s", known, all, bar, term.Counted(p.requests, "request")))
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

// probedScope is one scope of `scopes probe -o json`.
type probedScope struct {
	Name    string `json:"scope"`
	Granted bool   `json:"granted"`
	Access  string `json:"access"`
	API     string `json:"api"`
	About   string `json:"about"`
}

// show prints the result, the granted scopes first.
func (p *probe) show() error {
	table := term.Table{Header: []string{"SCOPE", "ACCESS", "OPENS", "GRANTED"}}
	if p.all {
		p.names = scopes.Union(p.names, p.granted)
	}
	p.granted = scopes.Missing(scopes.Missing(p.granted, p.names), p.names) // in their order
	list, profile, answer := []probedScope{}, p.client.Profile, map[bool]string{true: "yes", false: "no"}
	for _, name := range scopes.Union(p.granted, p.names) {
		k, _ := scopes.CatalogueOf(profile.Service).Lookup(name)
		granted := slices.Contains(p.granted, name)
		list = append(list, probedScope{Name: name, Granted: granted, Access: k.Access, API: k.API, About: k.About})
		table.Rows = append(table.Rows, []string{name, k.Access, scopes.Opens(k), answer[granted]})
	}
	switch p.output.Format {
	case "json":
		return p.UI.JSON(map[string]any{
			"profile": profile.Name, "provider": profile.Service.Name, "requests": p.requests, "scopes": list,
		})
	case "raw":
		return p.UI.Print(term.Lines(p.granted))
	}
	var b strings.Builder
	b.WriteString(p.UI.Fit(table).String())
	fmt.Fprintf(&b, "\n%d of %s granted, found with %s\n", len(p.granted), term.Counted(len(list), "scope"),
		term.Counted(p.requests, "request"))
	return p.UI.Print(b.String() + block(p.toPaste()))
}

// toPaste are the scopes to put into the profile. Of a probe that --scope limits, what the profile asks for beside
// stays in it.
func (p *probe) toPaste() []string {
	own, _ := withoutFlags(p.Deps, p.client.Profile.Name)
	if p.all || len(p.granted) == 0 || own == nil {
		return p.granted
	}
	return scopes.Union(scopes.Missing(p.names, own.Settings.List("scopes")), p.granted)
}

// block are the lines of a profile that ask for the names, indented for a
// profile as authctl writes it; nothing for none.
func block(names []string) string {
	if len(names) == 0 {
		return ""
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = "      - " + config.ListItem(name)
	}
	return "\n    scopes:\n" + strings.Join(quoted, "\n") + "\n"
}
