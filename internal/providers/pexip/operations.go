package pexip

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
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
	_ providers.ScopeLister  = (*Provider)(nil)
	_ providers.Endpointer   = (*Provider)(nil)
)

// Endpoints is the realm's discovery document: what it names has to be on the same host.
func (p *Provider) Endpoints() []providers.Endpoint {
	return []providers.Endpoint{{Name: "discovery document", URL: p.issuer}}
}

// readDiscovery asks for the realm's document; its endpoints must be on the same host.
func (p *Provider) readDiscovery(ctx context.Context) (*oauth.Metadata, error) {
	metadata, err := p.token.Client.Discover(ctx, p.issuer)
	if err != nil {
		return nil, p.token.Failed(err, false)
	}
	if err := metadata.CheckHost(p.issuer); err != nil {
		return nil, p.token.Failed(err, false)
	}
	return metadata, nil
}

// discover is readDiscovery, asked once; a failure is not kept.
func (p *Provider) discover(ctx context.Context) (*oauth.Metadata, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.metadata != nil {
		return p.metadata, nil
	}
	metadata, err := p.readDiscovery(ctx)
	if err != nil {
		return nil, err
	}
	p.metadata = metadata
	return metadata, nil
}

// operation is what one of the document's endpoints is asked for.
type operation struct {
	// name is the verb on the command line.
	name    string
	at      func(*oauth.Metadata) *url.URL
	rules   []providers.Rule
	success oauth.Success
}

// The operations, with what Keycloak documents of their replies. A page that asks
// somebody to confirm is no sign-out.

func userInfo() operation {
	return operation{
		name: "userinfo", rules: userInfoRules(), success: oauth.Success{Members: []string{"sub"}},
		at: func(m *oauth.Metadata) *url.URL { return m.UserinfoEndpoint },
	}
}

func revoke() operation {
	return operation{
		name: "token revoke", rules: rules(), success: oauth.Revoked(),
		at: func(m *oauth.Metadata) *url.URL { return m.RevocationEndpoint },
	}
}

func introspect() operation {
	return operation{
		name: "token introspect", rules: introspectionRules(), success: oauth.Introspected(),
		at: func(m *oauth.Metadata) *url.URL { return m.IntrospectionEndpoint },
	}
}

func logout() operation {
	return operation{
		name: "signout", rules: rules(),
		success: oauth.Revoked(),
		at:      func(m *oauth.Metadata) *url.URL { return m.EndSessionEndpoint },
	}
}

// ask sends a request to the operation's endpoint.
func (p *Provider) ask(ctx context.Context, o operation, r oauth.CallRequest) (*oauth.Reply, error) {
	metadata, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	if r.URL = o.at(metadata); r.URL == nil {
		return nil, unsupported(o.name, "the realm's discovery document has no such endpoint")
	}
	r.Success = o.success
	peer := p.token.Peer
	peer.Rules = o.rules
	reply, err := peer.Call(ctx, r)
	return reply, absent(o.name, err)
}

func unsupported(operation, why string) *providers.UnsupportedError {
	return &providers.UnsupportedError{Service: title, Operation: operation, Why: why}
}

// absent reads 404 and 405: of an endpoint that the document names they mean that
// Pexip does not let it through, and nothing in the profile would change that.
func absent(operation string, err error) error {
	answered, ok := errors.AsType[*oauth.Error](err)
	if !ok || answered.StatusCode != http.StatusNotFound && answered.StatusCode != http.StatusMethodNotAllowed {
		return err
	}
	return unsupported(operation, "a standard Keycloak endpoint, which Pexip does not document: "+answered.Error())
}

// UserInfo asks the userinfo endpoint (OpenID Connect Core §5.3), which Keycloak
// answers for tokens with the scope openid only.
func (p *Provider) UserInfo(ctx context.Context, s providers.Session, _ string) (providers.UserInfo, error) {
	if s.Scope != nil && !slices.Contains(s.Scope, "openid") {
		return providers.UserInfo{}, lacksOpenID()
	}
	reply, err := p.ask(ctx, userInfo(), oauth.CallRequest{Bearer: secret.Known(s.AccessToken), Idempotent: true})
	if err != nil {
		return providers.UserInfo{}, err
	}
	claims, err := reply.Object()
	return providers.UserInfo{Claims: claims}, err
}

// userInfoRules know what a token without openid gets; its reason may be in
// WWW-Authenticate alone (RFC 6750 §3). The other errors are those of the token
// endpoint.
func userInfoRules() []providers.Rule {
	return append([]providers.Rule{{
		Code: "insufficient_scope", Reason: providers.ReasonScope, Message: onlyOpenID, Hint: addOpenID,
	}}, rules()...)
}

