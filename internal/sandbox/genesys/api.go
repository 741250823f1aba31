// Package genesys emulates the Authentication API v3 of Genesys Multicloud CX
// (https://all.docs.genesys.com/PEC-Developer/Current/WebAPIs/Authentication).
package genesys

import (
	"encoding/json"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/authctl/authctl/internal/sandbox/service"
)

const (
	base   = "/auth/v3"
	apiKey = service.Marker + "-genesys-api-key"
)

// New makes the service. Lenient accepts a ping by the cookie that the sign-in page then sets.
func New(lenient bool) *service.Service {
	const misplaced = "400 invalid_request credentials belong in the Authorization header, parameters in the body"
	a := &account{lenient: lenient}
	a.password.Store(Password)
	grant := func(name string) map[string]string { return map[string]string{"grant": name} }
	public := map[string]string{"grant": "authorization_code", "client_auth": "none"}
	return service.New(service.Service{
		Name: "genesys", Scopes: []string{"*"},
		Clients: []service.Client{
			{ID: "sandbox-genesys", Secret: service.Marker + "+genesys%:raw"},
			{ID: "sandbox-genesys-public", Public: true},
			{ID: "sandbox-genesys-easy", Secret: service.Marker + "-genesys-easy"},
		},
		Words: map[service.Problem]service.Problem{
			service.InQuery:     misplaced,
			service.TwoWays:     misplaced,
			service.ForbidGrant: "401 invalid_client Unauthorized grant type: %s",
			service.BadScope:    "400 invalid_scope only * is supported",
			service.BadClient:   "401 invalid_client Bad client credentials",
		},
		Secrets: map[string]string{"api_key": apiKey},
		Profiles: []service.Profile{
			{Name: "genesys", Client: "sandbox-genesys", Text: grant("client_credentials")},
			{
				Name: "genesys-password", Client: "sandbox-genesys", Secrets: map[string]string{"password": Password},
				Text: map[string]string{"grant": "password", "username": fullUser},
			},
			{Name: "genesys-login", Client: "sandbox-genesys", Text: grant("authorization_code")},
			{Name: "genesys-public", Client: "sandbox-genesys-public", Text: public},
			{Name: "genesys-easy", Client: "sandbox-genesys-easy", Text: grant("client_credentials")},
		},
		Hosts: []service.Host{{Prefix: base + "/", Endpoints: a.endpoints(), Error: failure, Admit: admit}},
	})
}

func (a *account) endpoints() map[string]service.Endpoint {
	in := a.signIn()
	tokens := &service.Issuer{
		Grants:   []string{"client_credentials", "password", "authorization_code", "refresh_token"},
		Lifetime: 43200 * time.Second, Type: "bearer", User: a.typed,
		Complete: func(x *service.Exchange, _ *service.Grant, rep *service.Reply) {
			rep.Form = acceptsForm(x.Request.Header)
		},
	}
	return map[string]service.Endpoint{
		"GET " + base + "/oauth/authorize":  in.Authorize,
		"GET " + in.Path:                    in.Show,
		"POST " + in.Path:                   in.Submit,
		"POST " + base + "/oauth/token":     tokens.Answer,
		"GET " + base + "/userinfo":         authorized(userInfo),
		"GET " + base + "/openid/userinfo":  authorized(openIDUserInfo),
		"GET " + base + "/jwt-userinfo":     authorized(jwtUserInfo),
		"GET " + base + "/ping":             a.ping,
		"GET " + base + "/sign-out":         authorized(a.signOut),
		"POST " + base + "/sign-out":        authorized(a.signOut),
		"POST " + base + "/change-password": a.changePassword,
	}
}

// admit looks at the API key, which a browser that opens a page cannot send.
func admit(x *service.Exchange) *service.Reply {
	key := strings.Join(x.Request.Header.Values("X-Api-Key"), ", ")
	page := slices.Contains([]string{"/oauth/authorize", "/sign-in"}, strings.TrimPrefix(x.Request.URL.Path, base))
	if key == apiKey || page && key == "" {
		return nil
	}
	return new(statusError(http.StatusForbidden, 603, "Unauthorized")) // the one code known to go with 403
}

// failure is the API's {status:{code,message,detail}}; the page shows a 503 without a body.
func failure(status int, code, text string) service.Reply {
	switch {
	case code != "":
		text = code + ": " + text
	case status == http.StatusServiceUnavailable:
		return service.Reply{Status: status}
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		text = http.StatusText(status)
	}
	return statusError(status, status, text)
}

func statusError(status, code int, message string) service.Reply {
	return service.Reply{Status: status, Fields: map[string]any{
		"status": map[string]any{"code": code, "message": message, "detail": map[string]any{}},
	}}
}

// authorized makes an endpoint of a view for whoever sends an access token that is good.
func authorized(view func(*service.Exchange, service.Token) service.Reply) service.Endpoint {
	return func(x *service.Exchange) service.Reply {
		if t, ok := x.Caller(); ok {
			return view(x, t)
		}
		return failure(http.StatusUnauthorized, "", "Unauthorized").
			With("WWW-Authenticate", x.Challenge("Bearer", "error", "invalid_token"))
	}
}

// acceptsForm reports whether the reply is to be form-encoded: the first media type in Accept decides.
func acceptsForm(header http.Header) bool {
	first, _, _ := strings.Cut(header.Get("Accept"), ",")
	media, _, _ := mime.ParseMediaType(first)
	return media == service.FormType
}

