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

// authorized makes an endpoint of a view for whoever sends an access token. It is a 401 when the token is missing, ended
// or not known.
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
