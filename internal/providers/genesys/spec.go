// Package genesys describes the Genesys Multicloud CX Authentication API v3 (not Genesys
// Cloud).
//
// It follows https://all.docs.genesys.com/PEC-Developer/Current/WebAPIs/Authentication
// and, where that page is silent, the vendor's own client libraries.
package genesys

import (
	_ "embed"
	"slices"
	"sync"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/setting"
)

//go:embed scopes.json
var scopes string

// Spec is Genesys Multicloud CX.
func Spec() providers.Spec {
	return providers.Spec{
		Name: "genesys", Title: "Genesys Multicloud CX", Short: "Genesys",
		Docs:     []string{"https://all.docs.genesys.com/PEC-Developer/Current/WebAPIs/Authentication"},
		Keys:     sync.OnceValue(settings),
		BasePath: "/auth/v3",
		Token:    "/auth/v3/oauth/token", Authorize: "/auth/v3/oauth/authorize",
		API:          providers.Hosts{At: map[string]string{}}, // where base_url says
		SecretHeader: map[string]string{"x-api-key": "api_key"},
		Login:        []providers.Param{{Name: "hideTenant", Setting: "hide_tenant"}},
		Errors:       tokenErrors(),
		Operations:   operations(),
		Hooks:        providers.Hooks{SignOut: signOut, Doubt: otherProduct},
		Catalogue:    func() providers.Catalogue { return providers.DecodeCatalogue(scopes) },
		OnlyScope:    "*",
	}
}

func settings() []setting.Setting {
	base := setting.BaseURL()
	base.Required, base.Example = true, "https://gapi-use1.genesyscloud.com"
	base.Help = "scheme, host and port of the API, with or without /auth/v3; plain http for loopback only"
	return slices.Concat([]setting.Setting{
		base,
		{Name: "api_key", Kind: setting.Secret, Help: "a reference to the x-api-key", Example: "env:GENESYS_API_KEY"},
		setting.ClientID(),
	}, setting.ClientSecret(setting.IsPublic()), []setting.Setting{
		setting.ClientAuth(setting.Basic, setting.None),
		// The vendor's client libraries send the plain id:secret.
		setting.BasicEncoding("raw"),
		setting.Grant(oauth.AuthorizationCode, oauth.Password, oauth.ClientCredentials),
		{
			Name: "username", Kind: setting.Text, Required: true, If: forPassword(),
			Help: `the user, as tenant\user`, Example: `acme\jane`,
		},
		{
			Name: "password", Kind: setting.Secret, Required: true, If: forPassword(),
			Help: "a reference to the user's password", Example: "prompt",
		},
		setting.Scopes("*"),
		{
			Name: "accept", Kind: setting.Text, Default: "application/json",
			Values: []string{"application/json", "application/x-www-form-urlencoded"},
			Help:   "the form of the token reply to ask for",
		},
		{
			Name: "hide_tenant", Kind: setting.Bool, Default: "false", Login: true,
			Help: "hides the tenant field of the sign-in page",
		},
		setting.AllowHosts(),
		{
			Name: "send_redirect_uri", Kind: setting.Bool, Default: "true", Login: true,
			Help: "sends redirect_uri with the code, as RFC 6749 §4.1.3 wants and the vendor's table does not name",
		},
	}, setting.Login())
}

func forPassword() *setting.Condition {
	return &setting.Condition{Setting: "grant", Is: string(oauth.Password)}
}

