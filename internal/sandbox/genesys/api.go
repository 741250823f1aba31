// Package genesys emulates the Authentication API v3 of Genesys Multicloud CX
// (https://all.docs.genesys.com/PEC-Developer/Current/WebAPIs/Authentication).
package genesys

import (
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
)

const (
	base     = "/auth/v3"
	lifetime = 43200 * time.Second
	apiKey   = service.Marker + "-genesys-api-key"
)

// api is what the service knows beside its tokens.
type api struct {
	noAPIKey, lenient bool
	account           account
}

// New makes the service. NoAPIKey accepts requests whatever their header x-api-key, lenient a ping by the cookie that
// the sign-in page then sets.
func New(noAPIKey, lenient bool) *service.Service {
	g := &api{
		noAPIKey: noAPIKey, lenient: lenient,
		account: account{password: Password, cookies: make(map[string]bool)},
	}
	all := []string{"*"}
	return service.New(service.Service{
		Name:     "genesys",
		OneScope: true,
		Signer:   service.Signer{Key: service.NewKey(), KeyID: "sandbox-genesys-user-key"},
		Clients: []service.Client{
			{ID: "sandbox-genesys", Secret: service.Marker + "+genesys%:raw", Scopes: all},
			{ID: "sandbox-genesys-public", Public: true, Scopes: all},
			{ID: "sandbox-genesys-easy", Secret: service.Marker + "-genesys-easy", Scopes: all},
		},
		Profiles: g.profiles,
		Hosts: []service.Host{{
			Prefix: base + "/", Endpoints: service.Endpoints(g.endpoints()), Refuse: refusal, Admit: g.admit,
		}},
	})
}

func (g *api) endpoints() map[string]service.Endpoint {
	in := g.signIn()
	return map[string]service.Endpoint{
		"GET " + base + "/oauth/authorize":  in.Authorize,
		"GET " + in.Path:                    in.Show,
		"POST " + in.Path:                   in.Submit,
		"POST " + base + "/oauth/token":     g.token,
		"GET " + base + "/userinfo":         userInfo,
		"GET " + base + "/openid/userinfo":  openIDUserInfo,
		"GET " + base + "/jwt-userinfo":     jwtUserInfo,
		"GET " + base + "/ping":             g.ping,
		"GET " + base + "/sign-out":         g.signOut,
		"POST " + base + "/sign-out":        g.signOut,
		"POST " + base + "/change-password": g.changePassword,
	}
}

func (g *api) profiles(s *service.Service) []service.Profile {
	password := s.Profile("genesys-password", "sandbox-genesys", nil, "grant", "password", "username", fullUser)
	password.Secrets["password"] = g.account.current()
	list := []service.Profile{
		s.Profile("genesys", "sandbox-genesys", nil, "grant", "client_credentials"),
		password,
		s.Profile("genesys-login", "sandbox-genesys", nil, "grant", "authorization_code"),
		s.Profile("genesys-public", "sandbox-genesys-public", nil, "grant", "authorization_code", "client_auth", "none"),
		s.Profile("genesys-easy", "sandbox-genesys-easy", nil, "grant", "client_credentials"),
	}
	for _, p := range list {
		p.Secrets["api_key"] = apiKey
	}
	return list
}

// admit looks at the API key, which a browser that opens a page cannot send.
func (g *api) admit(x *service.Exchange) *service.Reply {
	key := x.Request.Header.Values("X-Api-Key")
	keyed := len(key) == 1 && key[0] == apiKey
	page := slices.Contains([]string{"/oauth/authorize", "/sign-in"}, strings.TrimPrefix(x.Request.URL.Path, base))
	if keyed || g.noAPIKey || page && len(key) == 0 {
		return nil
	}
	// 603 is the one code known to go with 403.
	refused := statusError(http.StatusForbidden, 603, "Unauthorized")
	return &refused
}

