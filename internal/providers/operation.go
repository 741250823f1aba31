package providers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

// Session are the tokens that end together. Each may be zero. Scope is what the access
// token was granted, nil when the service did not say.
type Session struct {
	AccessToken, RefreshToken, IDToken secret.Secret
	Scope                              []string
}

// Claims are what a service says of a token's user: one JSON object, as it came; Unverified
// where it comes from a JWT whose signature nobody checked.
type Claims struct {
	JSON       json.RawMessage
	Unverified bool
}

// SignOutOptions are what a person may want of a sign-out: to end all sessions of the user,
// and to have a browser sent on.
type SignOutOptions struct {
	Global      bool
	RedirectURI string
}

// SignedOut is how a sign-out ended: what was done, for people, where the service would send a
// browser, and what of the options it does not have, the rest being done. Each may be empty.
type SignedOut struct{ Did, RedirectURI, Lacking string }

// PasswordChange is what the service is told; of User and OperationID what is not empty.
type PasswordChange struct {
	Old, New          secret.Secret
	User, OperationID string
}

// Pong is the answer of a service that is there, and whether it stands for the token too.
type Pong struct {
	Endpoint      string
	TokenAccepted bool
}

// operation returns the operation of a verb in one of its views, the first when that is empty.
func (p *addresses) operation(verb, view string) Operation {
	o := p.spec.Operations[verb]
	for i, v := range o.Views {
		if v.Name == view || i == 0 && view == "" {
			o.At, o.Success = v.At, v.Success
		}
	}
	if verb == UserInfo && p.endpoints[o.Endpoint] != nil {
		// Whoever says where it is knows what is there: it need not be OpenID Connect's.
		o.Scope, o.Success = "", oauth.Success{}
	}
	if o.Scope != "" {
		o.Errors = slices.Concat([]Rule{{
			Code: "insufficient_scope", Reason: ReasonScope, Message: o.onlyFor(), Hint: "add " + o.Scope + addScope,
		}}, o.Errors)
	}
	return o
}

const addScope = " to {scopes} in the profile, and get a new token"

// onlyFor says what becomes of a token without the operation's scope.
func (o Operation) onlyFor() string {
	return "tells about the user only for tokens with the scope " + o.Scope + ", which this one lacks"
}

// address is where the operation is asked for.
func (p *Provider) address(ctx context.Context, verb string, o Operation) (*url.URL, error) {
	host := p.base
	switch {
	case o.Endpoint != "":
		return p.endpoint(ctx, verb, o.Endpoint)
	case o.OnAPI && p.api == nil:
		return nil, &setting.Error{
			Name: "api_url", Problem: "is missing: the API's host in this region is not documented",
			Help: "give scheme and host of the API, such as https://api.example",
		}
	case o.OnAPI:
		host = p.api
	}
	u := *host
	u.Path = o.At
	return &u, nil
}

// Ask sends the request of a verb: what the Spec says of it and, beside that, what r has and a
// query. A zero token is not shown.
func (p *Provider) Ask(
	ctx context.Context, verb string, token secret.Secret, query url.Values, r oauth.CallRequest,
) (*oauth.Reply, error) {
	if !token.IsZero() {
		r.Bearer = secret.Known(token)
	}
	return p.call(ctx, verb, p.operation(verb, ""), query, r)
}

// takesHeaders reports whether the profile's headers go to an address: a document may name any host,
// and they are for that of the token endpoint.
func (p *Provider) takesHeaders(ctx context.Context, verb string, u *url.URL) bool {
	if p.spec.Given == nil {
		return true
	}
	if len(p.header)+len(p.secretHeader) == 0 {
		return false
	}
	token, err := p.endpoint(ctx, verb, tokenEndpoint)
	return err == nil && strings.EqualFold(token.Hostname(), u.Hostname())
}

