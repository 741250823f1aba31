// Package oauth2 describes any other OAuth 2.0 service: an issuer that says of itself what it
// has (OpenID Connect Discovery 1.0, RFC 8414), or endpoints that the profile says.
package oauth2

import (
	"sync"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/setting"
)

// Spec is any OAuth 2.0 service. What its issuer lacks is an *providers.UnsupportedError when
// it is asked for.
func Spec() providers.Spec {
	everywhere := []providers.Param{
		{Name: "audience", Setting: "audience"},
		{Name: "resource", Setting: "resource"}, // RFC 8707
	}
	return providers.Spec{
		Name: "oauth2", Title: "any OAuth 2.0 service",
		Docs: []string{
			"https://www.rfc-editor.org/rfc/rfc6749", "https://www.rfc-editor.org/rfc/rfc8414",
			"https://openid.net/specs/openid-connect-discovery-1_0.html",
		},
		Keys: sync.OnceValue(settings),
		Given: map[string]string{
			"issuer": "issuer", "token_endpoint": "token_url", "authorization_endpoint": "authorize_url",
			"device_authorization_endpoint": "device_url", "userinfo_endpoint": "userinfo_url",
			"revocation_endpoint": "revoke_url", "introspection_endpoint": "introspect_url",
			"end_session_endpoint": "end_session_url", "jwks_uri": "jwks_url",
		},
		API:    providers.Hosts{At: map[string]string{}}, // where api_url says
		Header: []providers.Param{{Setting: "headers"}},
		Form:   append(everywhere, providers.Param{Setting: "params"}),
		Login:  append(everywhere, providers.Param{Setting: "authorize_params"}),
		Selects: []string{
			"resource", "params", "authorize_params", "headers", "assertion_issuer", "subject", "assertion_audience", "claims",
			"subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type",
		},
		Subjects: map[oauth.Grant][]string{
			oauth.TokenExchange: {"subject_token", "actor_token"}, oauth.RefreshToken: {"refresh_token"},
		},
		Errors:     refusals(),
		Nonce:      true,
		IDTokens:   true,
		Operations: providers.OpenID(nil),
		Hooks:      providers.Hooks{SignOut: signOut},
	}
}

// grants are those of a profile; the first is the default.
func grants() []oauth.Grant {
	return []oauth.Grant{
		oauth.ClientCredentials, oauth.AuthorizationCode, oauth.DeviceCode, oauth.Password, oauth.JWTBearer,
		oauth.TokenExchange, oauth.RefreshToken,
	}
}

// of holds where the profile has the grant.
func of(grant oauth.Grant) *setting.Condition {
	return &setting.Condition{Setting: "grant", Is: string(grant)}
}
