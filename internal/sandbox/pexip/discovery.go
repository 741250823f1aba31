package pexip

import (
	"github.com/authctl/authctl/internal/sandbox/service"
	"github.com/go-jose/go-jose/v4"
)

// discovery is GET /.well-known/openid-configuration (OpenID Connect Discovery §3). The authorization endpoint is
// named, because the standard requires it, but it is not there: Pexip documents client credentials only.
func discovery(x *service.Exchange) service.Reply {
	base := x.Origin() + openID
	fields := map[string]any{
		"issuer":           issuer(x),
		"jwks_uri":         base + "certs",
		"claims_supported": []string{"iss", "sub", "aud", "exp", "iat", "preferred_username", "email_verified"},
		"scopes_supported": append(standardScopes(), allScopes()...),

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

// certs is GET …/certs: the realm's public keys (RFC 7517 §5).
func (s signers) certs(*service.Exchange) service.Reply {
	var keys []jose.JSONWebKey
	for _, s := range []service.Signer{s.usual, s.rsa()} {
		keys = append(keys, jose.JSONWebKey{
			Key: s.Key.Public(), KeyID: s.KeyID, Algorithm: string(s.Algorithm()), Use: "sig",
		})
	}
	return service.OK(map[string]any{"keys": keys})
}
