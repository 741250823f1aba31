package cli

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/spf13/cobra"
)

// scopesCheckOptions are the flags of `scopes check`.
type scopesCheckOptions struct {
	verb.Service
	verb.Require
	output verb.Output
}

func (a *app) scopesCheck() *cobra.Command {
	o := &scopesCheckOptions{}
	command := &cobra.Command{
		Use:   "check [PROFILE]",
		Short: "Compare the scopes asked for with those that were granted",
		Long: `Get a token as token get does, and show side by side which scopes the profile has, which
were asked for, which the service says it granted, which the token itself has where it
is a JWT, and which the service knows of where it can be asked (RFC 7662). A reply
without scopes means those that were asked for (RFC 6749 §5.1). What is missing is shown
with what it would open and what to do; it is exit code 5 only with --require-scope.`,
		Example: `  authctl scopes check calls
  authctl scopes check calls --scope contacts:read,contacts:write
  authctl scopes check calls --require-scope contacts:write || exit`,
		Args: verb.Arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.Begin(&o.output); err != nil {
				return err
			}
			return a.runScopesCheck(command.Context(), o, args)
		},
		ValidArgsFunction: a.CompleteProfile,
	}
	o.Service.Bind(command.Flags())
	o.Require.Bind(command.Flags())
	o.output.Bind(command.Flags(), "table", "json")
	return command
}

func (a *app) runScopesCheck(ctx context.Context, o *scopesCheckOptions, args []string) error {
	if err := o.Require.Check(); err != nil {
		return err
	}
	s, err := a.Open(&o.Service, args)
	if err != nil {
		return err
	}
	a.WarnOfScopes(s.Profile.Service, o.Require.List(), "")
	a.WarnOfProfile(s.Profile)
	if s.Options.DryRun {
		return a.DryRun(ctx, s)
	}
	own, err := a.ownProfile(s.Profile.Name)
	if err != nil {
		return err
	}
	answer, err := s.Token(ctx)
	if err != nil {
		return refusedScopes(a.CommandFor, s, own, err)
	}
	known, claims := verb.Sides(s, answer)
	known.Configured, known.Catalogue = own.Settings.List("scopes"), scopes.CatalogueOf(own.Service)
	c := &scopesCheck{app: a, session: s, own: own, answer: answer, roles: claims.Roles}
	known.Introspected = a.introspected(a.Watched(ctx), c)
	c.rows = scopes.Compare(known)
	if err := o.Require.Demand(a.Deps, s, answer, known); err != nil {
		return err
	}
	return a.showCheck(&o.output, c)
}

// ownProfile returns a profile as it is without flags.
func (a *app) ownProfile(name string) (*config.Profile, error) {
	file, err := a.File()
	if err != nil {
		return nil, err
	}
	if name == config.EnvironmentProfile {
		name = ""
	}
	return file.Profile(name, nil)
}

// scopesCheck is what a check has found.
type scopesCheck struct {
	*app
	session *client.Client
	// own is the profile without what flags say.
	own    *config.Profile
	answer broker.Answer
	rows   []scopes.Row
	roles  []string
	// active is what the service says of the token itself.
	active scopes.Presence
}

// introspected asks the service what it knows of the token; nil where it cannot be
// asked. That it gives no answer spoils nothing else.
func (a *app) introspected(ctx context.Context, c *scopesCheck) []string {
	if !c.session.Profile.Service.Has(providers.Introspect) {
		return nil
	}
	var reply json.RawMessage
	err := c.session.Bounded(ctx, client.SessionOf(c.answer.Token), func(ctx context.Context, with providers.Session) error {
		var err error
		reply, err = c.session.Provider.Introspect(ctx, with.AccessToken)
		return err
	})
	if err != nil {
		a.UI.Warn("the service was not heard on the token: " + err.Error())
		return nil
	}
	var state struct{ Active *bool }
	if json.Unmarshal(reply, &state) == nil && state.Active != nil && !*state.Active {
		c.active = scopes.No
		return []string{}
	}
	c.active = scopes.Yes
	return scopes.FromClaims(reply).Scopes
}

// refusedScopes adds to a refused request what may be wrong with its scopes, and how
// that is found out.
func refusedScopes(commandFor func(string, ...string) string, s *client.Client, own *config.Profile, err error) error {
	failure, ok := errors.AsType[*providers.Failure](err)
	if !ok || failure.Reason != providers.ReasonScope {
		return err
	}
	hints := []string{}
	asked := s.Profile.Settings.List("scopes")
	if better := scopes.Corrected(own.Service, asked); !slices.Equal(better, asked) {
		hints = append(hints, "probably meant: "+verb.ScopesAssignment(s.Profile, better))
	}
	if failure.Hint != "" {
		hints = append(hints, failure.Hint)
	}
	probe := commandFor(s.Profile.Name, "scopes", "probe")
	hints = append(hints, "find out which ones the client gets: "+probe)
	return &verb.Error{Kind: "scope", Hint: strings.Join(hints, "; "), Err: err}
}

// missing are the rows that were asked for and are not in effect.
func (c *scopesCheck) missing() []scopes.Row {
	return slices.DeleteFunc(slices.Clone(c.rows), func(r scopes.Row) bool { return !r.Missing })
}

// extra are the names that came unasked.
func (c *scopesCheck) extra() []string {
	names := []string{}
	for _, r := range c.rows {
		if r.Extra {
			names = append(names, r.Name)
		}
	}
	return names
}

// fix is what the profile should say, empty when it is right as it is: slips
// corrected, and what --scope asked for with success added. Nothing is added to scopes
// that were not asked for with it or are missing: a service may refuse them together.
func (c *scopesCheck) fix() string {
	own := c.own.Settings.List("scopes")
	better := scopes.Corrected(c.own.Service, own)
	proven := !slices.ContainsFunc(c.rows, func(r scopes.Row) bool { return r.Configured && (!r.Requested || r.Missing) })
	for _, r := range c.rows {
		if proven && r.Requested && !r.Configured && r.InEffect() == scopes.Yes && scopes.Valid(r.Name) {
			better = append(better, r.Name)
		}
	}
	better = scopes.Unique(better)
	if slices.Equal(better, own) {
		return ""
	}
	return verb.ScopesAssignment(c.own, better)
}

// steps say what to do about a missing scope, in order.
func (c *scopesCheck) steps(r scopes.Row) []string {
	p := c.session.Profile
	commandFor := c.CommandFor
	again := commandFor(p.Name, "token", "get", "--force-refresh")
	warnings := scopes.Check(p.Service, []string{r.Name})
	switch {
	case c.active == scopes.No:
		return []string{"the service does not know this token any more; get a new one: " + again}
	case len(warnings) > 0 && warnings[0].Kind != scopes.Unknown:
		return []string{"the profile should ask for " + warnings[0].Suggestion}
	case len(warnings) > 0 && warnings[0].Suggestion != "":
		return []string{"the profile should perhaps ask for " + warnings[0].Suggestion}
	}
	steps := []string{verb.Granting(p) + ", then: " + commandFor(p.Name, "scopes", "wait", "--scope", r.Name)}
	if c.answer.Source == broker.SourceCache {
		steps = append(steps, "if it was granted since this token was issued: "+again)
	}
	return steps
}
