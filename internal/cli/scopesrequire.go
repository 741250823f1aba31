package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/spf13/pflag"
)

// scopeError says that a scope is missing or was refused, and what to do. Exit code 5.
type scopeError struct {
	message, hint string
	// err is the service's own refusal, nil when there was none.
	err error
}

func (e *scopeError) Error() string { return e.message }
func (e *scopeError) Unwrap() error { return e.err }

// requireFlag is --require-scope.
type requireFlag struct{ required []string }

func (f *requireFlag) bind(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.required, "require-scope", nil,
		"exit 5 unless this `scope` is in effect (repeatable; comma or space separated)")
}

// check is a usage error for a flag that requires nothing: a variable that is empty by
// mistake must not open the gate.
func (f *requireFlag) check() error {
	for _, text := range f.required {
		if len(config.Words(text)) == 0 {
			return usagef("--require-scope %q names no scope; leave it out to require none", text)
		}
	}
	return nil
}

func (f *requireFlag) list() []string { return config.Words(strings.Join(f.required, " ")) }

// sides are what is known of a token's scopes without asking anybody: what was asked
// for, the reply, and the token itself where it is a JWT. The catalogue is left out,
// which takes time to read.
func sides(s *session, answer broker.Answer) (scopes.Sides, scopes.Claims) {
	claims := scopes.Claims{}
	if jwt, err := jose.ParseJWT(answer.Token.AccessToken); err == nil {
		claims = scopes.FromClaims(jwt.Claims)
	}
	return scopes.Sides{
		Configured: s.profile.Settings.List("scopes"), Requested: s.provider.Key().Scopes,
		Granted: answer.Token.Scope, InToken: claims.Scopes,
	}, claims
}

// require is an error when one of the wanted scopes is not in effect. What no side
// says anything of counts as missing: a pipeline wants to be sure.
func (f *requireFlag) require(s *session, answer broker.Answer, known scopes.Sides) error {
	wanted := f.list()
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
	named := noun + opening(s.profile.Service, missing)
	e := &scopeError{
		message: fmt.Sprintf("the token of profile %s lacks the %s", s.profile.Name, named),
		hint:    nextFor(s, known, missing, answer.Source == broker.SourceCache),
	}
	if known.Granted == nil && len(known.Requested) == 0 && known.InToken == nil {
		e.message = fmt.Sprintf("nobody says that the token of profile %s has the %s: the service names no scopes, "+
			"and none were asked for", s.profile.Name, named)
	}
	return e
}

// nextFor says how a missing scope is come by: those that were not asked for have to
// be, the others have to be granted at the service.
func nextFor(s *session, known scopes.Sides, missing []string, cached bool) string {
	if better := corrected(s.profile.Service, missing); !slices.Equal(better, missing) {
		return "probably meant: " + strings.Join(better, ", ") + "; see authctl scopes list " + s.profile.Service.Name
	}
	unasked := scopes.Missing(known.Requested, missing)
	refused := scopes.Missing(unasked, missing)
	parts := []string{}
	if len(unasked) > 0 {
		all := scopes.Unique(slices.Concat(s.profile.Settings.List("scopes"), unasked))
		parts = append(parts, "ask for it: "+scopesAssignment(s.profile, all))
	}
	if len(refused) > 0 {
		text := strings.Join(refused, ", ") + " was asked for: " + granting(s.profile)
		if cached {
			text += "; if that is done, get a new token with --force-refresh"
		}
		parts = append(parts, text)
	}
	return strings.Join(append(parts, "see "+s.setup.app.commandFor(s.profile.Name, "scopes", "check")), "; ")
}

// granting says where the client is given a scope.
func granting(p *config.Profile) string {
	client := "grant it to client " + p.Settings.Text("client_id")
	if p.Service.ScopesGivenIn != "" {
		return client + " in " + p.Service.ScopesGivenIn
	}
	return client + " at " + p.Service.Title
}
