// Package pexip emulates the Keycloak realm of one enterprise, as Pexip Engage's page
// (https://developer.pexipengage.com/staging/authentication) and Keycloak's sources describe it.
package pexip

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
)

const (
	realm = "acme"
	// openID is where the endpoints of the realm are.
	openID = "/realms/" + realm + "/protocol/openid-connect/"
)

// New makes the service.
func New() *service.Service {
	return service.New(service.Service{
		Name: "pexip", Realm: realm, FormBasic: true, FormSecret: true, Scopes: allScopes(),
		Clients: []service.Client{
			{ID: "sandbox-pexip", Secret: service.Marker + "+pexip/100%:é secret"},
			{ID: "sandbox-pexip-jwt", Keyed: true},
			{ID: "sandbox-pexip-public", Public: true},
			{ID: "sandbox-pexip-easy", Secret: service.Marker + "-pexip-easy", RSA: true},
		},
		Assertions: service.AssertionRules{
			Age: time.Minute,
			Audience: func(x *service.Exchange) []string {
				token := x.Origin() + openID + "token"
				return []string{issuer(x), token, token + "/introspect"}
			},
		},
		// As Keycloak's ClientIdAndSecretAuthenticator and its grant types say it.
		Words: map[service.Problem]service.Problem{
			service.Missing:       "400 invalid_request Missing form parameter: %s",
			service.OtherGrant:    "400 unsupported_grant_type Unsupported grant_type",
			service.ForbidGrant:   "401 unauthorized_client Client not enabled to retrieve service account",
			service.NoClient:      "400 invalid_client Missing client_id parameter",
			service.UnknownClient: "401 invalid_client Invalid client or Invalid client credentials",
			service.BadClient:     "401 unauthorized_client Invalid client or Invalid client credentials",
			service.OddBasic:      "401",
			service.BadAssertion:  "400 invalid_client %s",
			service.BadScope:      "400 invalid_scope Invalid scopes: %s",
		},
		Settings: map[string]string{"account": realm},
		Profiles: []service.Profile{
			{Name: "pexip", Client: "sandbox-pexip", Scopes: []string{"engage:appointments:readOnly"}},
			{Name: "pexip-jwt", Client: "sandbox-pexip-jwt"},
			{Name: "pexip-openid", Client: "sandbox-pexip", Scopes: []string{"openid"}},
			{Name: "pexip-easy", Client: "sandbox-pexip-easy"},
		},
		Hosts: []service.Host{{
			Prefix: "/realms/", Admit: admit, Error: failure,
			Endpoints: map[string]service.Endpoint{
				"GET /realms/" + realm + "/.well-known/openid-configuration": discovery,

				"GET " + openID + "certs":             service.KeySet,
				"POST " + openID + "token":            tokens().Answer,
				"GET " + openID + "userinfo":          userInfo,
				"POST " + openID + "userinfo":         userInfo,
				"POST " + openID + "token/introspect": introspect,
				"POST " + openID + "revoke":           revoke,
				"POST " + openID + "logout":           logout,
			},
		}},
	})
}

// allScopes are the page's 36.
func allScopes() []string {
	var scopes []string
	for resource := range strings.FieldsSeq(`appointments availability callbackRequests customers employees
		expertises externalCalendars favoriteAgents forms leadSegments listings offices regions settings
		subjects templates translations webhooks`) {
		scopes = append(scopes, "engage:"+resource+":readOnly", "engage:"+resource+":readWrite")
	}
	return scopes
}

// failure is Keycloak's error of a path, a method, a media type, or of the server.
func failure(status int, code, text string) service.Reply {
	switch {
	case code != "":
	case status >= http.StatusInternalServerError:
		code, text = "unknown_error", "For more on this error consult the server log."
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status == http.StatusUnsupportedMediaType:
		code, text = fmt.Sprintf("HTTP %d %s", status, http.StatusText(status)), ""
	default:
		code = "invalid_request"
	}
	return service.OAuthError(status, code, text)
}

// admit refuses other realms. The escaped path: an enterprise may hold a slash that is not a separator.
func admit(x *service.Exchange) *service.Reply {
	escaped, _, _ := strings.Cut(strings.TrimPrefix(x.Request.URL.EscapedPath(), "/realms/"), "/")
	if name, err := url.PathUnescape(escaped); err == nil && name == realm {
		return nil
	}
	return new(service.OAuthError(http.StatusNotFound, "Realm does not exist", ""))
}

// issuer is the realm's name as seen from where the request came in.
func issuer(x *service.Exchange) string { return x.Origin() + "/realms/" + realm }

// tokens is Keycloak's token endpoint. It does not look at the address's query, and its default scopes come unasked.
func tokens() *service.Issuer {
	claims := func(x *service.Exchange, g *service.Grant) map[string]any {
		return map[string]any{
			"iss": issuer(x), "aud": "account", "sub": account(g), "typ": service.AccessToken, "azp": g.Client, "acr": "1",
			"realm_access": map[string]any{"roles": []string{"default-roles-" + realm, "offline_access"}},
			"scope":        g.Scope, "client_id": g.Client, "clientHost": "127.0.0.1", "clientAddress": "127.0.0.1",
			"preferred_username": account(g), "email_verified": false,
		}
	}
	return &service.Issuer{
		Grants: []string{"client_credentials", "refresh_token"}, Lifetime: 300 * time.Second, Query: true,
		Standard: []string{"openid", "profile", "email"}, Unasked: []string{"profile", "email"},
		Claims: claims,
		Identity: func(x *service.Exchange, g *service.Grant, _ string) map[string]any {
			id := claims(x, g)
			id["typ"], id["aud"] = service.IDToken, g.Client
			return id
		},
		Complete: func(_ *service.Exchange, _ *service.Grant, rep *service.Reply) {
			rep.Fields["not-before-policy"], rep.Fields["refresh_expires_in"] = 0, 0
			if rep.Fields["refresh_token"] != nil {
				rep.Fields["refresh_expires_in"] = 1800
			}
		},
	}
}

