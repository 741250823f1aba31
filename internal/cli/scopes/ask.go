package scopes

import (
	"context"
	"slices"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/setting"
)

// openAsking opens the client of a profile for requests with the scopes that choose returns of its own ones and of
// those of --scope, nil without any. The profile itself may have none.
func openAsking(d *verb.Deps, f *verb.Service, args []string, doing string,
	choose func(s providers.Spec, wanted, own []string) ([]string, error),
) (*client.Client, error) {
	wanted := f.ScopeList()
	f.Scopes = nil
	p, err := d.Pick(f, args, nil)
	if err != nil {
		return nil, err
	}
	if grant, _ := p.Settings.Lookup("grant"); oauth.Grant(grant.Text).NeedsPerson() {
		return nil, &setting.Error{
			Profile: p.Name, Name: "grant", Origin: grant.Origin,
			Problem: "is " + grant.Text + ": " + doing + " would take a login by a person for each request",
			Help:    d.CommandFor(p.Name, "scopes", "check") + " shows which scopes the login got",
		}
	}
	own, _ := p.Settings.Lookup("scopes")
	names, err := choose(p.Service, wanted, own.List)
	if err != nil {
		return nil, err
	}
	p.Settings = p.Settings.With("scopes", setting.Value{List: names, Origin: own.Origin})
	c, err := d.OpenProfile(f, p)
	if err == nil {
		d.WarnOfScopes(p.Service, wanted, "")
		d.WarnOfProfile(p)
	}
	return c, err
}

// withoutFlags returns a profile as it is without flags.
func withoutFlags(d *verb.Deps, name string) (*config.Profile, error) {
	file, err := d.File()
	if err != nil {
		return nil, err
	}
	if name == config.EnvironmentProfile {
		name = ""
	}
	return file.Profile(name, nil)
}

// asked is the token that came of a request for scopes.
type asked struct {
	token oauth.Token
	// given are the Valid scopes in effect, nil when neither the reply nor the token says.
	given []string
}

// askFor asks for a token with the names.
func askFor(ctx context.Context, c *client.Client, names []string, limit time.Duration) (asked, error) {
	other, err := c.Asking(names, limit)
	if err != nil {
		return asked{}, err
	}
	answer, err := other.Token(ctx)
	if err != nil {
		return asked{}, err
	}
	known, _ := verb.Sides(other, answer)
	got := asked{token: answer.Token}
	if known.Granted != nil || known.InToken != nil {
		odd := func(name string) bool { return !scopes.Valid(name) }
		got.given = slices.DeleteFunc(scopes.InEffect(scopes.Compare(known)), odd)
	}
	return got, nil
}