// refusal is the API's {status:{code,message,detail}}; the page shows a 503 without a body.
func refusal(status int, text string) service.Reply {
	switch status {
	case http.StatusServiceUnavailable:
		return service.Reply{Status: status}
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		text = http.StatusText(status)
	}
	return statusError(status, status, text)
}

func statusError(status, code int, message string) service.Reply {
	return service.Reply{Status: status, Fields: map[string]any{
		"status": map[string]any{"code": code, "message": message, "detail": map[string]any{}},
	}}
}

func (g *api) token(x *service.Exchange) service.Reply {
	if x.Bad != nil {
		return refusal(x.Bad.Status, x.Bad.Text)
	}
	form, ok := acceptsForm(x.Request.Header.Values("Accept"))
	if !ok {
		return refusal(http.StatusNotAcceptable, "Not Acceptable")
	}
	if x.Request.URL.RawQuery != "" || x.Form.Has("client_secret") {
		return refusal(http.StatusBadRequest,
			"invalid_request: credentials belong in the Authorization header, parameters in the body")
	}
	c := client(x)
	if c == nil {
		return refusal(http.StatusUnauthorized, "invalid_client: Bad client credentials").
			With("WWW-Authenticate", `Basic realm="genesys"`)
	}
	if scope := x.Form.Get("scope"); x.Form.Has("scope") && scope != "*" {
		return refusal(http.StatusBadRequest, "invalid_scope: only * is supported")
	}
	rep := g.grant(x, c)
	rep.Form = form && rep.Token
	return rep
}

// client authenticates by Basic over the raw id and secret. A public client has client_id in the form and no header;
// nil means that neither holds.
func client(x *service.Exchange) *service.Client {
	b, id := x.Basic(), x.Form.Get("client_id")
	if !b.Present {
		if c := x.Client(id); c != nil && c.Public {
			return c
		}
		return nil
	}
	c := x.Client(b.ID)
	if !b.OK || c == nil || c.Public || c.Secret != b.Secret || (x.Form.Has("client_id") && id != c.ID) {
		return nil
	}
	return c
}

// grant issues opaque tokens, in the form the page's examples have.
func (g *api) grant(x *service.Exchange, c *service.Client) service.Reply {
	kind := x.Form.Get("grant_type")
	if c.Public && (kind == "client_credentials" || kind == "password") {
		return refusal(http.StatusUnauthorized, "invalid_client: Unauthorized grant type: "+kind)
	}
	var given *service.Grant
	var refresh string
	switch kind {
	case "":
		return refusal(http.StatusBadRequest, "invalid_request: Missing grant type")
	case "client_credentials":
		given, refresh = x.ForClient(c, "*")
	case "password":
		if !g.account.signsIn(x.Form.Get("username"), x.Form.Get("password")) {
			return refusal(http.StatusBadRequest, "invalid_grant: Bad credentials")
		}
		given = &service.Grant{Client: c.ID, Scope: "*", User: fullUser}
		refresh = x.Begin(given)
	case "authorization_code":
		code, problem := x.Redeem(c)
		if problem != "" {
			return refusal(http.StatusBadRequest, "invalid_grant: "+problem)
		}
		given, refresh = code.Grant, x.Begin(code.Grant)
	case "refresh_token":
		var ok bool
		if given, refresh, ok = x.Refresh(c); !ok {
			return refusal(http.StatusBadRequest, "invalid_grant: Invalid refresh token")
		}
	default:
		return refusal(http.StatusBadRequest, "unsupported_grant_type: Unsupported grant type")
	}
	rep := x.Issue(given, service.NewOpaque(), "bearer", x.Lifetime(lifetime), refresh)
	rep.Fields["scope"] = "*"
	return rep
}

// acceptsForm reports whether the reply is to be form-encoded: the first media type in Accept that can be served
// decides. It is not ok when there is none.
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
		case service.FormType:
			return true, true
		case "application/json", "application/*", "*/*":
			return false, true
		}
	}
	return false, false
}
