package cli

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/spf13/cobra"
)

// scopesCheckOptions are the flags of `scopes check`.
type scopesCheckOptions struct {
	serviceFlags
	requireFlag
	output outputFlag
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
		Args: arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.begin(&o.output); err != nil {
				return err
			}
			return a.runScopesCheck(command.Context(), o, args)
		},
		ValidArgsFunction: a.completeProfile,
	}
	o.serviceFlags.bind(command.Flags())
	o.requireFlag.bind(command.Flags())
	o.output.bind(command.Flags(), "table", "json")
	return command
}

func (a *app) runScopesCheck(ctx context.Context, o *scopesCheckOptions, args []string) error {
	if err := o.requireFlag.check(); err != nil {
		return err
	}
	s, err := a.open(&o.serviceFlags, args)
	if err != nil {
		return err
	}
	a.warnOfScopes(s.profile.Service, o.list(), "")
	a.warnOfProfile(s.profile)
	if s.dryRun != nil {
		return a.dryRun(ctx, s)
	}
	own, err := a.ownProfile(s.profile.Name)
	if err != nil {
		return err
	}
	answer, err := s.token(ctx)
	if err != nil {
		return refusedScopes(s, own, err)
	}
	known, claims := sides(s, answer)
	known.Configured, known.Catalogue = own.Settings.List("scopes"), catalogueOf(own.Service)
	c := &scopesCheck{session: s, own: own, answer: answer, roles: claims.Roles}
	known.Introspected = a.introspected(a.watched(ctx), c)
	c.rows = scopes.Compare(known)
	if err := o.require(s, answer, known); err != nil {
		return err
	}
	return a.showCheck(&o.output, c)
}

// ownProfile returns a profile as it is without flags.
func (a *app) ownProfile(name string) (*config.Profile, error) {
	file, _, err := a.file()
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
	session *session
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
	if !c.session.profile.Service.Has(providers.Introspect) {
		return nil
	}
	var reply json.RawMessage
	err := c.session.bounded(ctx, sessionOf(c.answer.Token), func(ctx context.Context, with providers.Session) error {
		var err error
		reply, err = c.session.provider.Introspect(ctx, with.AccessToken)
		return err
	})
	if err != nil {
		a.warn("the service was not heard on the token: " + err.Error())
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
func refusedScopes(s *session, own *config.Profile, err error) error {
	failure, ok := errors.AsType[*providers.Failure](err)
	if !ok || failure.Reason != providers.ReasonScope {
		return err
	}
	hints := []string{}
	asked := s.profile.Settings.List("scopes")
	if better := corrected(own.Service, asked); !slices.Equal(better, asked) {
		hints = append(hints, "probably meant: "+scopesAssignment(s.profile, better))
	}
	if failure.Hint != "" {
		hints = append(hints, failure.Hint)
	}
	probe := s.setup.app.commandFor(s.profile.Name, "scopes", "probe")
	hints = append(hints, "find out which ones the client gets: "+probe)
	return &scopeError{message: err.Error(), hint: strings.Join(hints, "; "), err: err}
}

// corrected replaces the names that are surely or probably slips.
func corrected(service providers.Spec, names []string) []string {
	better := slices.Clone(names)
	for _, c := range scopes.Check(service, names) {
		if c.Suggestion != "" {
			better[slices.Index(names, c.Name)] = c.Suggestion
		}
	}
	return scopes.Unique(better)
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
	better := corrected(c.own.Service, own)
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
	return scopesAssignment(c.own, better)
}

// steps say what to do about a missing scope, in order.
func (c *scopesCheck) steps(r scopes.Row) []string {
	p := c.session.profile
	commandFor := c.session.setup.app.commandFor
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
	steps := []string{granting(p) + ", then: " + commandFor(p.Name, "scopes", "wait", "--scope", r.Name)}
	if c.answer.Source == broker.SourceCache {
		steps = append(steps, "if it was granted since this token was issued: "+again)
	}
	return steps
}
