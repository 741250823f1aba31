package genesys

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
)

// The views of userinfo, each an endpoint of its own.
const (
	viewUser   = "user"
	viewOpenID = "openid"
	viewJWT    = "jwt"
)

var (
	_ providers.LoginStarter    = (*Provider)(nil)
	_ providers.UserInfoer      = (*Provider)(nil)
	_ providers.SignOuter       = (*Provider)(nil)
	_ providers.PasswordChanger = (*Provider)(nil)
	_ providers.Pinger          = (*Provider)(nil)
	_ providers.APIHeaderer     = (*Provider)(nil)
	_ providers.Endpointer      = (*Provider)(nil)
)

// APIHeaders is x-api-key, which all of the page's usage lines have.
func (p *Provider) APIHeaders() map[string]secret.Func { return p.token.SecretHeader }

// codeFlow is the login: GET /oauth/authorize. The API knows one scope, "*".
func (p *Provider) codeFlow(s providers.Settings) (providers.CodeFlow, error) {
	authorize, err := s.At(p.base, "auth", "v3", "oauth", "authorize")
	if err != nil {
		return providers.CodeFlow{}, err
	}
	stateless, err := s.StateOptional()
	scopes := p.scopes
	if len(scopes) == 0 {
		scopes = []string{"*"}
	}
	return providers.CodeFlow{
		Token: &p.token, Authorize: authorize, ClientID: p.client, Scopes: scopes,
		Extra: url.Values{"hideTenant": {strconv.FormatBool(s.Bool("hide_tenant"))}},
		PKCE:  s.Bool("pkce"), StateOptional: stateless, NoRedirectURI: !s.Bool("send_redirect_uri"),
	}, err
}

// Endpoints are the API and what a login needs, all on one host.
func (p *Provider) Endpoints() []providers.Endpoint {
	all := []providers.Endpoint{{Name: "API", URL: p.base}}
	if p.grant == providers.AuthorizationCodeGrant {
		all = append(all, providers.Endpoint{Name: "authorization endpoint", URL: p.code.Authorize})
	}
	return all
}

// StartLogin returns the address of GET /oauth/authorize.
func (p *Provider) StartLogin(redirectURI string) (*providers.Login, error) {
	return p.code.Start(redirectURI)
}

// FinishLogin trades the code for a token.
func (p *Provider) FinishLogin(ctx context.Context, login *providers.Login, answer url.Values) (oauth.Token, error) {
	return p.code.Finish(ctx, login, answer)
}

// operation is one of the API's endpoints that take a token, as the vendor's page has it.
type operation struct {
	method string
	// path is below /auth/v3.
	path    string
	rules   []providers.Rule
	success oauth.Success
	// idempotent says that asking twice does no harm.
	idempotent bool
}

// jwtHeader is where /jwt-userinfo answers.
const jwtHeader = "X-GWS-User"

// userInfo is GET /userinfo, GET /openid/userinfo, or GET /jwt-userinfo. Of the second,
// most members are there only for tokens with the scope openid, which the API has no way
// to ask for.
func userInfo(view string) operation {
	o := operation{method: http.MethodGet, path: "/userinfo", rules: callRules(), idempotent: true}
	o.success.Members = []string{"username"}
	switch view {
	case viewOpenID:
		o.path = "/openid/userinfo"
		o.success = oauth.Success{AnyOf: []string{
			"sub", "user_name", "email", "aud", "authorities", "contact_center_id", "dbid", "environment_id",
			"family_name", "given_name", "properties",
		}}
	case viewJWT:
		o.path = "/jwt-userinfo"
		o.success = oauth.Success{Body: oauth.BodyAnything, Header: jwtHeader}
	}
	return o
}

func ping() operation {
	return operation{method: http.MethodGet, path: "/ping", rules: pingRules(), success: done(), idempotent: true}
}

func signOut() operation {
	return operation{method: http.MethodPost, path: "/sign-out", rules: callRules(), success: done()}
}

func changePassword() operation {
	return operation{method: http.MethodPost, path: "/change-password", rules: passwordRules(), success: done()}
}

// done is the page's ApiResponse, with the status that says that it was done.
func done() oauth.Success {
	return oauth.Success{Values: map[string][]string{"status.code": {"0"}}}
}

