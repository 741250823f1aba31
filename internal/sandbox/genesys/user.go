package genesys

import (
	"net/http"

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

// unauthorized is the 401 for a token that is missing, ended or not known.
func unauthorized() service.Reply {
	return refusal(http.StatusUnauthorized, "Unauthorized").
		With("WWW-Authenticate", `Bearer realm="genesys", error="invalid_token"`)
}

func authorities(t service.Token) []any {
	name, privileges := "ROLE_AGENT", []any{"PRIVILEGE_VOICE", "PRIVILEGE_EMAIL"}
	if t.User == "" {
		name, privileges = "ROLE_SERVICE", []any{}
	}
	return []any{map[string]any{"name": name, "privileges": privileges}}
}

// userInfo is GET /userinfo: the page's CloudUserDetails. What has to do with Configuration Server or a contact center
// is absent for a client's own token.
func userInfo(x *service.Exchange) service.Reply {
	t, ok := x.Caller()
	if !ok {
		return unauthorized()
	}
	fields := map[string]any{
		"authorities": authorities(t), "properties": map[string]any{}, "username": t.Client,
		"environmentId": environment,
	}
	if t.User != "" {
		fields["username"] = "jane_101_" + contactCenter
		fields["cmeUserName"], fields["loginName"] = "jane", "jane"
		fields["contactCenterId"], fields["dbid"] = contactCenter, dbid
	}
	return service.OK(fields)
}

// openIDUserInfo is GET /openid/userinfo: the page's OpenIdUserInfo. Eight claims are there "if user authenticated
// with openid scope", though * is the only scope there is: the sandbox takes every user's token for one that has it.
func openIDUserInfo(x *service.Exchange) service.Reply {
	t, ok := x.Caller()
	if !ok {
		return unauthorized()
	}
	return service.OK(openIDClaims(t))
}

func openIDClaims(t service.Token) map[string]any {
	claims := map[string]any{"authorities": authorities(t), "properties": map[string]any{}}
	if t.User == "" {
		return claims
	}
	claims["aud"], claims["sub"] = t.Client, subject
	claims["contact_center_id"], claims["environment_id"] = contactCenter, environment
	claims["given_name"], claims["family_name"] = "Jane", "Doe"
	claims["email"], claims["user_name"] = "jane@acme.example", "jane"
	claims["dbid"] = dbid
	return claims
}

// jwtUserInfo is GET /jwt-userinfo: the claims as a JWT in a header of the reply. The API's page says neither what
// signs it nor what is in it, and lists no error.
func jwtUserInfo(x *service.Exchange) service.Reply {
	t, ok := x.Caller()
	if !ok {
		return unauthorized()
	}
	claims := openIDClaims(t)
	claims["client_id"] = t.Client
	claims["iat"], claims["exp"] = x.Now.Unix(), t.Expires.Unix()
	signed := x.Signer.Sign(claims)
	x.Secrets.Add(signed)
	return apiResponse(x).With("X-Gws-User", signed)
}

// ping is GET /ping: 200 when the bearer token is good, otherwise 403. The page names no header; the service itself
// may look at a login cookie, which a lenient sandbox takes too.
func (g *api) ping(x *service.Exchange) service.Reply {
	if _, ok := x.Caller(); !ok && (!g.lenient || !g.account.knows(x.Request)) {
		return statusError(http.StatusForbidden, 403, "Forbidden")
	}
	return apiResponse(x)
}
