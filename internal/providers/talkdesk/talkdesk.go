// Package talkdesk is the adapter of Talkdesk: one identity host for each account
// and region, client credentials with Basic or with a signed JWT.
//
// It follows https://docs.talkdesk.com/reference (token endpoint) and
// https://docs.talkdesk.com/docs/signed-jwt (apps listed on AppConnect).
package talkdesk

import (
	"context"
	"net/url"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
)

const (
	name  = "talkdesk"
	title = "Talkdesk"
)

// Provider is one client of one account.
type Provider struct {
	token     providers.TokenEndpoint
	authorize *url.URL
	// api is where the API is, nil where the region's is not known.
	api    *url.URL
	client string
	grant  string
	scopes []string
	pkce   bool
	// stateless takes the answer to a login without state.
	stateless bool
}

var _ providers.Refresher = (*Provider)(nil)

// Service describes Talkdesk.
func Service() providers.Service {
	return providers.Service{
		Name: name, Title: title,
		Docs: []string{
			"https://docs.talkdesk.com/reference/authorization-code-basic",
			"https://docs.talkdesk.com/reference/cc-basic",
			"https://docs.talkdesk.com/reference/cc-jwt",
		},
		Settings:  settings(),
		Prototype: (*Provider)(nil),
		Catalogue: catalogue,
		// Without scope in the request, the reply's scope is what the client was given
		// (https://docs.talkdesk.com/reference/cc-basic).
		ListsGranted:  true,
		ScopesGivenIn: "Talkdesk (Builder or Partner Project)",
		// https://github.com/microsoft/PowerPlatformConnectors, certified-connectors/Talkdesk.
		RefreshTokensGivenIn: "in Talkdesk the grant type Refresh token is ticked for a client apart from Authorization code",
		AtAddress:            atAddress,
		New:                  New,
	}
}

func settings() []providers.Setting {
	list := []providers.Setting{
		{
			Name: "account", Kind: providers.Text, Required: true, InHost: true,
			Help: "the account's name, the first label of its identity host", Example: "acme",
		},
		{
			Name: "region", Kind: providers.Text, Asked: true, Default: "us", Values: []string{"us", "eu", "ca", "au"},
			Help: "where the account lives", Aliases: regionAliases(), InHost: true,
			Unlisted: "no identity host of another region is known: leave region out, and give the host as base_url, " +
				"such as https://acme.talkdeskid.example",
		},
		providers.BaseURLSetting(),
		providers.ClientIDSetting(),
		providers.ClientSecretSetting(providers.HasPrivateKey()),
	}
	list = append(list, providers.PrivateKeySettings(true)...)
	return append(append(list,
		providers.ClientAuthSetting(providers.Basic, providers.PrivateKeyJWT),
		// The vendor's sample is the Base64 of the plain id:secret.
		providers.BasicEncodingSetting("raw"),
		providers.GrantSetting("client_credentials", providers.AuthorizationCodeGrant),
		providers.ScopesSetting("contacts:read"),
		providers.Setting{
			Name: "keep", Kind: providers.List, Values: []string{"sid", "id_token"},
			Help: "what of a login's reply to keep beside the tokens, for token inspect", Example: "sid",
		},
		providers.Setting{
			Name: "api_url", Kind: providers.Text, Help: "scheme, host and port of the API, where it is not the region's own",
			Example: "https://api.talkdeskapp.com",
		},
		providers.AllowHostsSetting(),
	), providers.LoginSettings()...)
}

// regionAliases are what people write for a region: the country, and the end of the
// account's address in the browser.
func regionAliases() map[string]string {
	return map[string]string{
		"usa": "us", "united states": "us", "com": "us", ".com": "us", "talkdeskid.com": "us", "mytalkdesk.com": "us",
		"europe": "eu", ".eu": "eu", "talkdeskid.eu": "eu", "mytalkdesk.eu": "eu",
		"canada": "ca", ".ca": "ca", "talkdeskidca.com": "ca", "mytalkdeskca.com": "ca",
		"australia": "au", ".au": "au", "com.au": "au", ".com.au": "au", "talkdeskid.au": "au",
	}
}

// suffix returns what follows the account in the identity host of a region.
func suffix(region string) string {
	switch region {
	case "eu":
		return ".talkdeskid.eu"
	case "ca":
		return ".talkdeskidca.com"
	case "au":
		return ".talkdeskid.au"
	default:
		return ".talkdeskid.com"
	}
}

