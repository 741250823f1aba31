// Package providers holds what the adapters of the services have in common: the
// Provider interface, the optional capabilities, the description of settings as
// data, and the one error a service's refusal ends as. Each service is a package
// below this one; builtin lists them.
package providers

import (
	"context"
	"net/url"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
)

// Provider is one configured client of one service. Everything beyond issuing a
// token is an optional capability of one method, see Refresher.
type Provider interface {
	// Name is the service's name in configuration ("pexip").
	Name() string
	// Key states what a token of this client depends on. It needs no
	// network, no secret and no person.
	Key() oauth.Key
	// Issue asks the service for a new token with the configured grant. Errors
	// are a *Failure, a *SettingError or what a secret reference returned.
	Issue(ctx context.Context) (oauth.Token, error)
}

// Refresher is a Provider that can trade a refresh token for a new access token
// (RFC 6749 §6). The new token's RefreshToken is zero when the service sent none
// back; the old one then stays valid. Whoever sends it by other means than an oauth.Client
// calls oauth.Announce right before.
type Refresher interface {
	Refresh(ctx context.Context, refreshToken secret.Secret) (oauth.Token, error)
}

// Pacer is a Provider whose service takes only so many token requests.
type Pacer interface {
	// Pace is the least time between two token requests of one account, whatever
	// they ask for.
	Pace() time.Duration
}

// Service is what is known of a service before anything is configured.
type Service struct {
	// Name is the value of `provider:` in a profile.
	Name string
	// Title is the service's name for people.
	Title string
	// Docs are the addresses of the vendor's pages the adapter follows.
	Docs []string
	// Settings are the keys a profile of this service may have, in the order in
	// which a person is asked for them.
	Settings []Setting
	// Prototype is a nil pointer of the adapter's type: what the adapter can do
	// is read off its method set.
	Prototype Provider
	// UserInfoViews are the names of what `userinfo --view` can ask for, the default
	// first; empty when there is only one.
	UserInfoViews []string
	// PingWithToken says that the answer to a ping stands for a token too.
	PingWithToken bool
	// Catalogue returns the scopes of the vendor's page.
	Catalogue func() Catalogue
	// OnlyScope is the one scope that the service takes, empty where there are more.
	OnlyScope string
	// ListsGranted says that a token request without scope is answered with the list
	// of all scopes that the client was given.
	ListsGranted bool
	// ScopesGivenIn is where a client is given its scopes, as the vendor calls it;
	// empty where no page says.
	ScopesGivenIn string
	// RefreshTokensGivenIn says where a client is given refresh tokens; empty where no page
	// says.
	RefreshTokensGivenIn string
	// AtAddress returns what an address of the service says of the settings ("account",
	// "region"), as people paste it from a browser or a page; nil for one that says nothing.
	// A nil function knows no address.
	AtAddress func(*url.URL) map[string]string
	// Odd returns what is allowed in the settings and hardly meant, empty for nothing; nil
	// finds nothing. See Doubt.
	Odd func(Settings) string
	// New builds a client. It checks the settings, and errors are *SettingError.
	New func(Settings, *oauth.Client) (Provider, error)
}

// Doubt returns a warning about what is allowed in the settings and hardly meant, empty
// for nothing.
func (s Service) Doubt(settings Settings) string {
	if s.Odd == nil {
		return ""
	}
	return s.Odd(settings)
}
