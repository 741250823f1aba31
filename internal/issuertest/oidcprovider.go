package issuertest

import (
	"testing"
	"time"
)

// Config is what npm's oidc-provider is started with. The zero value is a realm "acme" without clients, its issuer and
// routes laid out as Keycloak's.
type Config struct {
	// Plain leaves the package's own paths and its handling of resources (RFC 8707): a token is opaque unless the request
	// names a resource.
	Plain bool
	// Account is the realm in the issuer's path; empty means "acme".
	Account string
	// Clients are the registered clients.
	Clients []Client
	// Scopes are those a client may ask for, beside openid and offline_access. Others are left out of the token
	// without an error, as RFC 6749 §3.3 allows.
	Scopes []string
	// Opaque makes access tokens opaque. They are JWTs otherwise, which this server neither introspects nor revokes.
	Opaque bool
	// Lifetime of access tokens, in whole seconds; 0 means 300 s.
	Lifetime time.Duration
	// TLS, where there is one, opens a second port for clients with certificates (RFC 8705).
	TLS *TLS
}

// TLS is what a server shows and whom it believes, in PEM.
type TLS struct {
	Certificate string `json:"cert"`
	Key         string `json:"key"`
	// Authorities have signed the certificates of clients with tls_client_auth.
	Authorities string `json:"ca"`
}

// Client is one registered client, in the names of OpenID Connect Dynamic Client Registration 1.0 §2. A nil
// GrantTypes means client_credentials only.
type Client struct {
	ID            string   `json:"client_id"`
	Secret        string   `json:"client_secret,omitempty"`
	AuthMethod    string   `json:"token_endpoint_auth_method"`
	Scope         string   `json:"scope,omitempty"`
	JWKS          *JWKS    `json:"jwks,omitempty"`
	GrantTypes    []string `json:"grant_types,omitempty"`
	ResponseTypes []string `json:"response_types,omitempty"`
	RedirectURIs  []string `json:"redirect_uris,omitempty"`
	// ApplicationType "native" allows any port in a loopback redirect URI (RFC 8252 §7.3).
	ApplicationType string `json:"application_type,omitempty"`
	// CertificateName is the DNS name in the certificate of a client with tls_client_auth (RFC 8705 §2.1.2).
	CertificateName string `json:"tls_client_auth_san_dns,omitempty"`
}

// JWKS is a key set (RFC 7517 §5) of public keys, each as it is marshalled, such as a jose.JSONWebKey.
type JWKS struct {
	Keys []any `json:"keys"`
}

// StartOIDCProvider runs npm's oidc-provider until the test ends, as the others do theirs. The test is skipped, or
// fails, as testneed.Need says, when the server is not there.
func StartOIDCProvider(t testing.TB, config Config) *Server {
	t.Helper()
	return startNode(t, "oidc-provider", config.settings())
}

// settings are those of test/oidc-provider/server.mjs.
func (c Config) settings() map[string]any {
	out := map[string]any{"clients": c.Clients, "scopes": c.Scopes}
	if c.Clients == nil {
		out["clients"] = []Client{}
	}
	if c.Scopes == nil {
		out["scopes"] = []string{}
	}
	if c.Plain {
		out["layout"] = "plain"
	}
	if c.Account != "" {
		out["account"] = c.Account
	}
	if c.Opaque {
		out["token_format"] = "opaque"
	}
	if c.Lifetime > 0 {
		out["lifetime"] = int64(c.Lifetime / time.Second)
	}
	if c.TLS != nil {
		out["tls"] = c.TLS
	}
	return out
}
