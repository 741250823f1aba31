package pexip

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
)

// token is RFC 6749 §3.2 in Keycloak's order: parameters, client, grant. Parameters in the query string are not looked
// at.
func (s signers) token(x *service.Exchange) service.Reply {
	if x.Bad != nil {
		return refusal(x.Bad.Status, x.Bad.Text)
	}
	kind := x.Form.Get("grant_type")
	switch kind {
	case "":
		return refusal(http.StatusBadRequest, "Missing form parameter: grant_type")
	case "client_credentials", "refresh_token":
	default:
		return service.OAuthError(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant_type")
	}
	c, refused := client(x)
	if refused != nil {
		return *refused
	}
	if kind == "refresh_token" {
		given, next, ok := x.Refresh(c)
		if !ok {
			return service.OAuthError(http.StatusBadRequest, "invalid_grant", "Invalid refresh token")
		}
		return s.issue(x, given, next)
	}
	if c.Public {
		return service.OAuthError(http.StatusUnauthorized, "unauthorized_client",
			"Client not enabled to retrieve service account")
	}
	requested := x.Form.Get("scope")
	scopes, ok := x.Granted(c, requested, standardScopes()...)
	if !ok {
		return service.OAuthError(http.StatusBadRequest, "invalid_scope", "Invalid scopes: "+requested)
	}
	given, refresh := x.ForClient(c, withDefaults(scopes)...)
	return s.issue(x, given, refresh)
}

// withDefaults adds the default scopes, which come unasked.
func withDefaults(scopes []string) []string {
	for _, scope := range []string{"profile", "email"} {
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// issue answers with a Keycloak token reply.
func (s signers) issue(x *service.Exchange, g *service.Grant, refresh string) service.Reply {
	lifetime, signer := x.Lifetime(lifetime), s.of(g.Client)
	rep := x.Issue(g, signer.Sign(claims(x, g, "Bearer", "account", lifetime)), "Bearer", lifetime, refresh)
	rep.Fields["refresh_expires_in"] = 0
	if refresh != "" {
		rep.Fields["refresh_expires_in"] = 1800
	}
	rep.Fields["not-before-policy"] = 0
	rep.Fields["scope"] = g.Scope
	if slices.Contains(strings.Fields(g.Scope), "openid") {
		id := signer.Sign(claims(x, g, "ID", g.Client, lifetime))
		x.Remember(g, id, service.IDToken, lifetime)
		rep.Fields["id_token"] = id
	}
	return rep
}

// claims are those of a service account's token.
func claims(x *service.Exchange, g *service.Grant, typ, aud string, lifetime time.Duration) map[string]any {
	return x.Claims(lifetime, map[string]any{
		"iss": issuer(x), "aud": aud, "sub": account(g), "typ": typ, "azp": g.Client, "acr": "1", "scope": g.Scope,
		"realm_access":       map[string]any{"roles": []string{"default-roles-" + realm, "offline_access"}},
		"client_id":          g.Client,
		"clientHost":         "127.0.0.1",
		"clientAddress":      "127.0.0.1",
		"preferred_username": account(g),
		"email_verified":     false,
	})
}

// account is the service account that a client's tokens speak for.
func account(g *service.Grant) string { return "service-account-" + g.Client }
