package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/moment"
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
		Long: `Find which scopes the client really gets: those of the service's catalogue but for the
newer ones, and of the profile; or those of --scope. It asks for tokens, for many scopes at once where it can,
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
	o.bind(command.Flags(), append(forCachedTokens(), "store")...)
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
	o.prepare = func(p *config.Profile) error { return o.choose(a, p, wanted) }
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
	if err := p.run(ctx, o.restart); err != nil {
		return a.dryRan(s, err)
	}
	if err := p.show(&o.output); err != nil {
		return err
	}
	p.kept.remove()
	return nil
}

// choose decides what is probed and makes it the scopes of the profile, which may
// have none itself.
func (o *probeOptions) choose(a *app, p *config.Profile, wanted []string) error {
	if err := a.needsNoLogin(p, "a probe"); err != nil {
		return err
	}
	configured, _ := p.Settings.Lookup("scopes")
	o.names = wanted
	if wanted == nil {
		for _, known := range catalogueOf(p.Service).Scopes {
			if !known.Newer {
				o.names = append(o.names, known.Name)
			}
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
	// found is what is known, resumed that an earlier run had found some of it.
	found   keptProbe
	resumed bool
	// each is how many requests were for a single name after a reply that named none.
	each int
	// proven: the credentials have been accepted, so that what is refused are scopes.
	proven bool
}

// run finds which of the names are granted.
func (p *prober) run(ctx context.Context, restart bool) error {
	defer p.status.Clear()
	p.found.Began = p.Now().UTC()
	if p.session.profile.Service.ListsGranted {
		if listed, err := p.listed(ctx); err != nil || listed {
			return err
		}
	}
	if !restart {
		p.resume()
	}
	state, err := (&scopes.Probe{
		Ask: p.ask, Known: catalogueOf(p.session.profile.Service).Scopes, Progress: p.progress, Save: p.save,
	}).Run(ctx, p.names, p.found.State)
	p.found.State = state
	if err != nil {
		p.status.Clear()
		return p.brokenOff(ctx, state, err)
	}
	return nil
}

// resume takes up what an earlier run has found, and says so: what was refused then may
// be granted by now, and the other way round.
func (p *prober) resume() {
	kept, ok := p.kept.load()
	if !ok {
		return
	}
	kept.State.Requests += p.found.State.Requests
	kept.State.Extra += p.found.State.Extra
	p.found, p.resumed = kept, true
	p.warn(fmt.Sprintf("going on with %d of %d known, from %s; --restart begins anew",
		decided(kept.State), len(p.names), moment.Away(kept.Began.Sub(p.Now()))))
}

// listed asks once without any scope, where that is answered with all that the client
// has. It is not listed where the answer does not say.
func (p *prober) listed(ctx context.Context) (bool, error) {
	answer, err := p.request(ctx, nil)
	if err != nil {
		return false, err
	}
	p.proven = true
	state := &p.found.State
	state.Requests, state.Extra = 1, 1
	if answer.given == nil {
		return false, nil
	}
	if p.all {
		odd := func(name string) bool { return !scopes.Valid(name) }
		p.names = joined(p.names, slices.DeleteFunc(slices.Clone(answer.given), odd))
	}
	for _, name := range p.names {
		if slices.Contains(answer.given, name) {
			state.Granted = append(state.Granted, name)
		} else {
			state.Refused = append(state.Refused, name)
		}
	}
	return true, nil
}

// ask sends one request of the probe.
func (p *prober) ask(ctx context.Context, names []string) (scopes.Answer, error) {
	answer, err := p.request(ctx, names)
	failure, ok := errors.AsType[*providers.Failure](err)
	switch {
	case err == nil && answer.given == nil && len(names) > 1:
		return p.askEach(ctx, names)
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

// askEach asks for each of the names by itself. Several were granted by a reply that
// names none: that ought to mean all (RFC 6749 §5.1), but not every service keeps to it,
// and only of a single name there is nothing left to leave out.
func (p *prober) askEach(ctx context.Context, names []string) (scopes.Answer, error) {
	granted := []string{}
	for _, name := range names {
		p.each++
		answer, err := p.ask(ctx, []string{name})
		if err != nil {
			return answer, err
		}
		granted = append(granted, answer.Granted...)
	}
	return scopes.Answer{Granted: granted}, nil
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
	p.found.State = state
	if err := p.kept.save(p.found); err != nil {
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