func (p *Provider) call(
	ctx context.Context, verb string, o Operation, query url.Values, r oauth.CallRequest,
) (*oauth.Reply, error) {
	u, err := p.address(ctx, verb, o)
	if err != nil {
		return nil, err
	}
	if query != nil {
		at := *u
		at.RawQuery = query.Encode()
		u = &at
	}
	r.URL, r.Method, r.Scheme, r.Success = u, cmp.Or(r.Method, o.Method), o.Scheme, o.Success
	if p.takesHeaders(ctx, verb, u) {
		r.Header, r.SecretHeader = p.header, p.secretHeader
	}
	reply, err := p.client.Call(ctx, r)
	if err == nil {
		return reply, nil
	}
	if o.Endpoint != "" {
		p.doubt(ctx, o.Endpoint, err)
	}
	err = p.failed(err, wanted{auth: r.Auth, token: r.Bearer != nil, rules: o.Errors})
	if o.Endpoint != "" {
		err = p.absent(verb, err)
	}
	return nil, err
}

// UserInfo tells who a token speaks for, in one of the views of the service, the first when
// view is empty. What is known to lack the scope for it is not asked about.
func (p *Provider) UserInfo(ctx context.Context, s Session, view string) (Claims, error) {
	o := p.operation(UserInfo, view)
	if o.Scope != "" && s.Scope != nil && !slices.Contains(s.Scope, o.Scope) {
		// No scope opens what a service that only its profile describes has not.
		if p.spec.Given != nil {
			if _, err := p.address(ctx, UserInfo, o); errors.As(err, new(*UnsupportedError)) {
				return Claims{}, err
			}
		}
		return Claims{}, &Failure{
			Reason: ReasonScope, Message: p.spec.Title + " " + o.onlyFor(), Hint: p.names().In("add " + o.Scope + addScope),
		}
	}
	reply, err := p.call(ctx, UserInfo, o, nil, oauth.CallRequest{Bearer: secret.Known(s.AccessToken), Idempotent: true})
	if err != nil {
		return Claims{}, err
	}
	header := o.Success.Header
	if header == "" {
		object, err := reply.Object()
		return Claims{JSON: object}, err
	}
	jwt, err := jose.ParseJWT(secret.New(reply.Header.Get(header)))
	if err != nil {
		return Claims{}, protocol(err, "%s answered without a usable JWT in the header %s", p.spec.short(), header)
	}
	return Claims{JSON: jwt.Claims, Unverified: true}, nil
}

// PingsWithToken reports whether the answer to a ping stands for a token too.
func (p *Provider) PingsWithToken() bool {
	o := p.spec.Operations[Ping]
	return o.WithToken || o.At == "" && p.issuer == nil
}

// Ping asks whether the service is there: the discovery document, each time, where there is no
// better endpoint, and the profile's userinfo endpoint where there is no issuer. Where the answer
// stands for a token, the token, which may be zero, is shown; one that is not accepted is a
// Failure of ReasonCredentials.
func (p *Provider) Ping(ctx context.Context, token secret.Secret) (Pong, error) {
	o := p.spec.Operations[Ping]
	switch {
	case o.At != "":
	case p.issuer != nil:
		metadata, err := p.readDiscovery(ctx)
		if err != nil {
			return Pong{}, err
		}
		return Pong{Endpoint: metadata.Document}, nil
	default:
		at, err := p.endpoint(ctx, Ping, p.spec.Operations[UserInfo].Endpoint)
		if err == nil {
			_, err = p.UserInfo(ctx, Session{AccessToken: token}, "")
		}
		if answered, ok := errors.AsType[*oauth.Error](err); ok && answered.Code == "insufficient_scope" {
			err = nil // the token is good, and not for this (RFC 6750 §3.1)
		}
		if err != nil {
			return Pong{}, err
		}
		return Pong{Endpoint: network.AddressText(at), TokenAccepted: true}, nil
	}
	if !o.WithToken {
		token = secret.Secret{}
	}
	_, err := p.Ask(ctx, Ping, token, nil, oauth.CallRequest{Idempotent: true})
	if failure, ok := errors.AsType[*Failure](err); ok && failure.Reason == ReasonProtocol {
		// A page, an empty body, or a redirect to one, is what stands in for a service that is down.
		failure.Reason, failure.Message = ReasonTemporary, p.spec.short()+" is unavailable: "+failure.Message
	}
	if err != nil {
		return Pong{}, err
	}
	return Pong{Endpoint: p.base.String() + o.At, TokenAccepted: !token.IsZero()}, nil
}

