package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

// probeOptions are the flags of `scopes probe`.
type probeOptions struct {
	serviceFlags
	output  outputFlag
	restart bool
	// names are what is probed.
	names []string
}

func (a *app) scopesProbe() *cobra.Command {
	o := &probeOptions{}
	command := &cobra.Command{
		Use:   "probe [PROFILE]",
		Short: "Find which scopes the client really gets",
		Long: `Find which scopes the client really gets: those of the service's catalogue and of the
profile, or those of --scope. It asks for tokens, for many scopes at once where it can,
throws them away and neither reads nor writes the cache. The service's rate limit is
respected. A probe that was broken off goes on where it was, within an hour.`,
		Example: `  authctl scopes probe engage
  authctl scopes probe engage --scope engage:forms:readOnly,engage:forms:readWrite
  authctl scopes probe booking -o raw`,
		Args: arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.begin(&o.output); err != nil {
				return err
			}
			return a.runScopesProbe(a.watched(command.Context()), o, args)
		},
		ValidArgsFunction: a.completeProfile,
	}
	o.bind(command.Flags())
	scope := command.Flags().Lookup("scope")
	scope.Usage = "a `scope` to probe instead of the catalogue's (repeatable; comma or space separated)"
	command.Flags().Lookup("timeout").Usage = "how long each request may take (AUTHCTL_TIMEOUT; default 30s)"
	o.output.bind(command.Flags(), "table", "json", "raw")
	command.Flags().BoolVar(&o.restart, "restart", false, "forget what a broken-off probe found")
	return command
}

func (a *app) runScopesProbe(ctx context.Context, o *probeOptions, args []string) error {
	wanted := o.scopeList()
	o.scopes = nil
	o.prepare = func(p *config.Profile) error { return o.choose(p, wanted) }
	s, err := a.open(&o.serviceFlags, args)
	if err != nil {
		return err
	}
	a.complain(s.profile.Service, wanted, "")
	a.complainOfProfile(s.profile)
	p := &prober{
		app: a, session: s, names: o.names, all: wanted == nil,
		kept:   newProbeFile(config.StateDir(a.LookupEnv), s.provider.Identity(), o.names, a.Now),
		status: term.NewStatus(a.Streams.Err, a.showsStatus(&o.serviceFlags)),
	}
	if s.dryRun != nil {
		p.kept = probeFile{}
	}
	state, err := p.run(ctx, o.restart)
	if err != nil {
		return a.dryRan(s, err)
	}
	if err := a.showProbed(&o.output, s.profile, p.names, state); err != nil {
		return err
	}
	p.kept.remove()
	return nil
}

// choose decides what is probed and makes it the scopes of the profile, which may
// have none itself.
func (o *probeOptions) choose(p *config.Profile, wanted []string) error {
	if err := needsNoLogin(p, "a probe"); err != nil {
		return err
	}
	configured, _ := p.Settings.Lookup("scopes")
	o.names = wanted
	if wanted == nil {
		for _, known := range catalogueOf(p.Service).Scopes {
			o.names = append(o.names, known.Name)
		}
		o.names = joined(o.names, configured.List)
	}
	if len(o.names) == 0 {
		return usagef("there is nothing to probe: name scopes with --scope")
	}
	p.Settings = p.Settings.With("scopes", providers.Value{List: o.names, Origin: configured.Origin})
	return nil
}

// prober asks the service for a probe.
type prober struct {
	*app
	session *session
	names   []string
	// all: the names were not chosen, and what else is granted is of interest.
	all    bool
	kept   probeFile
	status *term.Status
	// proven: the credentials have been accepted, so that what is refused are scopes.
	proven bool
}

// run finds which of the names are granted.
func (p *prober) run(ctx context.Context, restart bool) (scopes.State, error) {
	defer p.status.Clear()
	from := scopes.State{}
	if p.session.profile.Service.ListsGranted {
		state, listed, err := p.listed(ctx)
		if err != nil || listed {
			return state, err
		}
		from.Requests = state.Requests
	}
	if kept, age, ok := p.kept.load(); ok && !restart {
		kept.Requests += from.Requests
		from = kept
		p.note(fmt.Sprintf("going on with %d of %d known, from %s ago; --restart begins anew",
			decided(from), len(p.names), age.Round(time.Second)))
	}
	state, err := (&scopes.Probe{
		Ask: p.ask, Known: catalogueOf(p.session.profile.Service).Scopes, Progress: p.progress, Save: p.save,
	}).Run(ctx, p.names, from)
	if err != nil {
		p.status.Clear()
		return state, p.brokenOff(ctx, state, err)
	}
	return state, nil
}

// listed asks once without any scope, where that is answered with all that the client
// has. It is not listed where the answer does not say.
func (p *prober) listed(ctx context.Context) (state scopes.State, listed bool, err error) {
	answer, err := p.request(ctx, nil)
	if err != nil {
		return scopes.State{}, false, err
	}
	p.proven = true
	state.Requests = 1
	if answer.given == nil {
		return state, false, nil
	}
	if p.all {
		odd := func(name string) bool { return !isScope(name) }
		p.names = joined(p.names, slices.DeleteFunc(slices.Clone(answer.given), odd))
	}
	for _, name := range p.names {
		if slices.Contains(answer.given, name) {
			state.Granted = append(state.Granted, name)
		} else {
			state.Refused = append(state.Refused, name)
		}
	}
	return state, true, nil
}

