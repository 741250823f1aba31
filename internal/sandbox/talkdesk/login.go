package talkdesk

import (
	"net/http"
	"slices"
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
		Path: "/oauth/sign-in", Mistaken: http.StatusBadRequest,
		Accept: func(x *service.Exchange, a *service.Authorization) *service.AuthorizeError {
			scopes, ok := scopes(x, a.Client, a.Scope, "openid")
			if !ok {
				return &service.AuthorizeError{Code: "invalid_scope", Text: "the requested scope is invalid or unknown"}
			}
			a.Scope = strings.Join(scopes, " ")
			return nil
		},
		Page: func(service.Authorization) service.Page {
			return service.Page{
				Brand: "Talkdesk", Accent: "#6a45e0", Hint: User + " with the password", Password: Password,
				Fields: []service.Field{
					{Name: "username", Label: "Email", Kind: "email", Autocomplete: "username"}, service.PasswordField(),
				},
			}
		},
		Enter: func(x *service.Exchange, a service.Authorization) (*service.Grant, string) {
			username := strings.TrimSpace(x.Form.Get("username"))
			if !strings.EqualFold(username, User) || x.Form.Get("password") != Password {
				return nil, "The email or password is wrong."
			}
			return &service.Grant{Client: a.Client.ID, User: User, Scope: a.Scope, SID: service.NewUUID()}, ""
		},
	}
}

// exchangeCode is the grant authorization_code. An ID token comes when openid was among the scopes of the
// authorization, and only here.
func exchangeCode(x *service.Exchange, c *service.Client) service.Reply {
	for _, name := range []string{"code", "redirect_uri"} {
		if x.Form.Get(name) == "" {
			return refusal(http.StatusBadRequest, "missing parameter: "+name)
		}
	}
	code, problem := x.Redeem(c)
	if problem != "" {
		return service.OAuthError(http.StatusBadRequest, "invalid_grant", problem)
	}
	rep := issue(x, code.Grant, x.Begin(code.Grant))
	if !slices.Contains(strings.Fields(code.Scope), "openid") {
		return rep
	}
	claims := x.Claims(x.Lifetime(lifetime), map[string]any{
		"iss": issuer, "aud": c.ID, "sub": userID, "sid": code.Grant.SID, "name": "Jane Doe", "email": User,
	})
	if code.Query.Has("nonce") { // OpenID Connect Core §3.1.2.1
		claims["nonce"] = code.Query.Get("nonce")
	}
	id := x.Signer.Sign(claims)
	x.Remember(code.Grant, id, service.IDToken, x.Lifetime(lifetime))
	rep.Fields["id_token"] = id
	return rep
}
