package sandbox

import (
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	genesysBase     = "/auth/v3"
	genesysLifetime = 43200 * time.Second
	genesysAPIKey   = Marker + "-genesys-api-key"
	genesysUser     = GenesysTenant + `\` + GenesysUser
)

// genesys is the Authentication API v3 of Genesys Multicloud CX
// (https://all.docs.genesys.com/PEC-Developer/Current/WebAPIs/Authentication).
type genesys struct {
	s        *Server
	signer   signer
	clients  []client
	consents consents
	account  genesysAccount
	// visits are the cookies of the sign-in page, where the sandbox is lenient.
	visits visits
}

func newGenesys(s *Server) *genesys {
	return &genesys{
		s:      s,
		signer: signer{newKey(), "sandbox-genesys-user-key"},
		clients: []client{
			{id: "sandbox-genesys", secret: Marker + "+genesys%:raw", scopes: []string{"*"}},
			{id: "sandbox-genesys-public", public: true, scopes: []string{"*"}},
			{id: "sandbox-genesys-easy", secret: Marker + "-genesys-easy", scopes: []string{"*"}},
		},
		account: genesysAccount{password: GenesysPassword},
	}
}

func (*genesys) name() string { return "genesys" }

func (*genesys) owns(path string) bool { return strings.HasPrefix(path, genesysBase+"/") }

// refusal is the API's {status:{code,message,detail}}; the page shows a 503
// without a body.
func (*genesys) refusal(status int, text string) reply {
	if status == http.StatusServiceUnavailable {
		return reply{status: status}
	}
	return genesysError(status, status, text)
}

func genesysError(status, code int, message string) reply {
	return reply{status: status, fields: map[string]any{
		"status": map[string]any{"code": code, "message": message, "detail": map[string]any{}},
	}}
}

// genesysEndpoint is one path of the API.
type genesysEndpoint struct {
	methods string // as in Allow
	// page says that a browser opens it, which cannot send an API key.
	page  bool
	serve func(*exchange) reply
}

func (g *genesys) endpoint(path string) (genesysEndpoint, bool) {
	var e genesysEndpoint
	switch path {
	case "/oauth/authorize":
		e = genesysEndpoint{"GET", true, g.authorize}
	case "/sign-in":
		e = genesysEndpoint{"GET, POST", true, g.signIn}
	case "/oauth/token":
		e = genesysEndpoint{"POST", false, g.token}
	case "/userinfo":
		e = genesysEndpoint{"GET", false, g.userInfo}
	case "/openid/userinfo":
		e = genesysEndpoint{"GET", false, g.openIDUserInfo}
	case "/jwt-userinfo":
		e = genesysEndpoint{"GET", false, g.jwtUserInfo}
	case "/ping":
		e = genesysEndpoint{"GET", false, g.ping}
	case "/sign-out":
		e = genesysEndpoint{"GET, POST", false, g.signOut}
	case "/change-password":
		e = genesysEndpoint{"POST", false, g.changePassword}
	default:
		return e, false
	}
	return e, true
}

func (g *genesys) serve(x *exchange) reply {
	e, found := g.endpoint(strings.TrimPrefix(x.r.URL.Path, genesysBase))
	key := x.r.Header.Values("X-Api-Key")
	keyed := len(key) == 1 && key[0] == genesysAPIKey
	if !keyed && !x.s.opts.NoAPIKey && (!e.page || len(key) > 0) {
		// 603 is the one code known to go with 403.
		return genesysError(http.StatusForbidden, 603, "Unauthorized")
	}
	if !found {
		return g.refusal(http.StatusNotFound, "Not Found")
	}
	if !slices.Contains(strings.Split(e.methods, ", "), x.r.Method) {
		return g.refusal(http.StatusMethodNotAllowed, "Method Not Allowed").with("Allow", e.methods)
	}
	return e.serve(x)
}

func (g *genesys) token(x *exchange) reply {
	if x.bad != nil {
		return g.refusal(x.bad.status, x.bad.text)
	}
	form, ok := acceptsForm(x.r.Header.Values("Accept"))
	if !ok {
		return g.refusal(http.StatusNotAcceptable, "Not Acceptable")
	}
	if x.r.URL.RawQuery != "" || x.form.Has("client_secret") {
		return g.refusal(http.StatusBadRequest,
			"invalid_request: credentials belong in the Authorization header, parameters in the body")
	}
	c := g.client(x)
	if c == nil {
		return g.refusal(http.StatusUnauthorized, "invalid_client: Bad client credentials").
			with("WWW-Authenticate", `Basic realm="genesys"`)
	}
	if scope := x.form.Get("scope"); x.form.Has("scope") && scope != "*" {
		return g.refusal(http.StatusBadRequest, "invalid_scope: only * is supported")
	}
	rep := g.grant(x, c)
	rep.form = form && rep.token
	return rep
}

// client authenticates by Basic over the raw id and secret. A public client has
// client_id in the form and no header; nil means that neither holds.
func (g *genesys) client(x *exchange) *client {
	b := parseBasic(x.r.Header, false)
	id := x.form.Get("client_id")
	if !b.present {
		if c := clientByID(g.clients, id); c != nil && c.public {
			return c
		}
		return nil
	}
	c := clientByID(g.clients, b.id)
	if !b.ok || c == nil || c.public || c.secret != b.secret || (x.form.Has("client_id") && id != c.id) {
		return nil
	}
	return c
}

// grant issues opaque tokens, in the form the page's examples have.
func (g *genesys) grant(x *exchange, c *client) reply {
	kind := x.form.Get("grant_type")
	if c.public && (kind == "client_credentials" || kind == "password") {
		return g.refusal(http.StatusUnauthorized, "invalid_client: Unauthorized grant type: "+kind)
	}
	given := &grant{service: g.name(), client: c.id, scope: "*"}
	refresh := ""
	switch kind {
	case "":
		return g.refusal(http.StatusBadRequest, "invalid_request: Missing grant type")
	case "client_credentials":
		if x.fault.RefreshToken {
			refresh = x.s.tokens.begin(given)
		}
	case "password":
		if !g.account.signsIn(x.form.Get("username"), x.form.Get("password")) {
			return g.refusal(http.StatusBadRequest, "invalid_grant: Bad credentials")
		}
		given.user = genesysUser
		refresh = x.s.tokens.begin(given)
	case "authorization_code":
		code, problem := x.redeem(&g.consents, c)
		if problem != "" {
			return g.refusal(http.StatusBadRequest, "invalid_grant: "+problem)
		}
		given = code.grant
		refresh = x.s.tokens.begin(given)
	case "refresh_token":
		var ok bool
		given, refresh, ok = x.s.tokens.use(g.name(), c.id, x.form.Get("refresh_token"), x.rotates())
		if !ok {
			return g.refusal(http.StatusBadRequest, "invalid_grant: Invalid refresh token")
		}
	default:
		return g.refusal(http.StatusBadRequest, "unsupported_grant_type: Unsupported grant type")
	}
	rep := x.issued(given, newOpaque(), "bearer", x.lifetime(genesysLifetime), refresh)
	rep.fields["scope"] = "*"
	return rep
}

// acceptsForm reports whether the reply is to be form-encoded: the first media
// type in Accept that can be served decides. It is not ok when there is none.
func acceptsForm(accept []string) (form, ok bool) {
	list := strings.Join(accept, ",")
	if strings.TrimSpace(list) == "" {
		return false, true
	}
	for part := range strings.SplitSeq(list, ",") {
		t, _, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		switch t {
		case formType:
			return true, true
		case "application/json", "application/*", "*/*":
			return false, true
		}
	}
	return false, false
}
