package sandbox

import (
	"mime"
	"net/http"
	"strings"
	"time"
)

const (
	genesysBase     = "/auth/v3"
	genesysLifetime = 43200 * time.Second
	genesysAPIKey   = Marker + "-genesys-api-key"
	genesysUser     = `acme\jane`
	genesysPassword = Marker + "+jane's %pass:word"
)

// genesys is the Authentication API v3 of Genesys Multicloud CX
// (https://all.docs.genesys.com/PEC-Developer/Current/WebAPIs/Authentication).
type genesys struct {
	s       *Server
	clients []client
}

func newGenesys(s *Server) *genesys {
	return &genesys{s: s, clients: []client{
		{id: "sandbox-genesys", secret: Marker + "+genesys%:raw", scopes: []string{"*"}},
	}}
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

func (g *genesys) serve(x *exchange) reply {
	if x.r.Header.Get("X-Api-Key") != genesysAPIKey && !x.s.opts.NoAPIKey {
		// 603 is the one code known to go with 403.
		return genesysError(http.StatusForbidden, 603, "Unauthorized")
	}
	switch strings.TrimPrefix(x.r.URL.Path, genesysBase) {
	case "/oauth/token":
		if x.r.Method != http.MethodPost {
			return g.refusal(http.StatusMethodNotAllowed, "Method Not Allowed").with("Allow", http.MethodPost)
		}
		return g.token(x)
	default:
		return g.refusal(http.StatusNotFound, "Not Found")
	}
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
	b := parseBasic(x.r.Header, false)
	c := clientByID(g.clients, b.id)
	if !b.ok || c == nil || c.secret != b.secret || (x.form.Has("client_id") && x.form.Get("client_id") != c.id) {
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

// grant issues opaque tokens, in the form the page's examples have.
func (g *genesys) grant(x *exchange, c *client) reply {
	refresh := ""
	switch grant := x.form.Get("grant_type"); grant {
	case "":
		return g.refusal(http.StatusBadRequest, "invalid_request: Missing grant type")
	case "client_credentials":
		if x.fault.RefreshToken {
			refresh = x.s.refresh.begin("genesys", c.id, "*")
		}
	case "password":
		if x.form.Get("username") != genesysUser || x.form.Get("password") != genesysPassword {
			return g.refusal(http.StatusBadRequest, "invalid_grant: Bad credentials")
		}
		refresh = x.s.refresh.begin("genesys", c.id, "*")
	case "refresh_token":
		var ok bool
		_, refresh, ok = x.s.refresh.use("genesys", c.id, x.form.Get("refresh_token"), x.rotates())
		if !ok {
			return g.refusal(http.StatusBadRequest, "invalid_grant: Invalid refresh token")
		}
	default:
		return g.refusal(http.StatusBadRequest, "unsupported_grant_type: Unsupported grant type")
	}
	rep := x.issued(newOpaque(), "bearer", x.lifetime(genesysLifetime), refresh)
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
