// Package qmatic describes Qmatic Cloud Appointments: client credentials with the account in
// a header.
//
// It follows https://qmatic.atlassian.net/wiki/spaces/ECAEAD/pages/558202885
// (authentication) and .../489652237 (limits: one token request per second).
package qmatic

import (
	_ "embed"
	"slices"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/setting"
)

//go:embed scopes.json
var scopes string

// Spec is Qmatic Cloud Appointments.
func Spec() providers.Spec {
	return providers.Spec{
		Name: "qmatic", Title: "Qmatic Cloud Appointments", Short: "Qmatic",
		Docs:   []string{"https://qmatic.atlassian.net/wiki/spaces/ECAEAD/pages/558202885/Authentication"},
		Keys:   sync.OnceValue(settings),
		Vars:   map[string]setting.Form{"account": setting.Squeezed, "region": setting.Label},
		Base:   providers.Hosts{At: map[string]string{"": "https://api.{region}.qmatic.io"}},
		Token:  "/oauth2/token",
		Header: []providers.Param{{Name: "X-Account", Setting: "account"}},
		// The form field of the page's second example.
		Form: []providers.Param{{
			Name: "x-account", Setting: "account", If: &setting.Condition{Setting: "account_form_field", Is: "true"},
		}},
		Pace: time.Second,
		Errors: []providers.Rule{{
			// One answer to a wrong account, client or secret.
			Code: "invalid_client", Reason: providers.ReasonCredentials, Client: true,
			Hint: "check {account,client_id,client_secret,client_secret_old} in the profile; --dry-run shows the request",
		}},
		Catalogue: func() providers.Catalogue { return providers.DecodeCatalogue(scopes) },
	}
}

func settings() []setting.Setting {
	scopes := setting.Scopes("com.qmatic.saas.appointments/external.appointment.book")
	scopes.Required, scopes.Unless = true, []setting.Condition{{Setting: "allow_no_scopes", Is: "true"}}
	return slices.Concat([]setting.Setting{
		{
			Name: "account", Kind: setting.Text, Required: true,
			Help: "the account's name, sent in lower case without spaces", Example: "My Bank AB",
		},
		{
			Name: "region", Kind: setting.Text, Asked: true, Default: "eu-west-1", InHost: true,
			Help: "the region in the host's name, api.REGION.qmatic.io", Example: "eu-west-1",
		},
		setting.BaseURL(),
		setting.ClientID(),
	}, setting.ClientSecret(), []setting.Setting{
		// The vendor's sample is the Base64 of the plain clientId:clientSecret.
		setting.BasicEncoding("raw"),
		setting.Grant("client_credentials"),
		scopes,
		{
			Name: "allow_no_scopes", Kind: setting.Bool,
			Help: "allows a profile without scopes, for all scopes of the client",
		},
		{
			Name: "account_form_field", Kind: setting.Bool, Default: "true",
			Help: "sends the account in the form field x-account too",
		},
		setting.AllowHosts(),
	})
}
