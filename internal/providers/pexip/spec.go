// Package pexip describes Pexip Engage, whose identity service is a Keycloak: one realm for
// each enterprise, client credentials.
//
// It follows https://developer.pexipengage.com (authentication) for the token URL and the
// scopes, and Keycloak's own documentation for what that leaves open.
package pexip

import (
	_ "embed"
	"slices"
	"sync"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/setting"
)

//go:embed scopes.json
var scopes string

// Spec is Pexip Engage.
func Spec() providers.Spec {
	return providers.Spec{
		Name: "pexip", Title: "Pexip Engage",
		Docs: []string{"https://developer.pexipengage.com"},
		Keys: sync.OnceValue(settings),
		Vars: map[string]setting.Form{"account": setting.Segment},
		Base: providers.Hosts{By: "environment", At: map[string]string{
			"development": "https://auth.development.pexipengage.com",
			"production":  "https://auth.pexipengage.com",
		}},
		Token:  "/realms/{account}/protocol/openid-connect/token",
		Issuer: "/realms/{account}", IssuerIs: "realm",
		Undocumented: "a standard Keycloak endpoint, which Pexip does not document",
		Errors:       errors(),
		Operations:   operations(),
		Catalogue:    func() providers.Catalogue { return providers.DecodeCatalogue(scopes) },
	}
}

func settings() []setting.Setting {
	return slices.Concat([]setting.Setting{
		{
			Name: "account", Kind: setting.Text, Required: true,
			Help: "the enterprise, which is the realm's name", Example: "acme",
		},
		{
			Name: "environment", Kind: setting.Text, Asked: true, Default: "development",
			Values: []string{"development", "production"}, Help: "which of Pexip's installations to ask", InHost: true,
		},
		setting.BaseURL(),
		setting.ClientID(),
	}, setting.ClientSecret(setting.HasPrivateKey(), setting.HasClientAssertion()),
		setting.PrivateKey(false), []setting.Setting{
			// https://www.keycloak.org/2026/01/federated-client-authentication
			setting.ClientAssertion(),
			setting.ClientAuth(setting.Basic, setting.Post, setting.PrivateKeyJWT, setting.Assertion),
			// Keycloak form-decodes what comes in a Basic header, as RFC 6749 §2.3.1 wants.
			setting.BasicEncoding("form"),
			setting.Grant("client_credentials"),
			setting.Scopes("engage:appointments:readOnly"),
			setting.AllowHosts(),
		})
}

// operations are Keycloak's standard ones, which Pexip does not document: their addresses come
// from the realm's discovery document and are not guessed. A public client that introspects
// is a 403 "Client not allowed.".
func operations() map[string]providers.Operation {
	all := providers.OpenID(errors())
	o := all[providers.Introspect]
	o.Errors = slices.Concat([]providers.Rule{{
		Status: 403, Code: "invalid_request", Text: "client not allowed",
		Reason: providers.ReasonCredentials, Hint: "the realm lets confidential clients introspect only",
	}}, o.Errors)
	all[providers.Introspect] = o
	return all
}

// errors are Keycloak's: a 404 means that the realm does not exist, and unauthorized_client is
// what a wrong secret gives, or a client that may not use the grant, which only the words tell
// apart.
func errors() []providers.Rule {
	off := providers.Rule{
		Text: "client disabled", Reason: providers.ReasonConfig, Message: "has that client, and it is switched off",
		Hint: "it is not the secret: have the client enabled in the realm, or check client_id in the profile",
	}
	return []providers.Rule{
		{
			Status: 404, Reason: providers.ReasonConfig,
			Hint: "the realm is the enterprise's name: check {account,environment,base_url} in the profile",
		},
		serviceAccounts(401), serviceAccounts(400), serviceAccounts(403),
		providers.GrantRefused(0, "unauthorized_client", "not allowed"),
		providers.GrantRefused(0, "unauthorized_client", "not enabled"),
		providers.GrantRefused(0, "unauthorized_client", "bearer-only"),
		off.For(0, "unauthorized_client"), off.For(0, "invalid_client"),
		{Status: 401, Code: "unauthorized_client", Reason: providers.ReasonCredentials, Client: true},
		{Code: "unauthorized_client", Text: "client credentials", Reason: providers.ReasonCredentials, Client: true},
		{
			Text: "realm not enabled", Reason: providers.ReasonConfig, Message: "has that realm, and it is switched off",
			Hint: "it is not the secret: ask who runs the realm, or check {account} in the profile",
		},
		{
			Status: 403, Code: "invalid_request", Reason: providers.ReasonConfig,
			Hint: "this realm takes https only: check {host} in the profile",
		},
	}
}

// serviceAccounts is Keycloak's word for a client that may not use the grant client_credentials.
func serviceAccounts(status int) providers.Rule {
	r := providers.GrantRefused(status, "", "retrieve service account")
	r.Hint = "it is not the secret: have service accounts enabled for client_id at the service"
	return r
}
