// Package talkdesk describes Talkdesk: one identity host for each account and region, client
// credentials with Basic or with a signed JWT.
//
// It follows https://docs.talkdesk.com/reference (token endpoint) and
// https://docs.talkdesk.com/docs/signed-jwt (apps listed on AppConnect).
package talkdesk

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

// Spec is Talkdesk.
func Spec() providers.Spec {
	return providers.Spec{
		Name: "talkdesk", Title: "Talkdesk",
		Docs: []string{
			"https://docs.talkdesk.com/reference/authorization-code-basic",
			"https://docs.talkdesk.com/reference/cc-basic",
			"https://docs.talkdesk.com/reference/cc-jwt",
		},
		Keys: sync.OnceValue(settings),
		Vars: map[string]setting.Form{"account": setting.Label},
		Base: providers.Hosts{By: "region", At: map[string]string{
			"us": "https://{account}.talkdeskid.com", "eu": "https://{account}.talkdeskid.eu",
			"ca": "https://{account}.talkdeskidca.com", "au": "https://{account}.talkdeskid.au",
		}},
		Token: "/oauth/token", Authorize: "/oauth/authorize",
		// https://docs.talkdesk.com/docs/how-to-guarantee-your-app-works-in-all-regions
		API: providers.Hosts{By: "region", At: map[string]string{
			"us": "https://api.talkdeskapp.com", "eu": "https://api.talkdeskapp.eu", "ca": "https://api.talkdeskappca.com",
		}},
		Algorithm:  "ES256", // https://docs.talkdesk.com/docs/signed-jwt
		Nonce:      true,
		Errors:     errors(),
		Operations: map[string]providers.Operation{providers.UserInfo: userInfo()},
		Hooks:      providers.Hooks{Token: plainScope},
		Catalogue:  func() providers.Catalogue { return providers.DecodeCatalogue(scopes) },
		// Without scope in the request, the reply's scope is what the client was given
		// (https://docs.talkdesk.com/reference/cc-basic).
		ListsGranted:  true,
		ScopesGivenIn: "Talkdesk (Builder or Partner Project)",
		// https://github.com/microsoft/PowerPlatformConnectors, certified-connectors/Talkdesk.
		RefreshTokensGivenIn: "in Talkdesk the grant type Refresh token is ticked for a client apart from Authorization code",
	}
}

func settings() []setting.Setting {
	return slices.Concat([]setting.Setting{
		{
			Name: "account", Kind: setting.Text, Required: true, InHost: true,
			Help: "the account's name, the first label of its identity host", Example: "acme",
		},
		{
			Name: "region", Kind: setting.Text, Asked: true, Default: "us", Values: []string{"us", "eu", "ca", "au"},
			Help: "where the account lives", Aliases: regionAliases(), InHost: true,
			Unlisted: "no identity host of another region is known: leave region out, and give the host as base_url, " +
				"such as https://acme.talkdeskid.example",
		},
		setting.BaseURL(),
		setting.ClientID(),
	}, setting.ClientSecret(setting.HasPrivateKey()), setting.PrivateKey(true), []setting.Setting{
		setting.ClientAuth(setting.Basic, setting.PrivateKeyJWT),
		// The vendor's sample is the Base64 of the plain id:secret.
		setting.BasicEncoding("raw"),
		setting.Grant(oauth.ClientCredentials, oauth.AuthorizationCode),
		setting.Scopes("contacts:read"),
		{
			Name: "keep", Kind: setting.List, Values: []string{"sid", "id_token"},
			Help: "what of a login's reply to keep beside the tokens, for token inspect", Example: "sid",
		},
		{
			Name: "api_url", Kind: setting.Text, Help: "scheme, host and port of the API, where it is not the region's own",
			Example: "https://api.talkdeskapp.com",
		},
		setting.AllowHosts(),
	}, setting.Login())
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

// errors read the 401, which stands for two things: wrong credentials, and a scope that was
// added to the client minutes ago (https://docs.talkdesk.com/docs/scopes).
func errors() []providers.Rule {
	withScopes := &setting.Condition{Setting: "scopes"}
	return []providers.Rule{
		{
			Status: 401, Code: "invalid_scope", If: withScopes, Reason: providers.ReasonScope,
			Hint: "the client was never granted it, or it was added minutes ago and is not effective yet: " +
				"see authctl scopes --help",
		},
		{
			Status: 401, If: withScopes, Reason: providers.ReasonCredentials, Client: true,
			Message: "refused the credentials, or a scope added minutes ago is not effective yet",
			Hint: "check {credentials} in the profile; " +
				"if a scope was just added in Talkdesk (Builder or Partner Project), try again in a few minutes",
		},
	}
}

// userInfo is the API's GET /users/me (https://docs.talkdesk.com/reference/usersme). Its page
// always has sub, name and email, and says so of sub with the standard (OpenID Connect Core
// §5.3.2). A 400 is what the token of a client without a user gets.
func userInfo() providers.Operation {
	noUser := providers.Rule{
		Status: 400, Reason: providers.ReasonCredentials, Message: "knows no user for this token",
		Hint: "a token of the grant client_credentials has no user: " +
			"set {grant=authorization_code} in the profile, with openid among the scopes, then log in",
	}
	ofLogin := noUser
	ofLogin.If = &setting.Condition{Setting: "grant", Is: string(oauth.AuthorizationCode)}
	ofLogin.Hint = "log in as a user of this account, with openid among {scopes} in the profile"
	return providers.Operation{
		At: "/users/me", OnAPI: true, Success: oauth.Success{Members: []string{"sub"}},
		Errors: []providers.Rule{ofLogin, noUser, {
			Status: 403, Reason: providers.ReasonScope,
			Hint: "the scope openid is needed: add it to {scopes} in the profile",
		}},
	}
}
