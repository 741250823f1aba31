package providers

import (
	"context"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/oauth"
)

// TokenEndpoint is the token endpoint of one configured client (RFC 6749 §3.2)
// with what the service wants beside the standard. Adapters build one and ask it.
type TokenEndpoint struct {
	// Service is the service's title, for messages.
	Service string
	Client  *oauth.Client
	URL     *url.URL
	Auth    oauth.ClientAuth
	// Header and SecretHeader are sent with every request.
	Header       map[string][]string
	SecretHeader map[string]oauth.SecretFunc
	// Accept is the wanted form of the reply; empty means application/json.
	Accept string
	// MinRetryWait is the least time between two requests of one call.
	MinRetryWait time.Duration
	// Judge reads a service's error its own way; returning nil, or being nil,
	// leaves it to the words of RFC 6749 §5.2.
	Judge func(*oauth.Error) *Failure
}

// ClientCredentials asks with the grant of RFC 6749 §4.4.
func (e *TokenEndpoint) ClientCredentials(ctx context.Context, params url.Values) (oauth.Token, error) {
	return e.ask(ctx, oauth.TokenRequest{Params: grant(params, "client_credentials"), Repeatable: true})
}

// Password asks with the grant of RFC 6749 §4.3. It is sent once: a repeated
// wrong password may lock the user out.
func (e *TokenEndpoint) Password(
	ctx context.Context, params url.Values, password oauth.SecretFunc,
) (oauth.Token, error) {
	return e.ask(ctx, oauth.TokenRequest{
		Params:  grant(params, "password"),
		Secrets: map[string]oauth.SecretFunc{"password": password},
	})
}

// Refresh asks with the grant of RFC 6749 §6. A refused refresh token is a
// Failure of ReasonLogin.
func (e *TokenEndpoint) Refresh(
	ctx context.Context, params url.Values, refreshToken oauth.Secret,
) (oauth.Token, error) {
	token, err := e.ask(ctx, oauth.TokenRequest{
		Params:  grant(params, "refresh_token"),
		Secrets: map[string]oauth.SecretFunc{"refresh_token": oauth.Known(refreshToken)},
	})
	return token, refusedRefresh(err)
}

func (e *TokenEndpoint) ask(ctx context.Context, r oauth.TokenRequest) (oauth.Token, error) {
	r.Endpoint, r.Auth, r.Header, r.SecretHeader = e.URL, e.Auth, e.Header, e.SecretHeader
	r.Accept, r.MinRetryWait = e.Accept, e.MinRetryWait
	token, err := e.Client.Token(ctx, r)
	if err != nil {
		return oauth.Token{}, e.failure(err)
	}
	return token, nil
}

func grant(params url.Values, grantType string) url.Values {
	all := url.Values{"grant_type": {grantType}}
	maps.Copy(all, params)
	return all
}

// Scope joins scopes as RFC 6749 §3.3 has them; no scopes give no parameter.
func Scope(scopes []string) url.Values {
	if len(scopes) == 0 {
		return url.Values{}
	}
	return url.Values{"scope": {strings.Join(scopes, " ")}}
}
