package cli

import (
	"context"
	"slices"
	"time"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
)

// openAsking opens the session of a profile for requests with the scopes that choose returns of its own ones and of
// those of --scope, nil without any. The profile itself may have none.
func (a *app) openAsking(f *serviceFlags, output *outputFlag, args []string, doing string,
	choose func(s providers.Spec, wanted, own []string) ([]string, error),
) (*session, error) {
	if err := a.begin(output); err != nil {
		return nil, err
	}
	wanted := f.scopeList()
	f.scopes = nil
	f.prepare = func(p *config.Profile) error {
		if err := a.needsNoLogin(p, doing); err != nil {
			return err
		}
		own, _ := p.Settings.Lookup("scopes")
		names, err := choose(p.Service, wanted, own.List)
		p.Settings = p.Settings.With("scopes", providers.Value{List: names, Origin: own.Origin})
		return err
	}
	s, err := a.open(f, args)
	if err == nil {
		a.warnOfScopes(s.profile.Service, wanted, "")
		a.warnOfProfile(s.profile)
	}
	return s, err
}

// asking returns the session as it is with other scopes, none for nil, and past the
// cache. A request may take as long as limit.
func (s *session) asking(names []string, limit time.Duration) (*session, error) {
	other := *s
	provider, err := s.profile.Service.New(s.profile.Settings.With("scopes", providers.Value{List: names}), s.client)
	if err != nil {
		return nil, err
	}
	other.provider = provider
	other.request.Provider, other.request.NoCache, other.request.Timeout = provider, true, limit
	return &other, nil
}

// asked is the token that came of a request for scopes.
type asked struct {
	token oauth.Token
	// given are the Valid scopes in effect, nil when neither the reply nor the token says.
	given []string
}

// askFor asks for a token with the names.
func (s *session) askFor(ctx context.Context, names []string, limit time.Duration) (asked, error) {
	other, err := s.asking(names, limit)
	if err != nil {
		return asked{}, err
	}
	answer, err := other.token(ctx)
	if err != nil {
		return asked{}, err
	}
	known, _ := sides(other, answer)
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
	return &providers.SettingError{
		Profile: p.Name, Name: "grant", Origin: grant.Origin,
		Problem: "is " + grant.Text + ": " + doing + " would take a login by a person for each request",
		Help:    a.commandFor(p.Name, "scopes", "check") + " shows which scopes the login got",
	}
}

// showsStatus reports whether a line on stderr may change while something is done: not
// where what else goes there would tear it.
func (a *app) showsStatus(f *serviceFlags) bool {
	return a.Streams.ErrTerminal && !a.flags.quiet && !a.flags.verbose && !f.explain
}

// assumedText says of a service what is made of a reply without scope.
func assumedText(service providers.Spec) string {
	return service.Title + " named no scope in its reply, which RFC 6749 §5.1 reads as \"as asked\"; " +
		"it may not keep to that"
}

// joined is a list and what it lacks of another, in their order.
func joined(list, more []string) []string {
	return append(slices.Clone(list), scopes.Missing(list, more)...)
}
