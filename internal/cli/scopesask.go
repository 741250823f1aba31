package cli

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
func (a *app) openAsking(f *verb.Service, output *verb.Output, args []string, doing string,
	choose func(s providers.Spec, wanted, own []string) ([]string, error),
) (*client.Client, error) {
	if err := a.Begin(output); err != nil {
		return nil, err
	}
	wanted := f.ScopeList()
	f.Scopes = nil
	p, err := a.Pick(f, args, nil)
	if err != nil {
		return nil, err
	}
	if err := a.needsNoLogin(p, doing); err != nil {
		return nil, err
	}
	own, _ := p.Settings.Lookup("scopes")
	names, err := choose(p.Service, wanted, own.List)
	if err != nil {
		return nil, err
	}
	p.Settings = p.Settings.With("scopes", setting.Value{List: names, Origin: own.Origin})
	c, err := a.OpenProfile(f, p)
	if err == nil {
		a.WarnOfScopes(p.Service, wanted, "")
		a.WarnOfProfile(p)
	}
	return c, err
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

// needsNoLogin is an error for profiles whose tokens only a person gets: each request
// would be a login.
func (a *app) needsNoLogin(p *config.Profile, doing string) error {
	grant, _ := p.Settings.Lookup("grant")
	if !oauth.Grant(grant.Text).NeedsPerson() {
		return nil
	}
	return &setting.Error{
		Profile: p.Name, Name: "grant", Origin: grant.Origin,
		Problem: "is " + grant.Text + ": " + doing + " would take a login by a person for each request",
		Help:    a.CommandFor(p.Name, "scopes", "check") + " shows which scopes the login got",
	}
}

// assumedText says of a service what is made of a reply without scope.
func assumedText(service providers.Spec) string {
	return service.Title + " named no scope in its reply, which RFC 6749 §5.1 reads as \"as asked\"; " +
		"it may not keep to that"
}
