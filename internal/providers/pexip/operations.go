package pexip

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
)

// The operations are Keycloak's standard ones, which Pexip does not document:
// their addresses come from the realm's discovery document and are not guessed.
var (
	_ providers.UserInfoer   = (*Provider)(nil)
	_ providers.SignOuter    = (*Provider)(nil)
	_ providers.Pinger       = (*Provider)(nil)
	_ providers.Revoker      = (*Provider)(nil)
	_ providers.Introspector = (*Provider)(nil)
	_ providers.Verifier     = (*Provider)(nil)
)

// discover reads the realm's document; its endpoints must be on the same host.
func (p *Provider) discover(ctx context.Context) (*oauth.Metadata, error) {
	metadata, err := p.token.Client.Discover(ctx, p.issuer)
	if err != nil {
		return nil, p.token.Failed(err, false)
	}
	if err := metadata.CheckHost(p.issuer); err != nil {
		return nil, p.token.Failed(err, false)
	}
	return metadata, nil
}

// endpoint returns one address of the document.
func (p *Provider) endpoint(
	ctx context.Context, operation string, pick func(*oauth.Metadata) *url.URL,
) (*url.URL, error) {
	metadata, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	if address := pick(metadata); address != nil {
		return address, nil
	}
	return nil, &providers.UnsupportedError{
		Service: title, Operation: operation, Why: "the realm's discovery document has no such endpoint",
	}
}

// UserInfo asks the userinfo endpoint (OpenID Connect Core §5.3), which Keycloak
// answers for tokens with the scope openid only.
func (p *Provider) UserInfo(ctx context.Context, s providers.Session, _ string) (providers.UserInfo, error) {
	if s.Scope != nil && !slices.Contains(s.Scope, "openid") {
		return providers.UserInfo{}, lacksOpenID(nil)
	}
	address, err := p.endpoint(ctx, "userinfo", func(m *oauth.Metadata) *url.URL { return m.UserinfoEndpoint })
	if err != nil {
		return providers.UserInfo{}, err
	}
	peer := p.token.Peer
	peer.Judge = judgeToken
	reply, err := peer.Call(ctx, oauth.CallRequest{URL: address, Bearer: oauth.Known(s.AccessToken), Idempotent: true})
	if err != nil {
		return providers.UserInfo{}, err
	}
	claims, err := reply.Object()
	if err != nil {
		return providers.UserInfo{}, peer.Failed(err, true)
	}
	return providers.UserInfo{Claims: claims}, nil
}

// judgeToken reads the errors of a protected endpoint. The reason may be in
// WWW-Authenticate alone (RFC 6750 §3).
func judgeToken(err *oauth.Error) *providers.Failure {
	if err.StatusCode == http.StatusForbidden || err.Code == "insufficient_scope" {
		return lacksOpenID(err)
	}
	return nil
}

func lacksOpenID(err *oauth.Error) *providers.Failure {
	f := &providers.Failure{
		Reason:  providers.ReasonScope,
		Message: title + " tells about the user only for tokens with the scope openid, which this one lacks",
		Hint:    "add openid to the scopes of the profile, and get a new token",
	}
	if err != nil {
		f.Message = fmt.Sprintf("%s: %v", f.Message, err)
	}
	return f
}

// Ping reads the discovery document. It says nothing about a token.
func (p *Provider) Ping(ctx context.Context, _ oauth.Secret) (providers.Pong, error) {
	_, err := p.discover(ctx)
	return providers.Pong{Endpoint: p.issuer.String() + "/.well-known/openid-configuration"}, err
}

// Revoke asks the revocation endpoint (RFC 7009). Keycloak answers for a token that
// is not valid with 200 and an error inside.
func (p *Provider) Revoke(ctx context.Context, token oauth.Secret, hint string) error {
	address, err := p.endpoint(ctx, "token revoke", func(m *oauth.Metadata) *url.URL { return m.RevocationEndpoint })
	if err != nil {
		return err
	}
	err = p.token.Client.Revoke(ctx, oauth.RevocationRequest{
		Endpoint: address, Auth: p.token.Auth, Token: oauth.Known(token), Hint: hint,
	})
	if err != nil {
		return p.token.Failed(err, true)
	}
	return nil
}