const (
	onlyOpenID = "tells about the user only for tokens with the scope openid, which this one lacks"
	addOpenID  = "add openid to {scopes} in the profile, and get a new token"
)

// lacksOpenID is said of a token that the service need not be asked about.
func lacksOpenID() *providers.Failure {
	return &providers.Failure{Reason: providers.ReasonScope, Message: title + " " + onlyOpenID, Hint: addOpenID}
}

// Ping reads the discovery document, each time. It says nothing about a token.
func (p *Provider) Ping(ctx context.Context, _ secret.Secret) (providers.Pong, error) {
	_, err := p.readDiscovery(ctx)
	return providers.Pong{Endpoint: p.issuer.String() + "/.well-known/openid-configuration"}, err
}

// Revoke asks the revocation endpoint (RFC 7009). Keycloak answers for a token that
// is not valid with 200 and an error inside.
func (p *Provider) Revoke(ctx context.Context, token secret.Secret, hint string) error {
	_, err := p.ask(ctx, revoke(), oauth.TokenForm(p.token.Auth, token, hint))
	return err
}

// Introspect asks the introspection endpoint (RFC 7662).
func (p *Provider) Introspect(ctx context.Context, token secret.Secret) (json.RawMessage, error) {
	reply, err := p.ask(ctx, introspect(), oauth.TokenForm(p.token.Auth, token, ""))
	if err != nil {
		return nil, err
	}
	return reply.Object()
}

// introspectionRules know Keycloak's 403 for a public client, "Client not allowed.";
// the other errors are those of the token endpoint.
func introspectionRules() []providers.Rule {
	return append([]providers.Rule{{
		Status: http.StatusForbidden, Code: "invalid_request", Text: "client not allowed",
		Reason: providers.ReasonCredentials, Hint: "the realm lets confidential clients introspect only",
	}}, rules()...)
}

// Verify checks a JWT's signature against the realm's keys, and its issuer.
func (p *Provider) Verify(ctx context.Context, token secret.Secret) error {
	const operation = "public keys"
	jwt, err := jose.ParseJWT(token)
	if err != nil {
		return err
	}
	metadata, err := p.discover(ctx)
	if err != nil {
		return err
	}
	if metadata.JWKSURI == nil {
		return unsupported(operation, "the realm's discovery document names no keys")
	}
	keys, err := p.token.Client.Keys(ctx, metadata.JWKSURI)
	if err != nil {
		return absent(operation, p.token.Failed(err, false))
	}
	return keys.Verify(jwt, metadata.Issuer)
}

// LiveScopes returns scopes_supported of the discovery document (OpenID Connect
// Discovery 1.0 §3), which need not be all.
func (p *Provider) LiveScopes(ctx context.Context) ([]string, error) {
	metadata, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	if len(metadata.ScopesSupported) == 0 {
		return nil, &providers.UnsupportedError{
			Service: title, Operation: "list of its scopes", Why: "the realm's discovery document names none",
		}
	}
	return metadata.ScopesSupported, nil
}

// SignOut revokes the access token and, where there is a refresh token, ends the
// session with it, as Keycloak's logout endpoint takes it. One is tried whatever
// becomes of the other.
func (p *Provider) SignOut(
	ctx context.Context, s providers.Session, o providers.SignOutOptions,
) (providers.SignedOut, error) {
	if _, err := p.discover(ctx); err != nil {
		return providers.SignedOut{}, err
	}
	err := p.Revoke(ctx, s.AccessToken, "access_token")
	done := providers.SignedOut{Did: "revoked the token"}
	if answered, ok := errors.AsType[*oauth.Error](err); ok && answered.Code == "invalid_token" {
		done.Did, err = "the token was not valid any more", nil
	}
	if !s.RefreshToken.IsZero() {
		err = both(err, p.logout(ctx, s.RefreshToken))
		done.Did += " and ended the session"
	}
	if err != nil {
		return providers.SignedOut{}, err
	}
	if o.Global || o.RedirectURI != "" {
		done.Lacking = "signout --global or --redirect-uri: a client ends its own session only"
	}
	return done, nil
}

// both joins two errors on one line; either may be nil.
func both(first, second error) error {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return fmt.Errorf("%w; %w", first, second)
}

func (p *Provider) logout(ctx context.Context, refreshToken secret.Secret) error {
	_, err := p.ask(ctx, logout(), oauth.CallRequest{
		Method: http.MethodPost, Auth: p.token.Auth,
		Secrets: map[string]secret.Func{"refresh_token": secret.Known(refreshToken)},
	})
	return err
}
