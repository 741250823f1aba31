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
	a, all := &account{lenient: lenient}, []string{"*"}
	a.password.Store(Password)
	return service.New(service.Service{
		Name:     "genesys",
		OneScope: true,
		Signer:   service.Signer{Key: service.NewKey(), KeyID: "sandbox-genesys-user-key"},
		Clients: []service.Client{
			{ID: "sandbox-genesys", Secret: service.Marker + "+genesys%:raw", Scopes: all},
			{ID: "sandbox-genesys-public", Public: true, Scopes: all},
			{ID: "sandbox-genesys-easy", Secret: service.Marker + "-genesys-easy", Scopes: all},
		},
		Profiles: a.profiles,
		Words:    words(),
		Hosts: []service.Host{{
			Prefix: base + "/", Endpoints: service.Endpoints(a.endpoints()), Error: failure, Admit: admit,
		}},
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
		"GET " + base + "/userinfo":         service.Authorized(unauthorized, userInfo),
		"GET " + base + "/openid/userinfo":  service.Authorized(unauthorized, openIDUserInfo),
		"GET " + base + "/jwt-userinfo":     service.Authorized(unauthorized, jwtUserInfo),
		"GET " + base + "/ping":             a.ping,
		"GET " + base + "/sign-out":         service.Authorized(unauthorized, a.signOut),
		"POST " + base + "/sign-out":        service.Authorized(unauthorized, a.signOut),
		"POST " + base + "/change-password": a.changePassword,
	}
}

func (a *account) profiles(s *service.Service) []service.Profile {
	password := s.Profile("genesys-password", "sandbox-genesys", nil, "grant", "password", "username", fullUser)
	password.Secrets["password"] = a.current()
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

func words() map[service.Problem]service.Words {
	const misplaced = "credentials belong in the Authorization header, parameters in the body"
	return map[service.Problem]service.Words{
		service.InQuery:     service.Say(http.StatusBadRequest, "invalid_request", misplaced),
		service.TwoWays:     service.Say(http.StatusBadRequest, "invalid_request", misplaced),
		service.ForbidGrant: service.Say(http.StatusUnauthorized, "invalid_client", "Unauthorized grant type: %s"),
		service.BadScope:    service.Say(http.StatusBadRequest, "invalid_scope", "only * is supported"),
		service.BadClient:   service.Say(http.StatusUnauthorized, "invalid_client", "Bad client credentials"),
	}
}

// admit looks at the API key, which a browser that opens a page cannot send.
func admit(x *service.Exchange) *service.Reply {
	key := strings.Join(x.Request.Header.Values("X-Api-Key"), ", ")
	page := slices.Contains([]string{"/oauth/authorize", "/sign-in"}, strings.TrimPrefix(x.Request.URL.Path, base))
	if key == apiKey || page && key == "" {
		return nil
	}
	// 603 is the one code known to go with 403.
	refused := statusError(http.StatusForbidden, 603, "Unauthorized")
	return &refused
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

// unauthorized is the 401 for a token that is missing, ended or not known.
func unauthorized(x *service.Exchange) service.Reply {
	return failure(http.StatusUnauthorized, "", "Unauthorized").
		With("WWW-Authenticate", x.Challenge("Bearer", "error", "invalid_token"))
}

// acceptsForm reports whether the reply is to be form-encoded: the first media type in Accept that can be served
// decides.
func acceptsForm(header http.Header) bool {
	for part := range strings.SplitSeq(strings.Join(header.Values("Accept"), ","), ",") {
		switch t, _, _ := mime.ParseMediaType(part); t {
		case service.FormType:
			return true
		case "application/json", "application/*", "*/*":
			return false
		}
	}
	return false
}
