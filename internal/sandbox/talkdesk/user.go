package talkdesk

import (
	"net/http"
	"strings"

	"github.com/authctl/authctl/internal/sandbox/service"
)

// Who can sign in: Jane.
const (
	User     = "jane@acme.example"
	Password = service.Marker + "+talkdesk jane's %pass:word"
	userID   = "5f0c0de0cafe000000000101"
)

// signIn is GET /oauth/authorize (https://docs.talkdesk.com/reference/authorization-code-basic) with its page.
func signIn() service.SignIn {
	return service.SignIn{
		Path: "/oauth/sign-in", Mistaken: http.StatusBadRequest, Standard: []string{"openid"},
		Page: func(service.Authorization) service.Page {
			return service.Page{
				Brand: "Talkdesk", Accent: "#6a45e0", Hint: User + " with the password", Password: Password,
				Fields: []service.Field{
					{Name: "username", Label: "Email", Kind: "email", Autocomplete: "username"}, service.PasswordField(),
				},
			}
		},
		Enter: func(x *service.Exchange, _ service.Authorization) (user, problem string) {
			username := strings.TrimSpace(x.Form.Get("username"))
			if !strings.EqualFold(username, User) || x.Form.Get("password") != Password {
				return "", "The email or password is wrong."
			}
			return User, ""
		},
	}
}

// apiFailure is the API host's {code, message, description, fields}. Its page gives no codes: here they are the status
// in words (https://docs.talkdesk.com/reference/usersme).
func apiFailure(status int, _, text string) service.Reply {
	return apiError(status, http.StatusText(status), text)
}

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
			With("WWW-Authenticate", x.Challenge("Bearer", "error", "invalid_token"))
	case token.User == "":
		return apiError(http.StatusBadRequest, "no user context", "the access token belongs to no user")
	case !token.Has("openid"):
		return apiError(http.StatusForbidden, "Forbidden", "the access token lacks the scope openid").
			With("WWW-Authenticate", x.Challenge("Bearer", "error", "insufficient_scope", "scope", "openid"))
	}
	return service.OK(map[string]any{
		"id": userID, "sub": userID, "name": "Jane Doe", "email": token.User,
		"_links": map[string]any{"self": map[string]any{"href": x.Origin() + "/users/" + userID}},
	})
}
