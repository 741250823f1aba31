// Package genesys is the adapter of the Genesys Multicloud CX Authentication API
// v3 (not Genesys Cloud).
//
// It follows https://all.docs.genesys.com/PEC-Developer/Current/WebAPIs/Authentication
// and, where that page is silent, the vendor's own client libraries.
package genesys

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
)

const (
	name     = "genesys"
	title    = "Genesys"
	basePath = "/auth/v3"

	clientCredentials = "client_credentials"
	password          = "password"
	authorizationCode = "authorization_code"
)

// Provider is one client of one installation.
type Provider struct {
	token    providers.TokenEndpoint
	client   string
	grant    string
	user     string
	password oauth.SecretFunc
	scopes   []string
}

var _ providers.Refresher = (*Provider)(nil)

// Service describes Genesys Multicloud CX.
func Service() providers.Service {
	return providers.Service{
		Name: name, Title: "Genesys Multicloud CX",
		Docs:      []string{"https://all.docs.genesys.com/PEC-Developer/Current/WebAPIs/Authentication"},
		Settings:  settings(),
		Prototype: (*Provider)(nil),
		New:       New,
	}
}

func settings() []providers.Setting {
	base := providers.BaseURLSetting()
	base.Required, base.Example = true, "https://gapi-use1.genesyscloud.com"
	base.Help = "scheme, host and port of the API, with or without /auth/v3; plain http for loopback only"
	forPassword := &providers.Condition{Setting: "grant", Is: password}
	return []providers.Setting{
		base,
		{Name: "api_key", Kind: providers.Secret, Help: "a reference to the x-api-key", Example: "env:GENESYS_API_KEY"},
		providers.ClientIDSetting(),
		providers.ClientSecretSetting(""),
		// The vendor's client libraries send the plain id:secret.
		providers.BasicEncodingSetting("raw"),
		providers.GrantSetting(authorizationCode, password, clientCredentials),
		{
			Name: "username", Kind: providers.Text, Required: true, If: forPassword,
			Help: `the user, as tenant\user`, Example: `acme\jane`,
		},
		{
			Name: "password", Kind: providers.Secret, Required: true, If: forPassword,
			Help: "a reference to the user's password", Example: "prompt",
		},
		providers.ScopesSetting("*"),
		{
			Name: "accept", Kind: providers.Text, Default: "application/json",
			Values: []string{"application/json", "application/x-www-form-urlencoded"},
			Help:   "the form of the token reply to ask for",
		},
	}
}

// New returns the client that the settings describe.
func New(s providers.Settings, client *oauth.Client) (providers.Provider, error) {
	base, err := providers.BaseURL(s, "", basePath)
	if err != nil {
		return nil, err
	}
	endpoint, err := s.At(base, "auth", "v3", "oauth", "token")
	if err != nil {
		return nil, err
	}
	auth, err := s.ClientAuth(endpoint, "")
	if err != nil {
		return nil, err
	}
	p := &Provider{
		token: providers.TokenEndpoint{
			Service: title, Client: client, URL: endpoint, Auth: auth, Accept: s.Text("accept"), Judge: judge,
		},
		client: s.Text("client_id"),
		grant:  s.Text("grant"),
		scopes: s.List("scopes"),
	}
	if key := s.Secret("api_key"); key != nil {
		p.token.SecretHeader = map[string]oauth.SecretFunc{"x-api-key": key}
	}
	if p.grant == password {
		p.user, p.password = s.Text("username"), s.Secret("password")
	}
	return p, nil
}

// Name returns "genesys".
func (*Provider) Name() string { return name }

// Identity states what a token depends on.
func (p *Provider) Identity() providers.Identity {
	return providers.Identity{
		Provider: name, TokenURL: p.token.URL.String(), ClientID: p.client, User: p.user,
		Grant: p.grant, AuthMethod: p.token.Auth.Method(), Scopes: p.scopes,
	}
}

// Issue asks with the configured grant. The authorization code grant needs a
// person first: that is a Failure of ReasonLogin.
func (p *Provider) Issue(ctx context.Context) (oauth.Token, error) {
	switch p.grant {
	case clientCredentials:
		return p.token.ClientCredentials(ctx, providers.Scope(p.scopes))
	case password:
		params := providers.Scope(p.scopes)
		params.Set("username", p.user)
		return p.token.Password(ctx, params, p.password)
	default:
		return oauth.Token{}, &providers.Failure{
			Reason:  providers.ReasonLogin,
			Message: fmt.Sprintf("%s gives tokens of the grant %s only to a person who has logged in", title, p.grant),
		}
	}
}

// Refresh asks with a refresh token (RFC 6749 §6).
func (p *Provider) Refresh(ctx context.Context, refreshToken oauth.Secret) (oauth.Token, error) {
	return p.token.Refresh(ctx, url.Values{}, refreshToken)
}

// judge reads the API's errors. Their code is often the HTTP status again, and
// the standard's code then begins the message. A 403 may be the API key's, which a
// gateway checks, as well as the client's; status 603 is "Unauthorized"; 400 is
// what a wrong user or password gives.
func judge(err *oauth.Error) *providers.Failure {
	switch code, _, _ := strings.Cut(err.Description, ":"); code {
	case "invalid_grant", "invalid_client", "invalid_scope", "invalid_request", "unauthorized_client",
		"unsupported_grant_type", "access_denied":
		return &providers.Failure{Reason: providers.ReasonOf(err.StatusCode, code)}
	}
	number := strings.Trim(err.Code, "0123456789") == ""
	switch {
	case err.StatusCode == 403 || err.Code == "603":
		return &providers.Failure{
			Reason: providers.ReasonCredentials,
			Hint:   "check api_key as well as client_id and client_secret; the client may lack the grant",
		}
	case err.StatusCode == 400 && number:
		return &providers.Failure{
			Reason: providers.ReasonCredentials,
			Hint:   "check client_id and client_secret and, with grant: password, username (tenant\\user) and password",
		}
	}
	return nil
}