// atAddress reads account and region off an identity host.
func atAddress(u *url.URL) map[string]string {
	for _, region := range []string{"us", "eu", "ca", "au"} {
		account, ok := strings.CutSuffix(strings.ToLower(u.Hostname()), suffix(region))
		if ok && account != "" && !strings.Contains(account, ".") {
			return map[string]string{"account": account, "region": region}
		}
	}
	return nil
}

// New returns the client that the settings describe.
func New(s providers.Settings, client *oauth.Client) (providers.Provider, error) {
	account, err := s.Label("account", "acme")
	if err != nil {
		return nil, err
	}
	base, err := providers.BaseURL(s, "https://"+account+suffix(s.Text("region")))
	if err != nil {
		return nil, err
	}
	endpoint, err := s.At(base, "oauth", "token")
	if err != nil {
		return nil, err
	}
	// Signed JWTs are ES256 (https://docs.talkdesk.com/docs/signed-jwt).
	auth, err := s.ClientAuth(endpoint, "ES256")
	if err != nil {
		return nil, err
	}
	scopes := s.List("scopes")
	p := &Provider{
		token: providers.TokenEndpoint{
			Peer: providers.Peer{
				Service: title, Client: client, Rules: rules(len(scopes) > 0), Names: s.Applying(settings()),
			},
			URL: endpoint, Auth: auth,
			Keep: s.List("keep"),
		},
		client: s.Text("client_id"),
		grant:  s.Text("grant"),
		scopes: scopes,
		pkce:   s.Bool("pkce"),
	}
	if p.authorize, err = s.At(base, "oauth", "authorize"); err != nil {
		return nil, err
	}
	if p.stateless, err = s.StateOptional(); err != nil {
		return nil, err
	}
	p.api, err = api(s)
	return p, err
}

// Name returns "talkdesk".
func (*Provider) Name() string { return name }

// Identity states what a token depends on.
func (p *Provider) Key() oauth.Key {
	return oauth.Key{
		Provider: name, TokenURL: p.token.URL.String(), ClientID: p.client,
		Grant: oauth.Grant(p.grant), AuthMethod: p.token.Auth.Method(), Scopes: p.scopes,
	}
}

// Issue asks with the client credentials grant (RFC 6749 §4.4). The authorization
// code grant needs a person first: that is a Failure of ReasonLogin.
func (p *Provider) Issue(ctx context.Context) (oauth.Token, error) {
	if p.grant == providers.AuthorizationCodeGrant {
		return oauth.Token{}, providers.LoginNeeded(title)
	}
	token, err := p.token.ClientCredentials(ctx, providers.Scope(p.scopes))
	return plainScope(token), err
}

// Refresh asks with a refresh token (RFC 6749 §6).
func (p *Provider) Refresh(ctx context.Context, refreshToken secret.Secret) (oauth.Token, error) {
	token, err := p.token.Refresh(ctx, nil, refreshToken)
	return plainScope(token), err
}

// plainScope decodes the scope of a reply, which the vendor's page calls "URL
// encoded". What cannot be decoded stays as it came.
func plainScope(token oauth.Token) oauth.Token {
	joined := strings.Join(token.Scope, " ")
	if !strings.ContainsAny(joined, "%+") {
		return token
	}
	if decoded, err := url.QueryUnescape(joined); err == nil {
		token.Scope = oauth.SplitScope(decoded)
	}
	return token
}

// rules read Talkdesk's 401, which stands for two things: wrong credentials, and a
// scope that was added to the client minutes ago (https://docs.talkdesk.com/docs/scopes).
func rules(scopes bool) []providers.Rule {
	if !scopes {
		return nil
	}
	return []providers.Rule{
		{
			Status: 401, Code: "invalid_scope", Reason: providers.ReasonScope,
			Hint: "the client was never granted it, or it was added minutes ago and is not effective yet: " +
				"see authctl scopes --help",
		},
		{
			Status: 401, Reason: providers.ReasonCredentials,
			Message: "refused the credentials, or a scope added minutes ago is not effective yet",
			Hint: "check {credentials} in the profile; " +
				"if a scope was just added in Talkdesk (Builder or Partner Project), try again in a few minutes",
		},
	}
}
