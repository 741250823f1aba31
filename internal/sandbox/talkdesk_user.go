package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// talkdeskAPI is Talkdesk's API host, as far as it tells who a token speaks for
// (https://docs.talkdesk.com/reference/usersme). Its errors have another shape
// than those of the identity host.
type talkdeskAPI struct{ *talkdesk }

func (talkdeskAPI) owns(path string) bool { return strings.HasPrefix(path, "/users/") }

// refusal is {code, message, description, fields}. The page gives no codes: here
// they are the status in words.
func (talkdeskAPI) refusal(status int, text string) reply {
	return talkdeskAPIError(status, http.StatusText(status), text)
}

func talkdeskAPIError(status int, message, description string) reply {
	code := strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
	return reply{status: status, fields: map[string]any{
		"code": code, "message": message, "description": description, "fields": []any{},
	}}
}

func (t talkdeskAPI) serve(x *exchange) reply {
	switch {
	case x.r.URL.Path != "/users/me":
		return t.refusal(http.StatusNotFound, "the resource does not exist")
	case x.r.Method != http.MethodGet:
		return t.refusal(http.StatusMethodNotAllowed, "method not allowed").with("Allow", http.MethodGet)
	}
	return t.me(x)
}

// me is GET /users/me. A client's own token has no user, whatever its scopes.
func (t talkdeskAPI) me(x *exchange) reply {
	token, ok := x.caller()
	switch {
	case !ok:
		return t.refusal(http.StatusUnauthorized, "the access token is missing, invalid or expired").
			with("WWW-Authenticate", `Bearer realm="talkdesk", error="invalid_token"`)
	case token.user == "":
		return talkdeskAPIError(http.StatusBadRequest, "no user context", "the access token belongs to no user")
	case !slices.Contains(strings.Fields(token.scope), "openid"):
		return t.refusal(http.StatusForbidden, "the access token lacks the scope openid").
			with("WWW-Authenticate", `Bearer realm="talkdesk", error="insufficient_scope", scope="openid"`)
	}
	return reply{status: http.StatusOK, fields: map[string]any{
		"id": talkdeskUserID, "sub": talkdeskUserID, "name": "Jane Doe", "email": token.user,
		"_links": map[string]any{"self": map[string]any{"href": x.origin() + "/users/" + talkdeskUserID}},
	}}
}
