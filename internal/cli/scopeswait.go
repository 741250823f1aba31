package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

// waitPatience is how long `scopes wait` waits, and waitRequest how long one of its
// requests may take; waitLastRequest, one that is sent when the time is up.
const (
	waitPatience    = 10 * time.Minute
	waitRequest     = 30 * time.Second
	waitLastRequest = 5 * time.Second
)

// waitOptions are the flags of `scopes wait`.
type waitOptions struct {
	verb.Service
	output verb.Output
	// wanted are the scopes that are waited for, rest the profile's other ones.
	wanted, rest []string
	// own: nothing but the profile's scopes is asked for.
	own bool
}

func (a *app) scopesWait() *cobra.Command {
	o := &waitOptions{}
	command := &cobra.Command{
		Use:   "wait [PROFILE]",
		Short: "Wait until newly added scopes take effect",
		Long: `Wait until newly added scopes take effect: those of --scope, else the profile's. It asks
for a token with them, again and again with growing pauses, and stops at once on an
error that waiting does not mend. Talkdesk answers 401 both to a wrong secret and to a
scope that is minutes old: asking once without scopes tells which.

The token is kept in the cache if it is the one that token get would get.`,
		Example: `  authctl scopes wait calls --scope users:read && ./nightly.sh
  authctl scopes wait calls --timeout 20m`,
		Args: verb.Arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			return a.runScopesWait(a.Watched(command.Context()), o, args)
		},
		ValidArgsFunction: a.CompleteProfile,
	}
	o.Bind(command.Flags(), "min-ttl", "force-refresh")
	command.Flags().Lookup("no-cache").Usage = "do not keep the token"
	scope := command.Flags().Lookup("scope")
	scope.Usage = "a `scope` to wait for beside the profile's (repeatable; comma or space separated)"
	command.Flags().Lookup("timeout").Usage = "how long to wait (default 10m)"
	o.output.Bind(command.Flags(), "text", "json")
	return command
}

func (a *app) runScopesWait(ctx context.Context, o *waitOptions, args []string) error {
	s, err := a.openAsking(&o.Service, &o.output, args, "waiting for a scope", o.choose)
	if err != nil {
		return err
	}
	var last asked
	w := a.scopeWait(s, o)
	w.ask = func(ctx context.Context, names []string, limit time.Duration) ([]string, error) {
		got, err := askFor(ctx, s, names, limit)
		last = got
		return got.given, err
	}
	began := a.Now()
	if err := w.run(ctx); err != nil {
		return a.DryRan(s, err)
	}
	if o.own && !o.NoCache {
		if err := s.Keep(ctx, last.token); err != nil {
			a.UI.Warn("the token is not kept: " + err.Error())
		}
	}
	return a.showWaited(o, s.Profile, waited{
		time: a.Now().Sub(began).Round(time.Second), requests: w.requests, assumed: last.given == nil && len(o.wanted) > 1,
	})
}

// choose decides what is waited for, and what is asked for meanwhile.
func (o *waitOptions) choose(service providers.Spec, wanted, own []string) ([]string, error) {
	o.wanted, o.own = wanted, wanted == nil
	if o.own {
		o.wanted = own
	}
	if len(o.wanted) == 0 {
		return nil, verb.Usagef("there is no scope to wait for: the profile has none, name one with --scope")
	}
	for _, c := range scopes.Check(service, o.wanted) {
		if c.Kind == scopes.Pointless {
			return nil, &verb.Error{Kind: "scope", Message: "waiting for " + c.String(), Hint: "take it out of the profile or of --scope"}
		}
	}
	// Nothing else is asked for: what of the profile is refused is not waited for.
	o.rest = scopes.Missing(o.wanted, own)
	return o.wanted, nil
}

// scopeWait prepares the wait; who is asked is left open.
func (a *app) scopeWait(s *client.Client, o *waitOptions) *scopeWait {
	w := &scopeWait{
		wait: scopes.Wait{Scopes: o.wanted}, all: o.wanted, rest: o.rest,
		now: a.Now, sleep: moment.Sleep, patience: waitPatience,
		// A wrong password that is sent twice may lock the user out.
		askOnce:  s.Provider.Key().Grant == "password",
		timedOut: func() *verb.Error { return a.waitedInVain(s.Profile, o.wanted) },
	}
	if o.Timeout.Given != nil {
		w.patience = *o.Timeout.Given
	}
	if s.Profile.Service.ListsGranted {
		// No other scope can then be what is refused.
		w.rest = nil
	}
	what := fmt.Sprintf("waiting for %s at %s", strings.Join(o.wanted, " "), s.Profile.Service.Title)
	if a.ShowsStatus(&o.Service) {
		line := term.NewStatus(a.UI.Streams.Err, true)
		w.show = func(waited time.Duration) {
			line.Show(fmt.Sprintf("%s, %s so far", what, moment.Lasting(waited.Truncate(time.Second))))
		}
		w.clear = line.Clear
		return w
	}
	say := sync.OnceFunc(func() { a.UI.Note(fmt.Sprintf("%s, up to %s", what, moment.Lasting(w.patience))) })
	w.show, w.clear = func(time.Duration) { say() }, func() {}
	return w
}