// ask sends one request of the probe.
func (p *prober) ask(ctx context.Context, names []string) (scopes.Answer, error) {
	answer, err := p.request(ctx, names)
	failure, ok := errors.AsType[*providers.Failure](err)
	switch {
	case err == nil && answer.given == nil:
		return scopes.Answer{Granted: names}, nil
	case err == nil:
		return scopes.Answer{Granted: answer.given}, nil
	case ok && (failure.Reason == providers.ReasonScope || p.proven && failure.Reason == providers.ReasonCredentials):
		// Which names the service's text repeats says nothing: it may be all of them, cut.
		return scopes.Answer{Refused: true}, nil
	}
	return scopes.Answer{}, err
}

// request asks once, and again where the service says when, while there is time.
func (p *prober) request(ctx context.Context, names []string) (asked, error) {
	end := p.Now().Add(p.session.timeout)
	for {
		answer, err := p.session.askFor(ctx, names, max(end.Sub(p.Now()), time.Second))
		wait, again := retryIn(err, p.Now())
		if !again || !p.Now().Add(wait).Before(end) {
			return answer, err
		}
		if err := sleep(ctx, wait); err != nil {
			return asked{}, err
		}
	}
}

func (p *prober) progress(done, total, requests int) {
	const width = 24
	bar := term.Bar(done, total, width)
	p.status.Show(fmt.Sprintf("%d of %d scopes %s %s", done, total, bar, counted(requests, "request")))
}

// save keeps what is known. A probe that cannot be resumed is still a probe.
func (p *prober) save(state scopes.State) error {
	if p.kept.path == "" {
		return nil
	}
	if err := p.kept.save(state); err != nil {
		p.status.Clear()
		p.warn("a probe that is broken off begins anew: " + err.Error())
		p.kept = probeFile{}
	}
	return nil
}

// brokenOff says how to go on, where something is known.
func (p *prober) brokenOff(ctx context.Context, state scopes.State, err error) error {
	if p.kept.path == "" || decided(state) == 0 && len(state.Suspect) == 0 {
		return err
	}
	advice := fmt.Sprintf("%d of %d scopes are known: the same command goes on from there within an hour",
		decided(state), len(p.names))
	if ctx.Err() != nil {
		p.note(advice)
		return err
	}
	failure, ok := errors.AsType[*providers.Failure](err)
	if !ok || failure.Reason != providers.ReasonTemporary {
		return err
	}
	hinted := *failure
	hinted.Message, hinted.Hint, hinted.Err = err.Error(), advice, err
	if hint := hintOf(failure); hint != "" {
		hinted.Hint = hint + "; " + advice
	}
	return &hinted
}

// decided is how many names a probe knows about.
func decided(state scopes.State) int { return len(state.Granted) + len(state.Refused) }

// probedScope is one scope of `scopes probe -o json`.
type probedScope struct {
	Name    string `json:"scope"`
	Granted bool   `json:"granted"`
	Access  string `json:"access"`
	API     string `json:"api"`
	About   string `json:"about"`
}

// showProbed prints the result, the granted scopes first.
func (a *app) showProbed(output *outputFlag, profile *config.Profile, names []string, state scopes.State) error {
	catalogue := catalogueOf(profile.Service)
	list := []probedScope{}
	table := term.Table{Header: []string{"SCOPE", "ACCESS", "OPENS", "GRANTED"}}
	granted := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !slices.Contains(state.Granted, n) })
	for _, name := range joined(granted, names) {
		k, _ := catalogue.Lookup(name)
		answer, yes := "no", slices.Contains(granted, name)
		if yes {
			answer = "yes"
		}
		list = append(list, probedScope{Name: name, Granted: yes, Access: k.Access, API: k.API, About: k.About})
		table.Rows = append(table.Rows, []string{name, k.Access, opens(k), answer})
	}
	switch output.format {
	case "json":
		return a.json(map[string]any{
			"profile": profile.Name, "provider": profile.Service.Name, "requests": state.Requests, "scopes": list,
		})
	case "raw":
		return a.print(lines(granted))
	}
	var b strings.Builder
	if _, err := a.paint(table).WriteTo(&b); err != nil {
		return err
	}
	fmt.Fprintf(&b, "\n%d of %s granted, found with %s\n", len(granted), counted(len(list), "scope"),
		counted(state.Requests, "request"))
	b.WriteString(scopesBlock(granted))
	return a.print(b.String())
}

// scopesBlock are the lines of a profile that ask for the names, indented for a
// profile as authctl writes it; nothing for none.
func scopesBlock(names []string) string {
	if len(names) == 0 {
		return ""
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = "      - " + yamlScope(name)
	}
	return "\n    scopes:\n" + lines(quoted)
}

func lines(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, "\n") + "\n"
}

// counted is a number with its noun: "1 request", "2 requests".
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
