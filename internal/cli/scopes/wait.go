package scopes

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// wait is `scopes wait`.
type wait struct {
	*verb.Deps
	service verb.Service
	output  verb.Output
	client  *client.Client
	// wanted are the scopes that are waited for, rest the profile's other ones.
	wanted, rest []string
	// own: nothing but the profile's scopes is asked for.
	own bool
}

func newWait(d *verb.Deps) *cobra.Command {
	w := &wait{Deps: d}
	return d.Command(cobra.Command{
		Use:   "wait [PROFILE]",
		Short: "Wait until newly added scopes take effect",
		Long: `Wait until newly added scopes take effect: those of --scope, else the profile's. It asks
for a token with them, again and again with growing pauses, and stops at once on an
error that waiting does not mend. Talkdesk answers 401 both to a wrong secret and to a
scope that is minutes old: asking once without scopes tells which.

The token is kept in the cache if it is the one that token get would get.`,
		Example: `  authctl scopes wait calls --scope users:read && ./nightly.sh
  authctl scopes wait calls --timeout 20m`,
	}, verb.Flags{
		Service: &w.service, Without: []string{"min-ttl", "force-refresh"},
		Output: &w.output, Formats: []string{"text", "json"}, Watched: true,
		Own: func(f *pflag.FlagSet) {
			f.Lookup("no-cache").Usage = "do not keep the token"
			f.Lookup("scope").Usage = "a `scope` to wait for beside the profile's (repeatable; comma or space separated)"
			f.Lookup("timeout").Usage = "how long to wait (default 10m)"
		},
	}, w.run)
}

func (w *wait) run(ctx context.Context, args []string) (err error) {
	if w.client, err = openAsking(w.Deps, &w.service, args, "waiting for a scope", w.choose); err != nil {
		return err
	}
	var last asked
	a := w.asking()
	a.ask = func(ctx context.Context, names []string, limit time.Duration) ([]string, error) {
		last, err = askFor(ctx, w.client, names, limit)
		return last.given, err
	}
	began := w.Now()
	if err := a.run(ctx); err != nil {
		return w.DryRan(w.client, err)
	}
	if w.own && !w.service.NoCache {
		if err := w.client.Keep(ctx, last.token); err != nil {
			w.UI.Warn("the token is not kept: " + err.Error())
		}
	}
	return w.show(w.Now().Sub(began).Round(time.Second), a.requests, last.given == nil && len(w.wanted) > 1)
}

// choose decides what is waited for, and what is asked for meanwhile.
func (w *wait) choose(service providers.Spec, wanted, own []string) ([]string, error) {
	w.wanted, w.own = wanted, wanted == nil
	if w.own {
		w.wanted = own
	}
	if len(w.wanted) == 0 {
		return nil, verb.Usagef("there is no scope to wait for: the profile has none, name one with --scope")
	}
	for _, c := range scopes.Check(service, w.wanted) {
		if c.Kind == scopes.Pointless {
			return nil, &verb.Error{
				Kind: "scope", Message: "waiting for " + c.String(), Hint: "take it out of the profile or of --scope",
			}
		}
	}
	// Nothing else is asked for: what of the profile is refused is not waited for.
	w.rest = scopes.Missing(w.wanted, own)
	return w.wanted, nil
}

// asking prepares the wait; who is asked is left open.
func (w *wait) asking() *asking {
	a := &asking{
		wait: scopes.Wait{Scopes: w.wanted}, all: w.wanted, rest: w.rest,
		now: w.Now, sleep: moment.Sleep, patience: w.service.Timeout.Or(usualPatience),
		// A wrong password that is sent twice may lock the user out.
		askOnce:  w.client.Provider.Key().Grant == oauth.Password,
		timedOut: w.inVain,
	}
	service := w.client.Profile.Service
	if service.ListsGranted {
		// No other scope can then be what is refused.
		a.rest = nil
	}
	what := fmt.Sprintf("waiting for %s at %s", strings.Join(w.wanted, " "), service.Title)
	if w.ShowsStatus(&w.service) {
		line := term.NewStatus(w.UI.Streams.Err, true)
		a.show = func(waited time.Duration) {
			line.Show(fmt.Sprintf("%s, %s so far", what, moment.Lasting(waited.Truncate(time.Second))))
		}
		a.clear = line.Clear
		return a
	}
	say := sync.OnceFunc(func() { w.UI.Note(fmt.Sprintf("%s, up to %s", what, moment.Lasting(a.patience))) })
	a.show, a.clear = func(time.Duration) { say() }, func() {}
	return a
}

// inVain says what to check when scopes do not come into effect.
func (w *wait) inVain() *verb.Error {
	var advice []string
	p := w.client.Profile
	for _, c := range scopes.Check(p.Service, w.wanted) {
		advice = append(advice, c.String())
	}
	advice = append(advice,
		"check that client "+p.Settings.Text("client_id")+" was given it in "+
			cmp.Or(p.Service.ScopesGivenIn, p.Service.Title),
		"see what it gets with "+w.CommandFor(p.Name, "scopes", "probe"), "or raise --timeout")
	return &verb.Error{
		Kind: "scope", Message: strings.Join(w.wanted, " ") + " did not come into effect at " + p.Service.Title,
		Hint: strings.Join(advice, "; "),
	}
}

// show prints what the wait took. assumed: the reply to a request for several scopes named
// none.
func (w *wait) show(took time.Duration, requests int, assumed bool) error {
	p := w.client.Profile
	if w.output.JSON() {
		out := map[string]any{
			"profile": p.Name, "provider": p.Service.Name, "scopes": w.wanted, "effective": true,
			"waited_seconds": int(took.Seconds()), "requests": requests,
		}
		if assumed {
			out["assumed"] = true
		}
		return w.UI.JSON(out)
	}
	verb := "is"
	if len(w.wanted) > 1 {
		verb = "are"
	}
	text := fmt.Sprintf("%s %s in effect at %s, after %s and %s\n", strings.Join(w.wanted, " "), verb,
		p.Service.Title, moment.Lasting(took), term.Counted(requests, "request"))
	if assumed {
		text += "assumed: " + p.Service.Title + " named no scope in its reply, which RFC 6749 §5.1 reads as \"as asked\"; " +
			"it may not keep to that\n"
	}
	return w.UI.Print(text)
}