// scopeWait asks again and again until scopes are in effect.
type scopeWait struct {
	wait scopes.Wait
	// all are asked for; rest, those that are not waited for, tell whether the
	// credentials are right.
	all, rest []string
	// ask sends a request and returns what is in effect, nil for "as requested".
	ask      func(ctx context.Context, names []string, limit time.Duration) ([]string, error)
	now      func() time.Time
	sleep    func(context.Context, time.Duration) error
	patience time.Duration
	// askOnce: credentials that were refused are not sent again.
	askOnce  bool
	show     func(waited time.Duration)
	clear    func()
	timedOut func() *verb.Error
	requests int
}

// run returns nil when the scopes are in effect. Errors are those that waiting does
// not mend, a *verb.Error when there is no time left, and why ctx ended.
func (w *scopeWait) run(ctx context.Context) error {
	defer w.clear()
	began := w.now()
	end := began.Add(w.patience)
	for tries := 1; ; tries++ {
		verdict, err := w.try(ctx, end)
		switch {
		case verdict == scopes.Effective:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case verdict == scopes.Never:
			return err
		}
		until, ok := w.next(tries, err, end)
		if !ok {
			return w.gaveUp(err)
		}
		if err := w.until(ctx, began, until); err != nil {
			return err
		}
	}
}

// next is when to ask again, the last time at the very end. It is not ok when there is
// no time left, or none before the service wants to be asked again.
func (w *scopeWait) next(tries int, err error, end time.Time) (until time.Time, ok bool) {
	now := w.now()
	if failure, is := errors.AsType[*providers.Failure](err); !now.Before(end) || is && failure.NotBefore.After(end) {
		return time.Time{}, false
	}
	until = now.Add(scopes.Pause(tries, err, now))
	if until.After(end) {
		until = end
	}
	return until, true
}

// until passes the time, a second at a time so that it is seen to pass.
func (w *scopeWait) until(ctx context.Context, began, until time.Time) error {
	for left := until.Sub(w.now()); left > 0; left = until.Sub(w.now()) {
		w.show(w.now().Sub(began))
		if err := w.sleep(ctx, min(left, time.Second)); err != nil {
			return err
		}
	}
	return nil
}

// try asks once, and once more without the scopes where a refusal can mean two
// things. The error goes with the verdicts NotYet and Never.
func (w *scopeWait) try(ctx context.Context, end time.Time) (scopes.Verdict, error) {
	got, err := w.request(ctx, w.all, end)
	verdict := w.wait.With(got, err)
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return scopes.Never, err
	}
	switch {
	case verdict != scopes.AskWithout:
		return verdict, err
	case w.askOnce:
		return scopes.Never, err
	}
	_, without := w.request(ctx, w.rest, end)
	if verdict = w.wait.Without(without); verdict == scopes.Never {
		return verdict, without
	}
	return verdict, err
}

func (w *scopeWait) request(ctx context.Context, names []string, end time.Time) ([]string, error) {
	w.requests++
	return w.ask(ctx, names, max(min(waitRequest, end.Sub(w.now())), waitLastRequest))
}

// gaveUp is the end of the patience. Where the last answer was none, that is what is
// wrong, and not the scope.
func (w *scopeWait) gaveUp(err error) error {
	if failure, ok := errors.AsType[*providers.Failure](err); ok && failure.Reason == providers.ReasonTemporary {
		return fmt.Errorf("waited %s for a scope: %w", moment.Lasting(w.patience), err)
	}
	in := w.timedOut()
	in.Message = fmt.Sprintf("%s within %s, asked %s", in.Message, moment.Lasting(w.patience), term.Counted(w.requests, "time"))
	in.Err = err
	return in
}

// waitedInVain says what to check when scopes do not come into effect.
func (a *app) waitedInVain(p *config.Profile, wanted []string) *verb.Error {
	var advice []string
	for _, c := range scopes.Check(p.Service, wanted) {
		advice = append(advice, c.String())
	}
	where := p.Service.Title
	if p.Service.ScopesGivenIn != "" {
		where = p.Service.ScopesGivenIn
	}
	advice = append(advice,
		fmt.Sprintf("check that client %s was given it in %s", p.Settings.Text("client_id"), where),
		"see what it gets with "+a.CommandFor(p.Name, "scopes", "probe"), "or raise --timeout")
	return &verb.Error{
		Kind: "scope", Message: fmt.Sprintf("%s did not come into effect at %s", strings.Join(wanted, " "), p.Service.Title),
		Hint: strings.Join(advice, "; "),
	}
}

// waited is what a wait that has succeeded took.
type waited struct {
	time     time.Duration
	requests int
	// assumed: the reply to a request for several scopes named none.
	assumed bool
}

// showWaited prints how long it took.
func (a *app) showWaited(o *waitOptions, p *config.Profile, took waited) error {
	if o.output.JSON() {
		out := map[string]any{
			"profile": p.Name, "provider": p.Service.Name, "scopes": o.wanted, "effective": true,
			"waited_seconds": int(took.time.Seconds()), "requests": took.requests,
		}
		if took.assumed {
			out["assumed"] = true
		}
		return a.UI.JSON(out)
	}
	verb := "is"
	if len(o.wanted) > 1 {
		verb = "are"
	}
	text := fmt.Sprintf("%s %s in effect at %s, after %s and %s\n", strings.Join(o.wanted, " "), verb,
		p.Service.Title, moment.Lasting(took.time), term.Counted(took.requests, "request"))
	if took.assumed {
		text += "assumed: " + assumedText(p.Service) + "\n"
	}
	return a.UI.Print(text)
}