// account is the service account that a client's tokens speak for.
func account(g *service.Grant) string { return "service-account-" + g.Client }

// userInfo is GET and POST …/userinfo (OpenID Connect Core §5.3). POST takes the token from the header or the form,
// but not from both (RFC 6750 §2).
func userInfo(x *service.Exchange) service.Reply {
	sent, inForm := service.Bearer(x.Request.Header), x.Form.Get("access_token")
	t, ok := x.Find(sent + inForm)
	const invalid, unscoped = "Token verification failed", "Missing openid scope"
	switch {
	case sent != "" && inForm != "":
		return failure(http.StatusBadRequest, "", "More than one method used for including an access token")
	case sent+inForm == "":
		return service.Reply{Status: http.StatusUnauthorized}.With("WWW-Authenticate", x.Challenge("Bearer"))
	case !ok || t.Kind != service.AccessToken:
		return failure(http.StatusUnauthorized, "invalid_token", invalid).
			With("WWW-Authenticate", x.Challenge("Bearer", "error", "invalid_token", "error_description", invalid))
	case !t.Has("openid"): // nothing but the header says why
		return service.Reply{Status: http.StatusForbidden}.
			With("WWW-Authenticate", x.Challenge("Bearer", "error", "insufficient_scope", "error_description", unscoped))
	}
	return service.OK(map[string]any{
		"sub": account(t.Grant), "preferred_username": account(t.Grant), "email_verified": false,
	})
}

// posted reads the client of a POST and the one parameter that it is about. Missing is Keycloak's word for its absence.
func posted(x *service.Exchange, name, missing string) (c *service.Client, value string, refused *service.Reply) {
	if x.Bad != "" {
		return nil, "", x.Refuse(x.Bad, "")
	}
	c, refused = x.Authenticate()
	if value = x.Form.Get(name); value == "" && refused == nil {
		refused = new(failure(http.StatusBadRequest, "", missing))
	}
	return c, value, refused
}

// introspect is RFC 7662 §2 with the errors of Keycloak's TokenIntrospectionEndpoint: a client that cannot be
// authenticated is an invalid_request.
func introspect(x *service.Exchange) service.Reply {
	c, token, refused := posted(x, "token", "Token not provided.")
	t, ok := x.Find(token)
	switch {
	case x.Bad == "" && c == nil:
		return failure(http.StatusUnauthorized, "", "Authentication failed.")
	case c != nil && c.Public:
		return failure(http.StatusForbidden, "", "Client not allowed.")
	case refused != nil:
		return *refused
	case !ok:
		return service.OK(map[string]any{"active": false})
	}
	fields := map[string]any{"typ": t.Kind, "scope": t.Scope, "sub": account(t.Grant)}
	if t.Kind != service.RefreshToken {
		fields = maps.Clone(t.Claims)
		fields["token_type"] = "Bearer"
	}
	maps.Copy(fields, map[string]any{"active": true, "client_id": t.Client, "username": account(t.Grant)})
	return service.OK(fields)
}

// revoke is RFC 7009 §2 with the replies of Keycloak's TokenRevocationEndpoint. A token that is not good is told in a
// 200; an access token ends alone, a refresh token with all that was issued with it.
func revoke(x *service.Exchange) service.Reply {
	c, token, refused := posted(x, "token", "Token not provided")
	if refused != nil {
		return *refused
	}
	t, ok := x.Find(token)
	switch {
	case !ok:
		return failure(http.StatusOK, "invalid_token", "Invalid token")
	case t.Kind == service.IDToken:
		return failure(http.StatusBadRequest, "unsupported_token_type", "Unsupported token type")
	case t.Client != c.ID:
		return failure(http.StatusBadRequest, "", "Unmatching clients")
	}
	x.Forget(token)
	return service.Reply{Status: http.StatusOK}
}

// logout is POST …/logout with a refresh token, Keycloak's own way to end a session without a browser.
func logout(x *service.Exchange) service.Reply {
	c, token, refused := posted(x, "refresh_token", "No refresh token")
	if refused != nil {
		return *refused
	}
	t, ok := x.Find(token)
	if !ok || t.Kind != service.RefreshToken || t.Client != c.ID {
		return *x.Refuse(service.BadRefresh, "")
	}
	x.End(t.Grant, false)
	return service.Reply{Status: http.StatusNoContent}
}

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
		methods := []string{"private_key_jwt", "client_secret_basic", "client_secret_post"}
		fields[endpoint+"_endpoint_auth_methods_supported"] = methods
		fields[endpoint+"_endpoint_auth_signing_alg_values_supported"] = []string{"ES256", "RS256"}
	}
	return service.OK(fields)
}
