package scopes

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

// check is `scopes check` and what it has found.
type check struct {
	*verb.Deps
	service verb.Service
	require verb.Require
	output  verb.Output

	client *client.Client
	// own is the profile without what flags say.
	own    *config.Profile
	answer broker.Answer
	rows   []scopes.Row
	roles  []string
	// active is what the service says of the token itself.
	active scopes.Presence
}

func newCheck(d *verb.Deps) *cobra.Command {
	c := &check{Deps: d}
	return d.Command(cobra.Command{
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
	}, verb.Flags{Service: &c.service, Output: &c.output, Formats: []string{"table", "json"}, Own: c.require.Bind}, c.run)
}

func (c *check) run(ctx context.Context, args []string) (err error) {
	if err := c.require.Check(); err != nil {
		return err
	}
	if c.client, err = c.Open(&c.service, args); err != nil {
		return err
	}
	p := c.client.Profile
	c.WarnOfScopes(p.Service, c.require.List(), "")
	c.WarnOfProfile(p)
	if c.service.DryRun {
		return c.DryRun(ctx, c.client)
	}
	if c.own, err = withoutFlags(c.Deps, p.Name); err != nil {
		return err
	}
	if c.answer, err = c.client.Token(ctx); err != nil {
		return c.refused(err)
	}
	known, claims := verb.Sides(c.client, c.answer)
	known.Configured, known.Catalogue = c.own.Settings.List("scopes"), scopes.CatalogueOf(c.own.Service)
	known.Introspected = c.introspected(c.Watched(ctx))
	c.rows, c.roles = scopes.Compare(known), claims.Roles
	if err := c.require.Demand(c.Deps, c.client, c.answer, known); err != nil {
		return err
	}
	return c.show()
}

// introspected asks the service what it knows of the token; nil where it cannot be
// asked. That it gives no answer spoils nothing else.
func (c *check) introspected(ctx context.Context) []string {
	if !c.client.Profile.Service.Has(providers.Introspect) {
		return nil
	}
	var reply json.RawMessage
	session := client.SessionOf(c.answer.Token)
	err := c.client.Bounded(ctx, session, func(ctx context.Context, with providers.Session) (err error) {
		reply, err = c.client.Provider.Introspect(ctx, with.AccessToken)
		return err
	})
	if _, lacks := errors.AsType[*providers.UnsupportedError](err); lacks {
		return nil
	}
	if err != nil {
		c.UI.Warn("the service was not heard on the token: " + err.Error())
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

// refused adds to a refused request what may be wrong with its scopes, and how
// that is found out.
func (c *check) refused(err error) error {
	failure, ok := errors.AsType[*providers.Failure](err)
	if !ok || failure.Reason != providers.ReasonScope {
		return err
	}
	hints := []string{}
	asked := c.client.Profile.Settings.List("scopes")
	if better := scopes.Corrected(c.own.Service, asked); !slices.Equal(better, asked) {
		hints = append(hints, "probably meant: "+verb.ScopesAssignment(c.client.Profile, better))
	}
	if failure.Hint != "" {
		hints = append(hints, failure.Hint)
	}
	probe := c.CommandFor(c.client.Profile.Name, "scopes", "probe")
	hints = append(hints, "find out which ones the client gets: "+probe)
	return &verb.Error{Kind: "scope", Hint: strings.Join(hints, "; "), Err: err}
}

// missing are the rows that were asked for and are not in effect.
func (c *check) missing() []scopes.Row {
	return slices.DeleteFunc(slices.Clone(c.rows), func(r scopes.Row) bool { return !r.Missing })
}

// extra are the names that came unasked.
func (c *check) extra() []string {
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
func (c *check) fix() string {
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
func (c *check) steps(r scopes.Row) []string {
	p := c.client.Profile
	again := c.CommandFor(p.Name, "token", "get", "--force-refresh")
	warnings := scopes.Check(p.Service, []string{r.Name})
	switch {
	case c.active == scopes.No:
		return []string{"the service does not know this token any more; get a new one: " + again}
	case len(warnings) > 0 && warnings[0].Kind != scopes.Unknown:
		return []string{"the profile should ask for " + warnings[0].Suggestion}
	case len(warnings) > 0 && warnings[0].Suggestion != "":
		return []string{"the profile should perhaps ask for " + warnings[0].Suggestion}
	}
	steps := []string{verb.Granting(p) + ", then: " + c.CommandFor(p.Name, "scopes", "wait", "--scope", r.Name)}
	if c.answer.Source == broker.SourceCache {
		steps = append(steps, "if it was granted since this token was issued: "+again)
	}
	return steps
}
