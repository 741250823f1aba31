package genesys

import (
	"maps"

	"github.com/authctl/authctl/internal/sandbox/service"
)

// What the sandbox's one user is at Genesys.
const (
	dbid          = 101
	contactCenter = "7c5d0a3e-0000-4000-8000-5a6dbc0c0001"
	environment   = "7c5d0a3e-0000-4000-8000-5a6dbc0e0001"
	subject       = "7c5d0a3e-0000-4000-8000-5a6dbc050001"
)

// apiResponse is the API's ApiResponse for a success: status code 0.
func apiResponse(x *service.Exchange) service.Reply {
	return service.OK(map[string]any{
		"status": map[string]any{"code": 0, "message": "OK", "detail": map[string]any{}},
		"data":   map[string]any{},
		"errors": []any{},
		"path":   x.Request.URL.Path,
	})
}

// details are what two views share; of a user there are more.
func details(t service.Token, users, others map[string]any) map[string]any {
	name, privileges := "ROLE_AGENT", []any{"PRIVILEGE_VOICE", "PRIVILEGE_EMAIL"}
	if t.User == "" {
		name, privileges, users = "ROLE_SERVICE", []any{}, others
	}
	fields := map[string]any{
		"authorities": []any{map[string]any{"name": name, "privileges": privileges}}, "properties": map[string]any{},
	}
	maps.Copy(fields, users)
	return fields
}

// userInfo is GET /userinfo: the page's CloudUserDetails. What has to do with Configuration Server or a contact center
// is absent for a client's own token.
func userInfo(_ *service.Exchange, t service.Token) service.Reply {
	return service.OK(details(t, map[string]any{
		"username": "jane_101_" + contactCenter, "environmentId": environment, "contactCenterId": contactCenter,
		"cmeUserName": User, "loginName": User, "dbid": dbid,
	}, map[string]any{"username": t.Client, "environmentId": environment}))
}

// openIDUserInfo is GET /openid/userinfo: the page's OpenIdUserInfo. Eight claims are there "if user authenticated
// with openid scope", though * is the only scope there is: the sandbox takes every user's token for one that has it.
func openIDUserInfo(_ *service.Exchange, t service.Token) service.Reply {
	return service.OK(openIDClaims(t))
}

func openIDClaims(t service.Token) map[string]any {
	return details(t, map[string]any{
		"aud": t.Client, "sub": subject, "contact_center_id": contactCenter, "environment_id": environment,
		"given_name": "Jane", "family_name": "Doe", "email": "jane@acme.example", "user_name": User, "dbid": dbid,
	}, nil)
}

// jwtUserInfo is GET /jwt-userinfo: the claims as a JWT in a header of the reply. The API's page says neither what
// signs it nor what is in it, and lists no error.
func jwtUserInfo(x *service.Exchange, t service.Token) service.Reply {
	claims := openIDClaims(t)
	claims["client_id"], claims["iat"], claims["exp"] = t.Client, x.Now.Unix(), t.Expires.Unix()
	signed := x.Signer.Sign(claims)
	x.Secrets.Add(signed)
	return apiResponse(x).With("X-Gws-User", signed)
}
