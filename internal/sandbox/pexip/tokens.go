package pexip

import (
	"maps"
	"net/http"
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
)

// tokens is Keycloak's token endpoint. It does not look at the address's query, and its default scopes come unasked.
func tokens() *service.Issuer {
	claims := func(typ string, aud func(*service.Grant) string) func(*service.Exchange, *service.Grant) map[string]any {
		return func(x *service.Exchange, g *service.Grant) map[string]any {
			return map[string]any{
				"iss": issuer(x), "aud": aud(g), "sub": account(g), "typ": typ, "azp": g.Client, "acr": "1",
				"realm_access": map[string]any{"roles": []string{"default-roles-" + realm, "offline_access"}},
				"scope":        g.Scope, "client_id": g.Client, "clientHost": "127.0.0.1", "clientAddress": "127.0.0.1",
				"preferred_username": account(g), "email_verified": false,
			}
		}
	}
	return &service.Issuer{
		Grants: []string{"client_credentials", "refresh_token"}, Lifetime: 300 * time.Second, Query: true,
		Standard: []string{"openid", "profile", "email"}, Unasked: []string{"profile", "email"},
		Claims:   claims("Bearer", func(*service.Grant) string { return "account" }),
		Identity: claims("ID", func(g *service.Grant) string { return g.Client }),
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
	if sent != "" && inForm != "" {
		return failure(http.StatusBadRequest, "", "More than one method used for including an access token")
	}
	t, ok := x.Access(sent + inForm)
	const invalid, unscoped = "Token verification failed", "Missing openid scope"
	switch {
	case sent+inForm == "":
		return service.Reply{Status: http.StatusUnauthorized}.With("WWW-Authenticate", x.Challenge("Bearer"))
	case !ok:
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

// posted reads the parameters of a POST, its client, and the one parameter that it is about. Missing is Keycloak's
// word for its absence.
func posted(x *service.Exchange, name, missing string) (c *service.Client, value string, refused *service.Reply) {
	refuse := func(status int, text string) (*service.Client, string, *service.Reply) {
		rep := failure(status, "", text)
		return nil, "", &rep
	}
	if x.Bad != nil {
		return refuse(x.Bad.Status, x.Bad.Text)
	}
	if c, refused = x.Authenticate(); refused != nil {
		return nil, "", refused
	}
	if value = x.Form.Get(name); value == "" {
		return refuse(http.StatusBadRequest, missing)
	}
	return c, value, nil
}

// introspect is RFC 7662 §2 with the errors of Keycloak's TokenIntrospectionEndpoint: a client that cannot be
// authenticated is an invalid_request.
func introspect(x *service.Exchange) service.Reply {
	if x.Bad != nil {
		return failure(x.Bad.Status, "", x.Bad.Text)
	}
	c, refused := x.Authenticate()
	token := x.Form.Get("token")
	t, ok := x.Find(token)
	switch {
	case refused != nil:
		return failure(http.StatusUnauthorized, "", "Authentication failed.")
	case c.Public:
		return failure(http.StatusForbidden, "", "Client not allowed.")
	case token == "":
		return failure(http.StatusBadRequest, "", "Token not provided.")
	case !ok:
		return service.OK(map[string]any{"active": false})
	}
	fields := map[string]any{"typ": "Refresh", "scope": t.Scope, "sub": account(t.Grant)}
	if t.Kind != service.RefreshToken {
		fields = service.ClaimsOf(token) // known by its whole text
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
