package oauth2

import (
	"slices"

	"github.com/authctl/authctl/internal/sandbox/service"
	"github.com/go-jose/go-jose/v4"
)

// endpointPaths are the members of the document that are addresses.
func endpointPaths() map[string]string {
	return map[string]string{
		"authorization_endpoint":        "/authorize",
		"token_endpoint":                "/token",
		"device_authorization_endpoint": "/device",
		"userinfo_endpoint":             "/userinfo",
		"introspection_endpoint":        "/introspect",
		"revocation_endpoint":           "/revoke",
		"end_session_endpoint":          "/logout",
		"jwks_uri":                      "/jwks",
	}
}

// discovery is the document of OpenID Connect Discovery §3 and RFC 8414 §2, which is one. Clients with a certificate
// find in it where to show that (RFC 8705 §5).
func (i *issuer) discovery(x *service.Exchange) service.Reply {
	fields := map[string]any{
		"issuer":                                         name(x),
		"scopes_supported":                               slices.Concat(userScopes(), x.Scopes),
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query"},
		"grant_types_supported":                          grantTypes(),
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{"ES256", "RS256"},
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": true,
		"tls_client_certificate_bound_access_tokens":     true,
		"claims_supported": []string{
			"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid",
			"name", "given_name", "family_name", "preferred_username", "email", "email_verified",
		},
	}
	aliases := map[string]any{}
	for member, at := range endpointPaths() {
		fields[member] = name(x) + at
		aliases[member] = x.Secure + path + at
	}
	for _, browsers := range []string{"authorization_endpoint", "end_session_endpoint", "jwks_uri"} {
		delete(aliases, browsers)
	}
	fields["mtls_endpoint_aliases"] = aliases
	for _, endpoint := range []string{"token", "introspection", "revocation"} {
		fields[endpoint+"_endpoint_auth_methods_supported"] = methods()
		fields[endpoint+"_endpoint_auth_signing_alg_values_supported"] = append(algorithms(), jose.ES256, jose.RS256)
	}
	return service.OK(fields)
}
