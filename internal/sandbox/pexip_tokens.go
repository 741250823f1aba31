package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// userInfo is GET and POST …/userinfo (OpenID Connect Core §5.3). POST takes the
// token from the header or the form, but not from both (RFC 6750 §2).
func (p *pexip) userInfo(x *exchange) reply {
	token := bearer(x.r.Header)
	if inForm := x.form.Get("access_token"); inForm != "" {
		if token != "" {
			return p.refusal(http.StatusBadRequest, "More than one method used for including an access token")
		}
		token = inForm
	}
	challenge := func(code, text string) string {
		return fmt.Sprintf("Bearer realm=%q, error=%q, error_description=%q", pexipRealm, code, text)
	}
	if token == "" {
		return reply{status: http.StatusUnauthorized}.
			with("WWW-Authenticate", fmt.Sprintf("Bearer realm=%q", pexipRealm))
	}
	t, ok := x.accessOf(token)
	if !ok {
		const text = "Token verification failed"
		return oauthError(http.StatusUnauthorized, "invalid_token", text).
			with("WWW-Authenticate", challenge("invalid_token", text))
	}
	if !slices.Contains(strings.Fields(t.scope), "openid") {
		// Nothing but the header says why.
		return reply{status: http.StatusForbidden}.
			with("WWW-Authenticate", challenge("insufficient_scope", "Missing openid scope"))
	}
	return reply{status: http.StatusOK, fields: map[string]any{
		"sub":                "service-account-" + t.client,
		"preferred_username": "service-account-" + t.client,
		"email_verified":     false,
	}}
}

// introspect is RFC 7662 §2 with the errors of Keycloak's
// TokenIntrospectionEndpoint: a client that cannot be authenticated is an
// invalid_request.
func (p *pexip) introspect(x *exchange) reply {
	if x.bad != nil {
		return p.refusal(x.bad.status, x.bad.text)
	}
	c, refused := p.client(x)
	if refused != nil {
		return oauthError(http.StatusUnauthorized, "invalid_request", "Authentication failed.")
	}
	if c.public {
		return oauthError(http.StatusForbidden, "invalid_request", "Client not allowed.")
	}
	token := x.form.Get("token")
	if token == "" {
		return oauthError(http.StatusBadRequest, "invalid_request", "Token not provided.")
	}
	t, ok := x.s.tokens.find(p.name(), token, x.now)
	if !ok {
		return reply{status: http.StatusOK, fields: map[string]any{"active": false}}
	}
	fields := map[string]any{"typ": "Refresh", "scope": t.scope, "sub": "service-account-" + t.client}
	if t.kind != refreshToken {
		claims, err := unverifiedClaims(token) // known by its whole text
		if err != nil {
			return p.refusal(http.StatusInternalServerError, "")
		}
		fields = claims
		fields["token_type"] = "Bearer"
	}
	maps.Copy(fields, map[string]any{
		"active": true, "client_id": t.client, "username": "service-account-" + t.client,
	})
	return reply{status: http.StatusOK, fields: fields}
}

// revoke is RFC 7009 §2 with the replies of Keycloak's TokenRevocationEndpoint.
// A token that is not good is told in a 200; an access token ends alone, a
// refresh token with all that was issued with it.
func (p *pexip) revoke(x *exchange) reply {
	if x.bad != nil {
		return p.refusal(x.bad.status, x.bad.text)
	}
	c, refused := p.client(x)
	if refused != nil {
		return *refused
	}
	token := x.form.Get("token")
	if token == "" {
		return p.refusal(http.StatusBadRequest, "Token not provided")
	}
	t, ok := x.s.tokens.find(p.name(), token, x.now)
	switch {
	case !ok:
		return oauthError(http.StatusOK, "invalid_token", "Invalid token")
	case t.kind == idToken:
		return oauthError(http.StatusBadRequest, "unsupported_token_type", "Unsupported token type")
	case t.client != c.id:
		return p.refusal(http.StatusBadRequest, "Unmatching clients")
	}
	x.s.tokens.forget(token)
	return reply{status: http.StatusOK}
}

// logout is POST …/logout with a refresh token, Keycloak's own way to end a
// session without a browser.
func (p *pexip) logout(x *exchange) reply {
	if x.bad != nil {
		return p.refusal(x.bad.status, x.bad.text)
	}
	c, refused := p.client(x)
	if refused != nil {
		return *refused
	}
	token := x.form.Get("refresh_token")
	if token == "" {
		return p.refusal(http.StatusBadRequest, "No refresh token")
	}
	t, ok := x.s.tokens.find(p.name(), token, x.now)
	if !ok || t.kind != refreshToken || t.client != c.id {
		return oauthError(http.StatusBadRequest, "invalid_grant", "Invalid refresh token")
	}
	x.s.tokens.end(t.grant)
	return reply{status: http.StatusNoContent}
}