// call asks an endpoint. The scheme is written as in all of the page's examples.
func (p *Provider) call(
	ctx context.Context, o operation, token secret.Secret, r oauth.CallRequest,
) (*oauth.Reply, error) {
	address := *p.base
	address.Path, address.RawQuery = basePath+o.path, r.Params.Encode()
	r.URL, r.Params, r.Scheme, r.Method = &address, nil, "bearer", o.method
	r.Success, r.Idempotent = o.success, o.idempotent
	if !token.IsZero() {
		r.Bearer = secret.Known(token)
	}
	peer := p.token.Peer
	peer.Rules = o.rules
	return peer.Call(ctx, r)
}

// UserInfo asks with one of the views; that of the JWT has it in a header.
func (p *Provider) UserInfo(ctx context.Context, s providers.Session, view string) (providers.UserInfo, error) {
	reply, err := p.call(ctx, userInfo(view), s.AccessToken, oauth.CallRequest{})
	if err != nil {
		return providers.UserInfo{}, err
	}
	if view != viewJWT {
		claims, err := reply.Object()
		return providers.UserInfo{Claims: claims}, err
	}
	jwt, err := jose.ParseJWT(secret.New(reply.Header.Get(jwtHeader)))
	if err != nil {
		return providers.UserInfo{}, &providers.Failure{
			Reason: providers.ReasonProtocol, Err: err,
			Message: fmt.Sprintf("%s answered without a usable JWT in the header %s", title, jwtHeader),
		}
	}
	return providers.UserInfo{Claims: jwt.Claims, Unverified: true}, nil
}

// Ping asks GET /ping: 200 if the user is authenticated, otherwise 403. What is
// neither means that the service is not there.
func (p *Provider) Ping(ctx context.Context, token secret.Secret) (providers.Pong, error) {
	_, err := p.call(ctx, ping(), token, oauth.CallRequest{})
	if failure, ok := errors.AsType[*providers.Failure](err); ok && failure.Reason == providers.ReasonProtocol {
		// A page, an empty body, or a redirect to one, is what stands in for a service that is down.
		failure.Reason, failure.Message = providers.ReasonTemporary, title+" is unavailable: "+failure.Message
	}
	if err != nil {
		return providers.Pong{}, err
	}
	return providers.Pong{Endpoint: p.base.String() + basePath + "/ping", TokenAccepted: !token.IsZero()}, nil
}

// SignOut asks POST /sign-out or, for a browser to be sent on, GET /sign-out. The
// parameter global is always said: its default is not documented.
func (p *Provider) SignOut(
	ctx context.Context, s providers.Session, o providers.SignOutOptions,
) (providers.SignedOut, error) {
	operation, r := signOut(), oauth.CallRequest{Params: url.Values{"global": {strconv.FormatBool(o.Global)}}}
	if o.RedirectURI != "" {
		operation.method = http.MethodGet
		r.RedirectTo = o.RedirectURI
		r.Params.Set("redirectUri", o.RedirectURI)
	}
	reply, err := p.call(ctx, operation, s.AccessToken, r)
	if isRefusedToken(err) && !s.RefreshToken.IsZero() {
		// The access token has ended, but the session may live on in the other one.
		token, refused := p.Refresh(ctx, s.RefreshToken)
		if refused == nil {
			return p.SignOut(ctx, providers.Session{AccessToken: token.AccessToken}, o)
		}
		if failure, ok := errors.AsType[*providers.Failure](refused); !ok || failure.Reason != providers.ReasonLogin {
			return providers.SignedOut{}, refused
		}
	}
	if isRefusedToken(err) {
		return providers.SignedOut{Did: "the session had ended already"}, nil
	}
	if err != nil {
		return providers.SignedOut{}, err
	}
	done := providers.SignedOut{Did: "ended this session"}
	if o.Global {
		done.Did = "ended all sessions of the user"
	}
	if reply.Location != nil {
		done.RedirectURI = secret.CleanText(reply.Location.String())
	}
	return done, nil
}

// ChangePassword asks POST /change-password.
func (p *Provider) ChangePassword(ctx context.Context, token secret.Secret, change providers.PasswordChange) error {
	data := map[string]any{"oldPassword": change.Old, "newPassword": change.New}
	if change.User != "" {
		data["userName"] = change.User
	}
	body := map[string]any{"data": data}
	if change.OperationID != "" {
		body["operationId"] = change.OperationID
	}
	_, err := p.call(ctx, changePassword(), token, oauth.CallRequest{JSON: body})
	return err
}
