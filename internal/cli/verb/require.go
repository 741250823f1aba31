package verb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/config/kinds"
	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/spf13/pflag"
)

// Require is --require-scope.
type Require struct{ Required []string }

// Bind adds the flag.
func (f *Require) Bind(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.Required, "require-scope", nil,
		"exit 5 unless this `scope` is in effect (repeatable; comma or space separated)")
}

// Check is a usage error for a flag that requires nothing: a variable that is empty by
// mistake must not open the gate.
func (f *Require) Check() error {
	for _, text := range f.Required {
		if len(kinds.Words(text)) == 0 {
			return Usagef("--require-scope %q names no scope; leave it out to require none", text)
		}
	}
	return nil
}

// List are the scopes that are required.
func (f *Require) List() []string { return kinds.Words(strings.Join(f.Required, " ")) }

// Sides are what is known of a token's scopes without asking anybody: what was asked
// for, the reply, and the token itself where it is a JWT. The catalogue is left out,
// which takes time to read.
func Sides(c *client.Client, answer broker.Answer) (scopes.Sides, scopes.Claims) {
	claims := scopes.Claims{}
	if jwt, err := jose.ParseJWT(answer.Token.AccessToken); err == nil {
		claims = scopes.FromClaims(jwt.Claims)
	}
	return scopes.Sides{
		Configured: c.Profile.Settings.List("scopes"), Requested: c.Provider.Key().Scopes,
		Granted: answer.Token.Scope, InToken: claims.Scopes,
	}, claims
}

// Demand is an error when one of the wanted scopes is not in effect. What no side
// says anything of counts as missing: a pipeline wants to be sure.
func (f *Require) Demand(d *Deps, c *client.Client, answer broker.Answer, known scopes.Sides) error {
	wanted := f.List()
	if len(wanted) == 0 {
		return nil
	}
	missing := scopes.Missing(scopes.InEffect(scopes.Compare(known)), wanted)
	if len(missing) == 0 {
		return nil
	}
	noun := "scope "
	if len(missing) > 1 {
		noun = "scopes "
	}
	named := noun + scopes.WithMeaning(c.Profile.Service, missing)
	e := &Error{
		Kind: "scope", Message: fmt.Sprintf("the token of profile %s lacks the %s", c.Profile.Name, named),
		Hint: nextFor(d.CommandFor, c, known, missing, answer.Source == broker.SourceCache),
	}
	if known.Granted == nil && len(known.Requested) == 0 && known.InToken == nil {
		e.Message = fmt.Sprintf("nobody says that the token of profile %s has the %s: the service names no scopes, "+
			"and none were asked for", c.Profile.Name, named)
	}
	return e
}

// nextFor says how a missing scope is come by: those that were not asked for have to
// be, the others have to be granted at the service.
func nextFor(
	commandFor func(string, ...string) string, c *client.Client, known scopes.Sides, missing []string, cached bool,
) string {
	if better := scopes.Corrected(c.Profile.Service, missing); !slices.Equal(better, missing) {
		return "probably meant: " + strings.Join(better, ", ") + "; see authctl scopes list " + c.Profile.Service.Name
	}
	unasked := scopes.Missing(known.Requested, missing)
	refused := scopes.Missing(unasked, missing)
	parts := []string{}
	if len(unasked) > 0 {
		all := scopes.Unique(slices.Concat(c.Profile.Settings.List("scopes"), unasked))
		parts = append(parts, "ask for it: "+ScopesAssignment(c.Profile, all))
	}
	if len(refused) > 0 {
		text := strings.Join(refused, ", ") + " was asked for: " + Granting(c.Profile)
		if cached {
			text += "; if that is done, get a new token with --force-refresh"
		}
		parts = append(parts, text)
	}
	return strings.Join(append(parts, "see "+commandFor(c.Profile.Name, "scopes", "check")), "; ")
}

// Granting says where the client is given a scope.
func Granting(p *config.Profile) string {
	client := "grant it to client " + p.Settings.Text("client_id")
	if p.Service.ScopesGivenIn != "" {
		return client + " in " + p.Service.ScopesGivenIn
	}
	return client + " at " + p.Service.Title
}
