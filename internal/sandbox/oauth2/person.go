package oauth2

import (
	"maps"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/sandbox/service"
)

// Who can sign in: Jane.
const (
	User     = "jane"
	Password = service.Marker + "+oauth2 jane's %pass:word"
	email    = "jane@acme.example"
	userID   = "8b1f0000-0000-4000-8000-0a0000000001"
)

// isUser reports whether a name is Jane's.
func isUser(name string) bool {
	return slices.Contains([]string{User, email}, strings.ToLower(strings.TrimSpace(name))) || name == userID
}

// typed is whose name and password a form has, empty when they are nobody's.
func typed(x *service.Exchange) string {
	if !isUser(x.Form.Get("username")) || x.Form.Get("password") != Password {
		return ""
	}
	return User
}

// profile are the claims about a user that the scopes give (OpenID Connect Core §5.4).
func profile(g *service.Grant) map[string]any {
	claims := map[string]any{"sub": userID}
	if g.Has("profile") {
		maps.Copy(claims, map[string]any{
			"name": "Jane Doe", "given_name": "Jane", "family_name": "Doe", "preferred_username": User,
		})
	}
	if g.Has("email") {
		maps.Copy(claims, map[string]any{"email": email, "email_verified": true})
	}
	return claims
}

// pageOf is the look of the issuer's pages.
func pageOf() service.Page {
	return service.Page{
		Brand: "OAuth 2.0", Accent: "#0b6e75", Hint: "Username " + User + " with the password", Password: Password,
		Fields: []service.Field{{Name: "username", Label: "Username", Kind: "text", Autocomplete: "username"}},
	}
}

// signIn is the authorization endpoint with its page.
func signIn() service.SignIn {
	return service.SignIn{
		Path: path + "/sign-in", Mistaken: 400, Standard: userScopes(), Issuer: name, Challenged: true,
		Page: func(service.Authorization) service.Page { return pageOf() },
		Enter: func(x *service.Exchange, _ service.Authorization) (user, problem string) {
			if user = typed(x); user == "" {
				problem = "The username or password is wrong."
			}
			return user, problem
		},
	}
}
