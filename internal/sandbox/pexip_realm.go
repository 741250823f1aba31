package sandbox

import (
	"encoding/json"
	"net/http"

	"github.com/go-jose/go-jose/v4"
)

// discovery is GET /.well-known/openid-configuration (OpenID Connect Discovery
// §3). The authorization endpoint is named, because the standard requires it, but
// it is not there: Pexip documents client credentials only.
func (p *pexip) discovery(x *exchange) reply {
	issuer := p.issuer(x)
	base := issuer + "/protocol/openid-connect/"
	auth := []string{"private_key_jwt", "client_secret_basic", "client_secret_post"}
	algorithms := []string{"ES256", "RS256"}
	claims := []string{"iss", "sub", "aud", "exp", "iat", "preferred_username", "email_verified"}
	return reply{status: http.StatusOK, fields: map[string]any{
		"issuer":           issuer,
		"jwks_uri":         base + "certs",
		"claims_supported": claims,
		"scopes_supported": append(pexipStandard(), pexipScopes()...),

		"authorization_endpoint": base + "auth",
		"token_endpoint":         base + "token",
		"introspection_endpoint": base + "token/introspect",
		"userinfo_endpoint":      base + "userinfo",
		"end_session_endpoint":   base + "logout",
		"revocation_endpoint":    base + "revoke",

		"grant_types_supported":                 []string{"client_credentials", "refresh_token"},
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": algorithms,

		"token_endpoint_auth_methods_supported":         auth,
		"introspection_endpoint_auth_methods_supported": auth,
		"revocation_endpoint_auth_methods_supported":    auth,

		"token_endpoint_auth_signing_alg_values_supported":         []string{"ES256", "RS256"},
		"introspection_endpoint_auth_signing_alg_values_supported": []string{"ES256", "RS256"},
		"revocation_endpoint_auth_signing_alg_values_supported":    []string{"ES256", "RS256"},
	}}
}

// certs is GET …/certs: the realm's public keys (RFC 7517 §5).
func (p *pexip) certs(*exchange) reply {
	var keys []json.RawMessage
	for _, s := range []signer{p.signer, p.rsa()} {
		key := jose.JSONWebKey{Key: s.key.Public(), KeyID: s.kid, Algorithm: string(s.algorithm()), Use: "sig"}
		encoded, err := key.MarshalJSON()
		if err != nil {
			return p.refusal(http.StatusInternalServerError, "")
		}
		keys = append(keys, encoded)
	}
	return reply{status: http.StatusOK, fields: map[string]any{"keys": keys}}
}
