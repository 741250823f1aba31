package pexip

import "github.com/authctl/authctl/internal/sandbox/service"

// discovery is GET /.well-known/openid-configuration (OpenID Connect Discovery §3). The authorization endpoint is
// named, because the standard requires it, but it is not there: Pexip documents client credentials only.
func discovery(x *service.Exchange) service.Reply {
	base := x.Origin() + openID
	fields := map[string]any{
		"issuer":           issuer(x),
		"jwks_uri":         base + "certs",
		"claims_supported": []string{"iss", "sub", "aud", "exp", "iat", "preferred_username", "email_verified"},
		"scopes_supported": append([]string{"openid", "profile", "email"}, allScopes()...),

		"authorization_endpoint": base + "auth",
		"token_endpoint":         base + "token",
		"introspection_endpoint": base + "token/introspect",
		"userinfo_endpoint":      base + "userinfo",
		"end_session_endpoint":   base + "logout",
		"revocation_endpoint":    base + "revoke",

		"grant_types_supported":                 []string{"client_credentials", "refresh_token"},
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256", "RS256"},
	}
	for _, endpoint := range []string{"token", "introspection", "revocation"} {
		fields[endpoint+"_endpoint_auth_methods_supported"] = []string{
			"private_key_jwt", "client_secret_basic", "client_secret_post",
		}
		fields[endpoint+"_endpoint_auth_signing_alg_values_supported"] = []string{"ES256", "RS256"}
	}
	return service.OK(fields)
}
