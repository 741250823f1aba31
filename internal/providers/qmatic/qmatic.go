// Package qmatic is the adapter of Qmatic Cloud Appointments: client credentials
// with the account in a header.
//
// It follows https://qmatic.atlassian.net/wiki/spaces/ECAEAD/pages/558202885
// (authentication) and .../489652237 (limits: one token request per second).
package qmatic

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
)

const (
	name  = "qmatic"
	title = "Qmatic"
	// tokenInterval is the least time between two token requests.
	tokenInterval = time.Second
)

// Provider is one client of one account.
type Provider struct {
	token   providers.TokenEndpoint
	client  string
	account string
	form    bool
	scopes  []string
}

var (
	_ providers.Refresher = (*Provider)(nil)
	_ providers.Pacer     = (*Provider)(nil)
)

// Service describes Qmatic Cloud Appointments.
func Service() providers.Service {
	return providers.Service{
		Name: name, Title: "Qmatic Cloud Appointments",
		Docs:      []string{"https://qmatic.atlassian.net/wiki/spaces/ECAEAD/pages/558202885/Authentication"},
		Settings:  settings(),
		Prototype: (*Provider)(nil),
		Catalogue: catalogue,
		AtAddress: atAddress,
		New:       New,
	}
}

func settings() []providers.Setting {
	scopes := providers.ScopesSetting("com.qmatic.saas.appointments/external.appointment.book")
	scopes.Required, scopes.Unless = true, []providers.Condition{{Setting: "allow_no_scopes", Is: "true"}}
	return []providers.Setting{
		{
			Name: "account", Kind: providers.Text, Required: true,
			Help: "the account's name, sent in lower case without spaces", Example: "My Bank AB",
		},
		{
			Name: "region", Kind: providers.Text, Asked: true, Default: "eu-west-1", InHost: true,
			Help: "the region in the host's name, api.REGION.qmatic.io", Example: "eu-west-1",
		},
		providers.BaseURLSetting(),
		providers.ClientIDSetting(),
		providers.ClientSecretSetting(),
		// The vendor's sample is the Base64 of the plain clientId:clientSecret.
		providers.BasicEncodingSetting("raw"),
		providers.GrantSetting("client_credentials"),
		scopes,
		{
			Name: "allow_no_scopes", Kind: providers.Bool,
			Help: "allows a profile without scopes, for all scopes of the client",
		},
		{
			Name: "account_form_field", Kind: providers.Bool, Default: "true",
			Help: "sends the account in the form field x-account too",
		},
		providers.AllowHostsSetting(),
	}
}

// atAddress reads the region off the API's host.
func atAddress(u *url.URL) map[string]string {
	host, ok := strings.CutSuffix(strings.ToLower(u.Hostname()), ".qmatic.io")
	region, isAPI := strings.CutPrefix(host, "api.")
	if !ok || !isAPI {
		return nil
	}
	return map[string]string{"region": region}
}

// New returns the client that the settings describe.
func New(s providers.Settings, client *oauth.Client) (providers.Provider, error) {
	account, err := s.AccountName("account")
	if err != nil {
		return nil, err
	}
	region, err := s.Label("region", "eu-west-1")
	if err != nil {
		return nil, err
	}
	base, err := providers.BaseURL(s, "https://api."+region+".qmatic.io")
	if err != nil {
		return nil, err
	}
	endpoint, err := s.At(base, "oauth2", "token")
	if err != nil {
		return nil, err
	}
	auth, err := s.ClientAuth(endpoint, "")
	if err != nil {
		return nil, err
	}
	return &Provider{
		token: providers.TokenEndpoint{
			Peer: providers.Peer{
				Service: title, Client: client, Header: http.Header{"X-Account": {account}},
				Rules: rules(), Names: s.Applying(settings()),
			},
			URL: endpoint, Auth: auth, MinRetryWait: tokenInterval,
		},
		client:  s.Text("client_id"),
		account: account,
		form:    s.Bool("account_form_field"),
		scopes:  s.List("scopes"),
	}, nil
}

// rules read Qmatic's one answer to a wrong account, client or secret.
func rules() []providers.Rule {
	return []providers.Rule{{
		Code: "invalid_client", Reason: providers.ReasonCredentials,
		Hint: "check {account,client_id,client_secret} in the profile; --dry-run shows the request",
	}}
}

// Name returns "qmatic".
func (*Provider) Name() string { return name }

// Identity states what a token depends on.
func (p *Provider) Key() oauth.Key {
	return oauth.Key{
		Provider: name, TokenURL: p.token.URL.String(), Account: p.account, ClientID: p.client,
		Grant: "client_credentials", AuthMethod: p.token.Auth.Method(), Scopes: p.scopes,
	}
}

// Pace is the documented limit of token requests: one a second.
func (*Provider) Pace() time.Duration { return tokenInterval }

// Issue asks with the client credentials grant (RFC 6749 §4.4).
func (p *Provider) Issue(ctx context.Context) (oauth.Token, error) {
	return p.token.ClientCredentials(ctx, p.withAccount(providers.Scope(p.scopes)))
}

// Refresh asks with a refresh token (RFC 6749 §6), which the vendor's page speaks
// of though its sample reply has none.
func (p *Provider) Refresh(ctx context.Context, refreshToken secret.Secret) (oauth.Token, error) {
	return p.token.Refresh(ctx, p.withAccount(url.Values{}), refreshToken)
}

// withAccount adds the form field of the page's second example.
func (p *Provider) withAccount(params url.Values) url.Values {
	if p.form {
		params.Set("x-account", p.account)
	}
	return params
}
