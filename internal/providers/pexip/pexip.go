// Package pexip is the adapter of Pexip Engage, whose identity service is a
// Keycloak: one realm for each enterprise, client credentials.
//
// It follows https://developer.pexipengage.com (authentication) for the token
// URL and the scopes, and Keycloak's own documentation for what that leaves open.
package pexip

import (
	"context"
	"net/url"
	"strings"
	"sync"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
)

const (
	name            = "pexip"
	title           = "Pexip Engage"
	developmentHost = "https://auth.development.pexipengage.com"
	productionHost  = "https://auth.pexipengage.com"
)

// Provider is one client of one enterprise's realm.
type Provider struct {
	token  providers.TokenEndpoint
	issuer *url.URL
	client string
	scopes []string

	mu       sync.Mutex
	metadata *oauth.Metadata // nil until it was read
}

var _ providers.Refresher = (*Provider)(nil)

// Service describes Pexip Engage.
func Service() providers.Service {
	return providers.Service{
		Name: name, Title: title,
		Docs:      []string{"https://developer.pexipengage.com"},
		Settings:  settings(),
		Prototype: (*Provider)(nil),
		Catalogue: catalogue,
		AtAddress: atAddress,
		New:       New,
	}
}

func settings() []providers.Setting {
	list := []providers.Setting{
		{
			Name: "account", Kind: providers.Text, Required: true,
			Help: "the enterprise, which is the realm's name", Example: "acme",
		},
		{
			Name: "environment", Kind: providers.Text, Asked: true, Default: "development",
			Values: []string{"development", "production"}, Help: "which of Pexip's installations to ask", InHost: true,
		},
		providers.BaseURLSetting(),
		providers.ClientIDSetting(),
		providers.ClientSecretSetting(providers.HasPrivateKey()),
	}
	list = append(list, providers.PrivateKeySettings(false)...)
	return append(list,
		providers.ClientAuthSetting(providers.Basic, providers.Post, providers.PrivateKeyJWT),
		// Keycloak form-decodes what comes in a Basic header, as RFC 6749 §2.3.1 wants.
		providers.BasicEncodingSetting("form"),
		providers.GrantSetting("client_credentials"),
		providers.ScopesSetting("engage:appointments:readOnly"),
		providers.AllowHostsSetting(),
	)
}

// atAddress reads enterprise and environment off an address of a realm.
func atAddress(u *url.URL) map[string]string {
	environment := map[string]string{
		developmentHost: "development", productionHost: "production",
	}["https://"+strings.ToLower(u.Hostname())]
	rest, ok := strings.CutPrefix(u.Path, "/realms/")
	if environment == "" || !ok {
		return nil
	}
	account, _, _ := strings.Cut(rest, "/")
	return map[string]string{"account": account, "environment": environment}
}

// New returns the client that the settings describe.
func New(s providers.Settings, client *oauth.Client) (providers.Provider, error) {
	standard := developmentHost
	if s.Text("environment") == "production" {
		standard = productionHost
	}
	base, err := providers.BaseURL(s, standard)
	if err != nil {
		return nil, err
	}
	realm, err := s.Segment("account")
	if err != nil {
		return nil, err
	}
	endpoint, err := s.At(base, "realms", realm, "protocol", "openid-connect", "token")
	if err != nil {
		return nil, err
	}
	issuer, err := s.At(base, "realms", realm)
	if err != nil {
		return nil, err
	}
	auth, err := s.ClientAuth(endpoint, "")
	if err != nil {
		return nil, err
	}
	return &Provider{
		token: providers.TokenEndpoint{
			Peer: providers.Peer{Service: title, Client: client, Rules: rules(), Names: s.Applying(settings())},
			URL:  endpoint, Auth: auth,
		},
		issuer: issuer,
		client: s.Text("client_id"),
		scopes: s.List("scopes"),
	}, nil
}

// Name returns "pexip".
func (*Provider) Name() string { return name }

// Identity states what a token depends on.
func (p *Provider) Key() oauth.Key {
	return oauth.Key{
		Provider: name, TokenURL: p.token.URL.String(), ClientID: p.client,
		Grant: "client_credentials", AuthMethod: p.token.Auth.Method(), Scopes: p.scopes,
	}
}

// Issue asks with the client credentials grant (RFC 6749 §4.4).
func (p *Provider) Issue(ctx context.Context) (oauth.Token, error) {
	return p.token.ClientCredentials(ctx, providers.Scope(p.scopes))
}

// Refresh asks with a refresh token (RFC 6749 §6), which Keycloak issues for
// client credentials only when the client is set up so.
func (p *Provider) Refresh(ctx context.Context, refreshToken secret.Secret) (oauth.Token, error) {
	return p.token.Refresh(ctx, nil, refreshToken)
}

// rules read Keycloak's errors: a 404 means that the realm does not exist, and
// unauthorized_client is what a wrong secret gives, or a client that may not use the
// grant, which only the words tell apart.
func rules() []providers.Rule {
	return []providers.Rule{
		{
			Status: 404, Reason: providers.ReasonConfig,
			Hint: "the realm is the enterprise's name: check {account,environment,base_url} in the profile",
		},
		serviceAccounts(401), serviceAccounts(400), serviceAccounts(403),
		providers.GrantRefused(0, "unauthorized_client", "not allowed"),
		providers.GrantRefused(0, "unauthorized_client", "not enabled"),
		providers.GrantRefused(0, "unauthorized_client", "bearer-only"),
		clientOff("unauthorized_client"), clientOff("invalid_client"),
		{Status: 401, Code: "unauthorized_client", Reason: providers.ReasonCredentials},
		{Code: "unauthorized_client", Text: "client credentials", Reason: providers.ReasonCredentials},
		{
			Text: "realm not enabled", Reason: providers.ReasonConfig, Message: "has that realm, and it is switched off",
			Hint: "it is not the secret: ask who runs the realm, or check {account} in the profile",
		},
		{
			Status: 403, Code: "invalid_request", Reason: providers.ReasonConfig,
			Hint: "this realm takes https only: check {host} in the profile",
		},
	}
}

// clientOff is Keycloak's word for a client that is switched off.
func clientOff(code string) providers.Rule {
	return providers.Rule{
		Code: code, Text: "client disabled", Reason: providers.ReasonConfig,
		Message: "has that client, and it is switched off",
		Hint:    "it is not the secret: have the client enabled in the realm, or check client_id in the profile",
	}
}

// serviceAccounts is Keycloak's word for a client that may not use the grant
// client_credentials.
func serviceAccounts(status int) providers.Rule {
	r := providers.GrantRefused(status, "", "retrieve service account")
	r.Hint = "it is not the secret: have service accounts enabled for client_id at the service"
	return r
}
