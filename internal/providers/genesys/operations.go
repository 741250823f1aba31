package genesys

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
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
func (p *Provider) APIHeaders() map[string]oauth.SecretFunc { return p.token.SecretHeader }

// codeFlow is the login: GET /oauth/authorize. The API knows one scope, "*".
func (p *Provider) codeFlow(s providers.Settings) (providers.CodeFlow, error) {
	authorize, err := s.At(p.base, "auth", "v3", "oauth", "authorize")
	scopes := p.scopes
	if len(scopes) == 0 {
		scopes = []string{"*"}
	}
	return providers.CodeFlow{
		Token: &p.token, Authorize: authorize, ClientID: p.client, Scopes: scopes,
		Extra: url.Values{"hideTenant": {strconv.FormatBool(s.Bool("hide_tenant"))}},
		PKCE:  s.Bool("pkce"), NoRedirectURI: !s.Bool("send_redirect_uri"),
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

// call asks an endpoint below /auth/v3. The scheme is written as in all of the
// page's examples.
func (p *Provider) call(
	ctx context.Context, path string, token oauth.Secret, judge func(*oauth.Error) *providers.Failure, r oauth.CallRequest,
) (*oauth.Reply, error) {
	address := *p.base
	address.Path, address.RawQuery = basePath+path, r.Params.Encode()
	r.URL, r.Params, r.Scheme = &address, nil, "bearer"
	if !token.IsZero() {
		r.Bearer = oauth.Known(token)
	}
	peer := p.token.Peer
	peer.Judge = judge
	return peer.Call(ctx, r)
}

// UserInfo asks GET /userinfo, GET /openid/userinfo, or GET /jwt-userinfo, whose
// answer is a JWT in the header X-GWS-User.
func (p *Provider) UserInfo(ctx context.Context, s providers.Session, view string) (providers.UserInfo, error) {
	path := map[string]string{viewUser: "/userinfo", viewOpenID: "/openid/userinfo", viewJWT: "/jwt-userinfo"}[view]
	reply, err := p.call(ctx, path, s.AccessToken, judgeToken, oauth.CallRequest{Idempotent: true})
	if err != nil {
		return providers.UserInfo{}, err
	}
	if view != viewJWT {
		claims, err := reply.Object()
		if err != nil {
			return providers.UserInfo{}, p.token.Failed(err, true)
		}
		return providers.UserInfo{Claims: claims}, nil
	}
	const header = "X-GWS-User"
	jwt, err := oauth.ParseJWT(oauth.NewSecret(reply.Header.Get(header)))
	if err != nil {
		return providers.UserInfo{}, &providers.Failure{
			Reason: providers.ReasonProtocol, Err: err,
			Message: fmt.Sprintf("%s answered without a usable JWT in the header %s", title, header),
		}
	}
	return providers.UserInfo{Claims: jwt.Claims, Unverified: true}, nil
}

// Ping asks GET /ping: 200 if the user is authenticated, otherwise 403. What is
// neither means that the service is not there.
func (p *Provider) Ping(ctx context.Context, token oauth.Secret) (providers.Pong, error) {
	_, err := p.call(ctx, "/ping", token, judgePing, oauth.CallRequest{Idempotent: true})
	if failure, ok := errors.AsType[*providers.Failure](err); ok && failure.Reason == providers.ReasonProtocol {
		// A page, or a redirect to one, is what stands in for a service that is down.
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
	r := oauth.CallRequest{
		Method: http.MethodPost, AllowRedirect: true,
		Params: url.Values{"global": {strconv.FormatBool(o.Global)}},
	}
	if o.RedirectURI != "" {
		r.Method = http.MethodGet
		r.Params.Set("redirectUri", o.RedirectURI)
	}
	reply, err := p.call(ctx, "/sign-out", s.AccessToken, judgeToken, r)
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
		done.RedirectURI = oauth.CleanText(reply.Location.String())
	}
	return done, nil
}

// ChangePassword asks POST /change-password.
func (p *Provider) ChangePassword(ctx context.Context, token oauth.Secret, change providers.PasswordChange) error {
	data := map[string]any{"oldPassword": change.Old, "newPassword": change.New}
	if change.User != "" {
		data["userName"] = change.User
	}
	body := map[string]any{"data": data}
	if change.OperationID != "" {
		body["operationId"] = change.OperationID
	}
	_, err := p.call(ctx, "/change-password", token, judgePassword, oauth.CallRequest{Method: http.MethodPost, JSON: body})
	return err
}
