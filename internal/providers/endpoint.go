package providers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
)

// TokenEndpoint is the token endpoint of one configured client (RFC 6749 §3.2)
// with what the service wants beside the standard. Adapters build one and ask it.
type TokenEndpoint struct {
	Peer
	URL  *url.URL
	Auth oauth.ClientAuth
	// Accept is the wanted form of the reply; empty means application/json.
	Accept string
	// MinRetryWait is the least time between two requests of one call.
	MinRetryWait time.Duration
	// Keep names what of a reply is kept beside the tokens: "id_token", "sid". What
	// nobody asks for is not stored.
	Keep []string
}

// Peer is a service to talk to: what every request to it has, and how its errors
// are read.
type Peer struct {
	// Service is the service's title, for messages.
	Service string
	Client  *oauth.Client
	// Header and SecretHeader are sent with every request.
	Header       map[string][]string
	SecretHeader map[string]secret.Func
	// Rules read the service's errors its own way; what none fits is left to the words
	// of RFC 6749 §5.2.
	Rules []Rule
	// Names are the profile's settings, for hints.
	Names Names
}

// Call asks an endpoint that is not the token endpoint. Errors are a *Failure or
// what a secret reference returned.
func (p *Peer) Call(ctx context.Context, r oauth.CallRequest) (*oauth.Reply, error) {
	r.Header, r.SecretHeader = p.Header, p.SecretHeader
	reply, err := p.Client.Call(ctx, r)
	if err != nil {
		return nil, p.failed(err, wanted{auth: r.Auth, token: r.Bearer != nil})
	}
	return reply, nil
}

// Failed turns the error of a call into a *Failure. Where a token was shown, it is
// the token that a refusal is about.
func (p *Peer) Failed(err error, token bool) error { return p.failed(err, wanted{token: token}) }

func (p *Peer) failed(err error, w wanted) error {
	err = p.failure(err, w)
	failure, ok := errors.AsType[*Failure](err)
	answered, said := errors.AsType[*oauth.Error](err)
	if ok && said && w.token && answered.Page == "" && answered.StatusCode == http.StatusUnauthorized {
		failure.StaleToken = true
	}
	if ok && said && w.token && failure.Reason == ReasonCredentials && failure.Hint == "" {
		failure.Message = fmt.Sprintf("%s does not accept the token: %v", p.Service, answered)
		failure.Hint = "get a new one: authctl token get --force-refresh, or log in again"
	}
	return err
}

// ClientCredentials asks with the grant of RFC 6749 §4.4.
func (e *TokenEndpoint) ClientCredentials(ctx context.Context, params url.Values) (oauth.Token, error) {
	token, err := e.ask(ctx, oauth.TokenRequest{Params: grant(params, "client_credentials"), Repeatable: true})
	return e.kept(token), err
}

// Password asks with the grant of RFC 6749 §4.3. It is sent once: a repeated
// wrong password may lock the user out.
func (e *TokenEndpoint) Password(
	ctx context.Context, params url.Values, password secret.Func,
) (oauth.Token, error) {
	token, err := e.ask(ctx, oauth.TokenRequest{
		Params:  grant(params, "password"),
		Secrets: map[string]secret.Func{"password": password},
	})
	return e.kept(token), err
}

// AuthorizationCode asks with the grant of RFC 6749 §4.1.3. It is sent once: a code
// is good once. The verifier is PKCE's, zero without it. The token has its ID token
// still, which CodeFlow checks.
func (e *TokenEndpoint) AuthorizationCode(
	ctx context.Context, params url.Values, code, verifier secret.Secret,
) (oauth.Token, error) {
	secrets := map[string]secret.Func{"code": secret.Known(code)}
	if !verifier.IsZero() {
		secrets["code_verifier"] = secret.Known(verifier)
	}
	return e.ask(ctx, oauth.TokenRequest{Params: grant(params, "authorization_code"), Secrets: secrets})
}

// Refresh asks with the grant of RFC 6749 §6. A refused refresh token is a
// Failure of ReasonLogin.
func (e *TokenEndpoint) Refresh(
	ctx context.Context, params url.Values, refreshToken secret.Secret,
) (oauth.Token, error) {
	token, err := e.ask(ctx, oauth.TokenRequest{
		Params:  grant(params, "refresh_token"),
		Secrets: map[string]secret.Func{"refresh_token": secret.Known(refreshToken)},
	})
	return e.kept(token), refusedRefresh(err)
}

// kept returns the token without what nobody asked to keep.
func (e *TokenEndpoint) kept(t oauth.Token) oauth.Token {
	if !slices.Contains(e.Keep, "id_token") {
		t.IDToken = secret.Secret{}
	}
	if !slices.Contains(e.Keep, "sid") {
		t.SessionID = ""
	}
	return t
}

func (e *TokenEndpoint) ask(ctx context.Context, r oauth.TokenRequest) (oauth.Token, error) {
	r.Endpoint, r.Auth, r.Header, r.SecretHeader = e.URL, e.Auth, e.Header, e.SecretHeader
	r.Accept, r.MinRetryWait = e.Accept, e.MinRetryWait
	token, err := e.Client.Token(ctx, r)
	if err != nil {
		return oauth.Token{}, e.failure(err, wanted{grant: r.Params.Get("grant_type"), auth: r.Auth})
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