// Introspect asks the introspection endpoint (RFC 7662).
func (p *Provider) Introspect(ctx context.Context, token oauth.Secret) (json.RawMessage, error) {
	pick := func(m *oauth.Metadata) *url.URL { return m.IntrospectionEndpoint }
	address, err := p.endpoint(ctx, "token introspect", pick)
	if err != nil {
		return nil, err
	}
	reply, _, err := p.token.Client.Introspect(ctx, oauth.IntrospectionRequest{
		Endpoint: address, Auth: p.token.Auth, Token: oauth.Known(token),
	})
	if err != nil {
		peer := p.token.Peer
		peer.Judge = judgeIntrospection
		return nil, peer.Failed(err, false)
	}
	return reply, nil
}

// judgeIntrospection knows Keycloak's 403 for a public client; the other errors are
// those of the token endpoint.
func judgeIntrospection(err *oauth.Error) *providers.Failure {
	if err.StatusCode == http.StatusForbidden && err.Description != "HTTPS required" {
		return &providers.Failure{
			Reason: providers.ReasonCredentials, Hint: "the realm lets confidential clients introspect only",
		}
	}
	return judge(err)
}

// Verify checks a JWT against the realm's keys.
func (p *Provider) Verify(ctx context.Context, token oauth.Secret) error {
	jwt, err := oauth.ParseJWT(token)
	if err != nil {
		return err
	}
	metadata, err := p.discover(ctx)
	if err != nil {
		return err
	}
	keys, err := p.token.Client.Keys(ctx, metadata.JWKSURI)
	if err != nil {
		return p.token.Failed(err, false)
	}
	return keys.Verify(jwt, metadata.Issuer)
}

// SignOut revokes the access token and, where there is a refresh token, ends the
// session with it, as Keycloak's logout endpoint takes it.
func (p *Provider) SignOut(
	ctx context.Context, s providers.Session, o providers.SignOutOptions,
) (providers.SignedOut, error) {
	err := p.Revoke(ctx, s.AccessToken, "access_token")
	answered, ok := errors.AsType[*oauth.Error](err)
	already := ok && answered.Code == "invalid_token"
	if err != nil && !already {
		return providers.SignedOut{}, err
	}
	done := providers.SignedOut{Did: "revoked the token", Already: already}
	if o.Global || o.RedirectURI != "" {
		done.Lacking = "signout --global or --redirect-uri: a client ends its own session only"
	}
	if already {
		done.Did = "the token was not valid any more"
	}
	if s.RefreshToken.IsZero() {
		return done, nil
	}
	if err := p.logout(ctx, s.RefreshToken); err != nil {
		return providers.SignedOut{}, err
	}
	done.Did += " and ended the session"
	return done, nil
}

func (p *Provider) logout(ctx context.Context, refreshToken oauth.Secret) error {
	pick := func(m *oauth.Metadata) *url.URL { return m.EndSessionEndpoint }
	address, err := p.endpoint(ctx, "signout", pick)
	if err != nil {
		return err
	}
	reply, err := p.token.Call(ctx, oauth.CallRequest{
		Method: http.MethodPost, URL: address, Auth: p.token.Auth,
		Secrets: map[string]oauth.SecretFunc{"refresh_token": oauth.Known(refreshToken)},
	})
	if err == nil && reply.ContentType == "text/html" {
		// A page that asks somebody to confirm is no sign-out.
		return &providers.Failure{
			Reason:  providers.ReasonProtocol,
			Message: title + " answered the sign-out with a page for a browser; the session may go on",
		}
	}
	return err
}