// operations are the page's. The scheme is written as in all of its examples. Of the view
// openid, most members are there only for tokens with the scope openid, which the API has no
// way to ask for.
func operations() map[string]providers.Operation {
	// The page's ApiResponse, with the status that says that it was done.
	done := oauth.Success{Values: map[string][]string{"status.code": {"0"}}}
	return map[string]providers.Operation{
		providers.UserInfo: {Scheme: "bearer", Errors: callErrors(), Views: []providers.View{
			{Name: "user", At: "/auth/v3/userinfo", Success: oauth.Success{Members: []string{"username"}}},
			{Name: "openid", At: "/auth/v3/openid/userinfo", Success: oauth.Success{AnyOf: []string{
				"sub", "user_name", "email", "aud", "authorities", "contact_center_id", "dbid", "environment_id",
				"family_name", "given_name", "properties",
			}}},
			{Name: "jwt", At: "/auth/v3/jwt-userinfo", Success: oauth.Success{Body: oauth.BodyAnything, Header: "X-GWS-User"}},
		}},
		// 200 if the user is authenticated, otherwise 403.
		providers.Ping: {At: "/auth/v3/ping", WithToken: true, Scheme: "bearer", Errors: pingErrors(), Success: done},
		providers.SignOut: {
			Method: "POST", At: "/auth/v3/sign-out", Scheme: "bearer", Errors: callErrors(), Success: done,
		},
		providers.Passwd: {
			Method: "POST", At: "/auth/v3/change-password", Scheme: "bearer", Success: done,
			JSON: map[string]string{
				"data.oldPassword": "old", "data.newPassword": "new", "data.userName": "user", "operationId": "operation_id",
			},
			// The page gives 403 one meaning.
			Errors: slices.Concat([]providers.Rule{{
				Status: 403, Reason: providers.ReasonCredentials, Message: "is unable to update password",
				Hint: "check the old password, and the rules for a new one",
			}}, callErrors()),
		},
	}
}

// unauthorized is the API's own code for what 401 says.
const unauthorized = "603"

// tokenErrors are the token endpoint's. Their code is often the HTTP status again, and the
// standard's code then begins the message. A 403 may be the API key's, which a gateway checks,
// as well as the client's; status 603 is "Unauthorized"; 400 is what a wrong user or password
// gives.
func tokenErrors() []providers.Rule {
	wrong := providers.Rule{Reason: providers.ReasonCredentials, Hint: "check {credentials} in the profile"}
	wrongUser := wrong
	wrongUser.If, wrongUser.Hint = forPassword(), wrong.Hint+`; the username is tenant\user`
	return slices.Concat(
		[]providers.Rule{wrongUser.For(0, "invalid_grant"), wrong.For(0, "invalid_grant")},
		providers.StandardCodes(),
		[]providers.Rule{
			refusedClient().For(403, ""), refusedClient().For(0, unauthorized),
			wrongUser.For(400, providers.Numeric), wrong.For(400, providers.Numeric),
		})
}

// refusedClient is what the API key may be the reason of.
func refusedClient() providers.Rule {
	return providers.Rule{
		Reason: providers.ReasonCredentials, Client: true,
		Hint: "check {api_key,client_id,client_secret,client_secret_old} in the profile; the client may lack the grant",
	}
}

// callErrors are those of the endpoints that take a token. The reply may be 200 and carry the
// status of a failure inside.
func callErrors() []providers.Rule {
	stale := providers.Rule{Reason: providers.ReasonCredentials, StaleToken: true}
	return []providers.Rule{stale.For(401, ""), stale.For(0, unauthorized), refusedClient().For(403, "")}
}

// pingErrors are those of /ping: refused, not there, or no such path.
func pingErrors() []providers.Rule {
	refused := providers.Rule{
		Reason: providers.ReasonCredentials, StaleToken: true,
		Message: "is there and says: not authenticated", Hint: "log in again, or check api_key",
	}
	return []providers.Rule{
		refused.For(403, ""), refused.For(401, ""), refused.For(0, unauthorized),
		{Status: 408, Reason: providers.ReasonTemporary, Message: "is unavailable"},
		{
			Status: 4, Reason: providers.ReasonConfig, Message: "has no ping there",
			Hint: "check {base_url} in the profile: there is no such API at that address",
		},
		{Reason: providers.ReasonTemporary, Message: "is unavailable"},
	}
}
