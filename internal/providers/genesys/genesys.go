// Package genesys is the adapter of the Genesys Multicloud CX Authentication API
// v3 (not Genesys Cloud).
//
// It follows https://all.docs.genesys.com/PEC-Developer/Current/WebAPIs/Authentication
// and, where that page is silent, the vendor's own client libraries.
package genesys

import (
	"context"
	"net/url"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
)

const (
	name     = "genesys"
	title    = "Genesys"
	basePath = "/auth/v3"

	clientCredentials = "client_credentials"
	password          = "password"
)

// Provider is one client of one installation.
type Provider struct {
	token    providers.TokenEndpoint
	base     *url.URL
	code     providers.CodeFlow
	client   string
	grant    string
	user     string
	password secret.Func
	scopes   []string
}

var _ providers.Refresher = (*Provider)(nil)

// Service describes Genesys Multicloud CX.
func Service() providers.Service {
	return providers.Service{
		Name: name, Title: "Genesys Multicloud CX",
		Docs:          []string{"https://all.docs.genesys.com/PEC-Developer/Current/WebAPIs/Authentication"},
		Settings:      settings(),
		Prototype:     (*Provider)(nil),
		Catalogue:     catalogue,
		OnlyScope:     "*",
		PingWithToken: true,
		UserInfoViews: []string{viewUser, viewOpenID, viewJWT},
		Odd:           otherProduct,
		New:           New,
	}
}

func settings() []providers.Setting {
	base := providers.BaseURLSetting()
	base.Required, base.Example = true, "https://gapi-use1.genesyscloud.com"
	base.Help = "scheme, host and port of the API, with or without /auth/v3; plain http for loopback only"
	forPassword := &providers.Condition{Setting: "grant", Is: password}
	return append([]providers.Setting{
		base,
		{Name: "api_key", Kind: providers.Secret, Help: "a reference to the x-api-key", Example: "env:GENESYS_API_KEY"},
		providers.ClientIDSetting(),
		providers.ClientSecretSetting(providers.IsPublic()),
		providers.ClientAuthSetting(providers.Basic, providers.None),
		// The vendor's client libraries send the plain id:secret.
		providers.BasicEncodingSetting("raw"),
		providers.GrantSetting(providers.AuthorizationCodeGrant, password, clientCredentials),
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
		{
			Name: "hide_tenant", Kind: providers.Bool, Default: "false", Login: true,
			Help: "hides the tenant field of the sign-in page",
		},
		providers.AllowHostsSetting(),
		{
			Name: "send_redirect_uri", Kind: providers.Bool, Default: "true", Login: true,
			Help: "sends redirect_uri with the code, as RFC 6749 §4.1.3 wants and the vendor's table does not name",
		},
	}, providers.LoginSettings()...)
}

// otherProduct warns of the hosts of Genesys Cloud, whose API is another one
// (https://developer.genesys.cloud/platform/api/).
func otherProduct(s providers.Settings) string {
	u, err := url.Parse(s.Text("base_url"))
	if err != nil {
		return ""
	}
	host := "." + strings.ToLower(u.Hostname())
	if !strings.HasSuffix(host, ".pure.cloud") && !strings.Contains(host, ".mypurecloud.") {
		return ""
	}
	return "base_url is a host of Genesys Cloud, which is another product: " +
		"this service is Genesys Multicloud CX, such as https://gapi-use1.genesyscloud.com"
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
			Peer: providers.Peer{
				Service: title, Client: client,
				Rules: tokenRules(s.Text("grant")), Names: s.Applying(settings()),
			},
			URL: endpoint, Auth: auth, Accept: s.Text("accept"),
		},
		base:   base,
		client: s.Text("client_id"),
		grant:  s.Text("grant"),
		scopes: s.List("scopes"),
	}
	if p.code, err = p.codeFlow(s); err != nil {
		return nil, err
	}
	if key := s.Secret("api_key"); key != nil {
		p.token.SecretHeader = map[string]secret.Func{"x-api-key": key}
	}
	if p.grant == password {
		p.user, p.password = s.Text("username"), s.Secret("password")
	}
	return p, nil
}

// Name returns "genesys".
func (*Provider) Name() string { return name }

// Identity states what a token depends on.
func (p *Provider) Key() oauth.Key {
	return oauth.Key{
		Provider: name, TokenURL: p.token.URL.String(), ClientID: p.client, User: p.user,
		Grant: oauth.Grant(p.grant), AuthMethod: p.token.Auth.Method(), Scopes: p.scopes,
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
		return oauth.Token{}, providers.LoginNeeded(title)
	}
}

// Refresh asks with a refresh token (RFC 6749 §6).
func (p *Provider) Refresh(ctx context.Context, refreshToken secret.Secret) (oauth.Token, error) {
	return p.token.Refresh(ctx, url.Values{}, refreshToken)
}
