package talkdesk

import (
	"context"
	"net/url"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
)

var (
	_ providers.LoginStarter = (*Provider)(nil)
	_ providers.UserInfoer   = (*Provider)(nil)
	_ providers.APILocator   = (*Provider)(nil)
	_ providers.Endpointer   = (*Provider)(nil)
)

// api returns where the API of the account's region is, nil where that is not
// known (https://docs.talkdesk.com/docs/how-to-guarantee-your-app-works-in-all-regions).
// A base_url stands for the API's host too.
func api(s providers.Settings) (*url.URL, error) {
	if text := s.Text("api_url"); text != "" {
		return s.Address("api_url", text)
	}
	hosts := map[string]string{
		"us": "https://api.talkdeskapp.com", "eu": "https://api.talkdeskapp.eu", "ca": "https://api.talkdeskappca.com",
	}
	if s.Text("base_url") == "" && hosts[s.Text("region")] == "" {
		return nil, nil
	}
	return providers.BaseURL(s, hosts[s.Text("region")])
}

// APIURL is where tokens are sent; see providers.APILocator.
func (p *Provider) APIURL() *url.URL { return p.api }

// Endpoints are the API, where it is known, and what a login needs.
func (p *Provider) Endpoints() []providers.Endpoint {
	var all []providers.Endpoint
	if p.grant == providers.AuthorizationCodeGrant {
		all = append(all, providers.Endpoint{Name: "authorization endpoint", URL: p.authorize})
	}
	if p.api != nil {
		all = append(all, providers.Endpoint{Name: "API", URL: p.api})
	}
	return all
}

// flow is the login: GET /oauth/authorize with state and nonce.
func (p *Provider) flow() providers.CodeFlow {
	return providers.CodeFlow{
		Token: &p.token, Authorize: p.authorize, ClientID: p.client, Scopes: p.scopes, PKCE: p.pkce, Nonce: true,
		StateOptional: p.stateless,
	}
}

// StartLogin returns the address of GET /oauth/authorize
// (https://docs.talkdesk.com/reference/authorization-code-basic).
func (p *Provider) StartLogin(redirectURI string) (*providers.Login, error) {
	return p.flow().Start(redirectURI)
}

// FinishLogin trades the code for a token, with Basic or with the signed JWT.
func (p *Provider) FinishLogin(ctx context.Context, login *providers.Login, answer url.Values) (oauth.Token, error) {
	token, err := p.flow().Finish(ctx, login, answer)
	return plainScope(token), err
}

// UserInfo asks the API's GET /users/me (https://docs.talkdesk.com/reference/usersme).
func (p *Provider) UserInfo(ctx context.Context, s providers.Session, _ string) (providers.UserInfo, error) {
	if p.api == nil {
		return providers.UserInfo{}, &providers.SettingError{
			Name: "api_url", Problem: "is missing: the API's host in this region is not documented",
			Help: "give scheme and host of the API, such as https://api.example",
		}
	}
	address := *p.api
	address.Path = "/users/me"
	peer := p.token.Peer
	peer.Rules = userRules(p.grant)
	reply, err := peer.Call(ctx, oauth.CallRequest{
		URL: &address, Bearer: secret.Known(s.AccessToken), Idempotent: true, Success: user(),
	})
	if err != nil {
		return providers.UserInfo{}, err
	}
	claims, err := reply.Object()
	return providers.UserInfo{Claims: claims}, err
}

// user is the page's reply: it always has sub, name and email, and says so of sub with
// the standard (OpenID Connect Core §5.3.2).
func user() oauth.Success { return oauth.Success{Members: []string{"sub"}} }

// userRules read the API's errors: a 400 is what the token of a client without a user
// gets.
func userRules(grant string) []providers.Rule {
	hint := "log in as a user of this account, with openid among {scopes} in the profile"
	if grant != providers.AuthorizationCodeGrant {
		hint = "a token of the grant client_credentials has no user: " +
			"set {grant=authorization_code} in the profile, with openid among the scopes, then log in"
	}
	return []providers.Rule{
		{
			Status: 400, Reason: providers.ReasonCredentials, Hint: hint,
			Message: "knows no user for this token",
		},
		{
			Status: 403, Reason: providers.ReasonScope,
			Hint: "the scope openid is needed: add it to {scopes} in the profile",
		},
	}
}