// Revoke makes a token invalid (RFC 7009). The hint is "access_token" or "refresh_token".
func (p *Provider) Revoke(ctx context.Context, token secret.Secret, hint string) error {
	_, err := p.askAs(ctx, Revoke, func(a oauth.ClientAuth) oauth.CallRequest { return oauth.TokenForm(a, token, hint) })
	return err
}

// askAs sends the request of a verb with the client's own credentials.
func (p *Provider) askAs(
	ctx context.Context, verb string, request func(oauth.ClientAuth) oauth.CallRequest,
) (reply *oauth.Reply, err error) {
	err = rotating(ctx, p, func(p *Provider) error {
		auth, err := p.clientAuth(ctx, verb)
		if err == nil {
			reply, err = p.Ask(ctx, verb, secret.Secret{}, nil, request(auth))
		}
		return err
	})
	return reply, err
}

// Introspect asks what the service knows of a token (RFC 7662): one JSON object, as it came.
func (p *Provider) Introspect(ctx context.Context, token secret.Secret) (json.RawMessage, error) {
	reply, err := p.askAs(ctx, Introspect, func(a oauth.ClientAuth) oauth.CallRequest {
		return oauth.TokenForm(a, token, "")
	})
	if err != nil {
		return nil, err
	}
	return reply.Object()
}

// SignOut revokes the access token and, where there is a refresh token, ends the session with
// it, as Keycloak's logout endpoint takes it. One is tried whatever becomes of the other.
func (p *Provider) SignOut(ctx context.Context, s Session, o SignOutOptions) (SignedOut, error) {
	if p.spec.Hooks.SignOut != nil {
		return p.spec.Hooks.SignOut(ctx, p, s, o)
	}
	if _, err := p.discover(ctx); err != nil {
		return SignedOut{}, err
	}
	err := p.Revoke(ctx, s.AccessToken, "access_token")
	done := SignedOut{Did: "revoked the token"}
	if answered, ok := errors.AsType[*oauth.Error](err); ok && answered.Code == "invalid_token" {
		done.Did, err = "the token was not valid any more", nil
	}
	if !s.RefreshToken.IsZero() {
		_, ended := p.askAs(ctx, SignOut, func(a oauth.ClientAuth) oauth.CallRequest {
			return oauth.CallRequest{Auth: a, Secrets: map[string]secret.Func{"refresh_token": secret.Known(s.RefreshToken)}}
		})
		err = both(err, ended)
		done.Did += " and ended the session"
	}
	if err != nil {
		return SignedOut{}, err
	}
	if o.Global || o.RedirectURI != "" {
		done.Lacking = "signout --global or --redirect-uri: a client ends its own session only"
	}
	return done, nil
}

// both joins two errors on one line; either may be nil.
func both(first, second error) error {
	if first == nil || second == nil {
		return cmp.Or(first, second)
	}
	return fmt.Errorf("%w; %w", first, second)
}

// ChangePassword changes the user's password. It is sent once.
func (p *Provider) ChangePassword(ctx context.Context, token secret.Secret, c PasswordChange) error {
	body := map[string]any{}
	values := map[string]any{"old": c.Old, "new": c.New, "user": c.User, "operation_id": c.OperationID}
	for name, argument := range p.spec.Operations[Passwd].JSON {
		at, value := body, values[argument]
		if outer, inner, nested := strings.Cut(name, "."); nested {
			if body[outer] == nil {
				body[outer] = map[string]any{}
			}
			at, _ = body[outer].(map[string]any)
			name = inner
		}
		if value != "" {
			at[name] = value
		}
	}
	_, err := p.Ask(ctx, Passwd, token, nil, oauth.CallRequest{JSON: body})
	return err
}
