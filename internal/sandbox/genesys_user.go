package sandbox

import "net/http"

// What the sandbox's one user is at Genesys.
const (
	genesysDBID          = 101
	genesysContactCenter = "7c5d0a3e-0000-4000-8000-5a6dbc0c0001"
	genesysEnvironment   = "7c5d0a3e-0000-4000-8000-5a6dbc0e0001"
	genesysSubject       = "7c5d0a3e-0000-4000-8000-5a6dbc050001"
)

// apiResponse is the API's ApiResponse for a success: status code 0.
func (*genesys) apiResponse(x *exchange) reply {
	return reply{status: http.StatusOK, fields: map[string]any{
		"status": map[string]any{"code": 0, "message": "OK", "detail": map[string]any{}},
		"data":   map[string]any{},
		"errors": []any{},
		"path":   x.r.URL.Path,
	}}
}

// unauthorized is the 401 for a token that is missing, ended or not known.
func (g *genesys) unauthorized() reply {
	return g.refusal(http.StatusUnauthorized, "Unauthorized").
		with("WWW-Authenticate", `Bearer realm="genesys", error="invalid_token"`)
}

func (*genesys) authorities(t issuedToken) []any {
	name, privileges := "ROLE_AGENT", []any{"PRIVILEGE_VOICE", "PRIVILEGE_EMAIL"}
	if t.user == "" {
		name, privileges = "ROLE_SERVICE", []any{}
	}
	return []any{map[string]any{"name": name, "privileges": privileges}}
}

// userInfo is GET /userinfo: the page's CloudUserDetails. What has to do with
// Configuration Server or a contact center is absent for a client's own token.
func (g *genesys) userInfo(x *exchange) reply {
	t, ok := x.caller()
	if !ok {
		return g.unauthorized()
	}
	fields := map[string]any{
		"authorities": g.authorities(t), "properties": map[string]any{}, "username": t.client,
		"environmentId": genesysEnvironment,
	}
	if t.user != "" {
		fields["username"] = "jane_101_" + genesysContactCenter
		fields["cmeUserName"], fields["loginName"] = "jane", "jane"
		fields["contactCenterId"], fields["dbid"] = genesysContactCenter, genesysDBID
	}
	return reply{status: http.StatusOK, fields: fields}
}

// openIDUserInfo is GET /openid/userinfo: the page's OpenIdUserInfo. Eight claims
// are there "if user authenticated with openid scope", though * is the only
// scope there is: the sandbox takes every user's token for one that has it.
func (g *genesys) openIDUserInfo(x *exchange) reply {
	t, ok := x.caller()
	if !ok {
		return g.unauthorized()
	}
	return reply{status: http.StatusOK, fields: g.openIDClaims(t)}
}

func (g *genesys) openIDClaims(t issuedToken) map[string]any {
	claims := map[string]any{"authorities": g.authorities(t), "properties": map[string]any{}}
	if t.user == "" {
		return claims
	}
	claims["aud"], claims["sub"] = t.client, genesysSubject
	claims["contact_center_id"], claims["environment_id"] = genesysContactCenter, genesysEnvironment
	claims["given_name"], claims["family_name"] = "Jane", "Doe"
	claims["email"], claims["user_name"] = "jane@acme.example", "jane"
	claims["dbid"] = genesysDBID
	return claims
}

// jwtUserInfo is GET /jwt-userinfo: the claims as a JWT in a header of the reply.
// The API's page says neither what signs it nor what is in it, and lists no error.
func (g *genesys) jwtUserInfo(x *exchange) reply {
	t, ok := x.caller()
	if !ok {
		return g.unauthorized()
	}
	claims := g.openIDClaims(t)
	claims["client_id"] = t.client
	claims["iat"], claims["exp"] = x.now.Unix(), t.expires.Unix()
	signed, err := g.signer.sign(claims)
	if err != nil {
		return g.refusal(http.StatusInternalServerError, "Internal Server Error")
	}
	x.s.ledger.add(signed)
	return g.apiResponse(x).with("X-Gws-User", signed)
}

// ping is GET /ping: 200 when the bearer token is good, otherwise 403. The page
// names no header; the service itself may look at a login cookie, which a lenient
// sandbox takes too.
func (g *genesys) ping(x *exchange) reply {
	if _, ok := x.caller(); !ok && !(x.s.opts.Lenient && g.visits.has(x.r)) {
		return genesysError(http.StatusForbidden, 403, "Forbidden")
	}
	return g.apiResponse(x)
}