// Who can sign in: Jane, who can change her password.
const (
	Tenant   = "acme"
	User     = "jane"
	Password = service.Marker + "+jane's %pass:word"
	fullUser = Tenant + `\` + User
)

// cookie is what somebody who signed in sends.
const cookie = "GENESYS_SESSION"

// account is the one user, whose password can be changed, with the cookies of her browsers.
type account struct {
	lenient  bool
	password atomic.Value // a string
	cookies  sync.Map     // their values
}

// typed is whose tenant\username and password a form has.
func (a *account) typed(x *service.Exchange) string {
	return a.user(x.Form.Get("username"), x.Form.Get("password"))
}

// user is whose name and password these are, empty when they are nobody's.
func (a *account) user(name, password string) string {
	if name != fullUser || password != a.password.Load() {
		return ""
	}
	return fullUser
}

// signIn is GET /oauth/authorize with its page. What cannot be told to the client is a 401, the one error the API's
// page lists.
func (a *account) signIn() service.SignIn {
	return service.SignIn{
		Path: base + "/sign-in", Mistaken: http.StatusUnauthorized, Page: a.page, Enter: a.enter, Welcome: a.welcome,
	}
}

func (a *account) page(request service.Authorization) service.Page {
	p := service.Page{
		Brand: "Genesys Multicloud CX", Accent: "#cc3a0c", Password: Password,
		Hint: "Tenant " + Tenant + ", username " + User + ", with the password that was set last; at first it is",
		Fields: []service.Field{
			{Name: "tenant", Label: "Tenant", Kind: "text", Autocomplete: "organization"},
			{Name: "username", Label: "Username", Kind: "text", Autocomplete: "username"},
		},
	}
	if request.Query.Get("hideTenant") == "true" {
		p.Fields = p.Fields[1:]
	}
	return p
}

func (a *account) enter(x *service.Exchange, request service.Authorization) (user, problem string) {
	tenant, username := strings.TrimSpace(x.Form.Get("tenant")), strings.TrimSpace(x.Form.Get("username"))
	problem = "The tenant, username or password is wrong."
	if request.Query.Get("hideTenant") == "true" {
		tenant, problem = Tenant, "The username or password is wrong."
	}
	if !strings.Contains(username, `\`) {
		username = tenant + `\` + username
	}
	if user = a.user(username, x.Form.Get("password")); user != "" {
		problem = ""
	}
	return user, problem
}

// welcome sets the cookie of a lenient sandbox.
func (a *account) welcome(x *service.Exchange, rep service.Reply) service.Reply {
	if !a.lenient {
		return rep
	}
	value := service.NewOpaque()
	x.Secrets.Add(value)
	a.cookies.Store(value, true)
	return rep.With("Set-Cookie", (&http.Cookie{ //nolint:gosec // without Secure: it is plain http on loopback
		Name: cookie, Value: value, Path: base, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}).String())
}

// ping is GET /ping: 200 when the bearer token is good, otherwise 403. The page names no header; the service itself
// may look at a login cookie, which a lenient sandbox takes too.
func (a *account) ping(x *service.Exchange) service.Reply {
	_, known := x.Caller()
	if sent, err := x.Request.Cookie(cookie); err == nil && !known {
		_, known = a.cookies.Load(sent.Value)
	}
	if !known {
		return statusError(http.StatusForbidden, 403, "Forbidden")
	}
	return apiResponse(x)
}

// signOut is GET and POST /sign-out. With global=true all tokens of the user end, otherwise the current one and the
// refresh token it came with. With redirectUri, which only GET has, the answer is a 302 to it.
func (a *account) signOut(x *service.Exchange, t service.Token) service.Reply {
	query := x.Request.URL.Query()
	global, target := query.Get("global"), query.Get("redirectUri")
	if x.Request.Method == http.MethodPost {
		target = ""
	}
	if !slices.Contains([]string{"", "true", "false"}, global) || target != "" && !webAddress(target) {
		return failure(http.StatusBadRequest, "", "Bad Request")
	}
	x.End(t.Grant, global == "true")
	a.cookies.Clear()
	if target != "" {
		return service.Redirect(target)
	}
	return apiResponse(x)
}

// webAddress reports whether a browser could be sent there.
func webAddress(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// changePassword is POST /change-password, with the page's ApiRequestOfChangePasswordOperation. Its only error of its
// own is a 403, as for a password of fewer than eight characters. Tokens that were issued before stay good.
func (a *account) changePassword(x *service.Exchange) service.Reply {
	if t, _, err := mime.ParseMediaType(x.Request.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return failure(http.StatusUnsupportedMediaType, "", "Unsupported Media Type")
	}
	var req struct {
		Data *struct{ NewPassword, OldPassword, UserName string }
	}
	if err := json.Unmarshal(x.Body, &req); err != nil || req.Data == nil {
		return failure(http.StatusBadRequest, "", "Bad Request")
	}
	if !passwordIsOf(x, req.Data.UserName) || utf8.RuneCountInString(req.Data.NewPassword) < 8 ||
		!a.password.CompareAndSwap(req.Data.OldPassword, req.Data.NewPassword) {
		return failure(http.StatusForbidden, "", "Unable to update password")
	}
	x.Secrets.Learn(req.Data.NewPassword)
	return apiResponse(x)
}

// passwordIsOf reports whether it is the user who asks. The Authorization header is not marked as required: without
// it, userName must say whose password it is.
func passwordIsOf(x *service.Exchange, name string) bool {
	if name != "" && !strings.Contains(name, `\`) {
		name = Tenant + `\` + name
	}
	t, ok := x.Caller()
	if len(x.Request.Header.Values("Authorization")) == 0 {
		return name == fullUser
	}
	return ok && t.User == fullUser && (name == "" || name == fullUser)
}

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
