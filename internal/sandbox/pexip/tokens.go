package pexip

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/sandbox/service"
)

// userInfo is GET and POST …/userinfo (OpenID Connect Core §5.3). POST takes the token from the header or the form,
// but not from both (RFC 6750 §2).
func userInfo(x *service.Exchange) service.Reply {
	token := service.Bearer(x.Request.Header)
	if inForm := x.Form.Get("access_token"); inForm != "" {
		if token != "" {
			return refusal(http.StatusBadRequest, "More than one method used for including an access token")
		}
		token = inForm
	}
	challenge := func(code, text string) string {
		return fmt.Sprintf("Bearer realm=%q, error=%q, error_description=%q", realm, code, text)
	}
	if token == "" {
		return service.Reply{Status: http.StatusUnauthorized}.
			With("WWW-Authenticate", fmt.Sprintf("Bearer realm=%q", realm))
	}
	t, ok := x.Access(token)
	if !ok {
		const text = "Token verification failed"
		return service.OAuthError(http.StatusUnauthorized, "invalid_token", text).
			With("WWW-Authenticate", challenge("invalid_token", text))
	}
	if !slices.Contains(strings.Fields(t.Scope), "openid") {
		// Nothing but the header says why.
		return service.Reply{Status: http.StatusForbidden}.
			With("WWW-Authenticate", challenge("insufficient_scope", "Missing openid scope"))
	}
	return service.OK(map[string]any{
		"sub": account(t.Grant), "preferred_username": account(t.Grant), "email_verified": false,
	})
}

// introspect is RFC 7662 §2 with the errors of Keycloak's TokenIntrospectionEndpoint: a client that cannot be
// authenticated is an invalid_request.
func introspect(x *service.Exchange) service.Reply {
	if x.Bad != nil {
		return refusal(x.Bad.Status, x.Bad.Text)
	}
	c, refused := client(x)
	token := x.Form.Get("token")
	switch {
	case refused != nil:
		return refusal(http.StatusUnauthorized, "Authentication failed.")
	case c.Public:
		return refusal(http.StatusForbidden, "Client not allowed.")
	case token == "":
		return refusal(http.StatusBadRequest, "Token not provided.")
	}
	t, ok := x.Find(token)
	if !ok {
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
		return service.OAuthError(http.StatusOK, "invalid_token", "Invalid token")
	case t.Kind == service.IDToken:
		return service.OAuthError(http.StatusBadRequest, "unsupported_token_type", "Unsupported token type")
	case t.Client != c.ID:
		return refusal(http.StatusBadRequest, "Unmatching clients")
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
		return service.OAuthError(http.StatusBadRequest, "invalid_grant", "Invalid refresh token")
	}
	x.End(t.Grant)
	return service.Reply{Status: http.StatusNoContent}
}
