package talkdesk

import (
	"net/http"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/sandbox/service"
)

// api is Talkdesk's API host, as far as it tells who a token speaks for (https://docs.talkdesk.com/reference/usersme).
// Its errors have another shape than those of the identity host.
func api() service.Host {
	return service.Host{
		Prefix:    "/users/",
		Endpoints: service.Endpoints(map[string]service.Endpoint{"GET /users/me": me}),
		Refuse: func(status int, text string) service.Reply {
			return apiError(status, http.StatusText(status), text)
		},
	}
}

// apiError is {code, message, description, fields}. The page gives no codes: here they are the status in words.
func apiError(status int, message, description string) service.Reply {
	code := strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
	return service.Reply{Status: status, Fields: map[string]any{
		"code": code, "message": message, "description": description, "fields": []any{},
	}}
}

// me is GET /users/me. A client's own token has no user, whatever its scopes.
func me(x *service.Exchange) service.Reply {
	token, ok := x.Caller()
	switch {
	case !ok:
		return apiError(http.StatusUnauthorized, "Unauthorized", "the access token is missing, invalid or expired").
			With("WWW-Authenticate", `Bearer realm="talkdesk", error="invalid_token"`)
	case token.User == "":
		return apiError(http.StatusBadRequest, "no user context", "the access token belongs to no user")
	case !slices.Contains(strings.Fields(token.Scope), "openid"):
		return apiError(http.StatusForbidden, "Forbidden", "the access token lacks the scope openid").
			With("WWW-Authenticate", `Bearer realm="talkdesk", error="insufficient_scope", scope="openid"`)
	}
	return service.OK(map[string]any{
		"id": userID, "sub": userID, "name": "Jane Doe", "email": token.User,
		"_links": map[string]any{"self": map[string]any{"href": x.Origin() + "/users/" + userID}},
	})
}
