// Package talkdesk emulates the identity host of one account of Talkdesk (https://docs.talkdesk.com/reference/cc-basic
// and …/cc-jwt), and of its API who a token speaks for.
package talkdesk

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
)

const issuer = "https://www.talkdeskid.com"

// Who can sign in: Jane.
const (
	User     = "jane@acme.example"
	Password = service.Marker + "+talkdesk jane's %pass:word"
	userID   = "5f0c0de0cafe000000000101"
)

// New makes the service. Lenient takes parameters in the query of the token request, which else is refused: that was
// seen in the wild, and leaves secrets in access logs.
func New(lenient bool) *service.Service {
	in := signIn()
	code := map[string]string{"grant": "authorization_code"}
	scopes, login := []string{"account:read", "contacts:read"}, []string{"openid", "account:read"}
	return service.New(service.Service{
		Name: "talkdesk",
		// What the account's clients were not given in Builder, so that there is something to be refused.
		Scopes: slices.DeleteFunc(allScopes(), func(scope string) bool {
			return strings.HasPrefix(scope, "voicebiometrics-")
		}),
		Clients: []service.Client{
			{ID: "sandbox-talkdesk", Secret: service.Marker + "+talkdesk%:raw"},
			{ID: "sandbox-talkdesk-jwt", Keyed: true},
			{ID: "sandbox-talkdesk-easy", Secret: service.Marker + "-talkdesk-easy"},
		},
		// https://docs.talkdesk.com/docs/signed-jwt: a known kid, the very URL posted to as audience, five minutes at
		// most, and a key without PEM's lines.
		Assertions: service.AssertionRules{
			Life: 5 * time.Minute, KeyID: true, BareKey: true,
			Audience: func(x *service.Exchange) []string { return []string{x.Origin() + x.Request.URL.EscapedPath()} },
		},
		// A scope that the client lacks, or was given minutes ago, is a 401, as the scopes page says; RFC 6749 §5.2 would
		// have it 400.
		Words: map[service.Problem]service.Problem{
			service.BadScope: "401 invalid_scope the requested scope is invalid, unknown or not effective yet",
			service.NotForm:  "400 invalid_request the Content-Type must be " + service.FormType,
		},
		Settings: map[string]string{"account": "acme"},
		Profiles: []service.Profile{
			{Name: "talkdesk", Client: "sandbox-talkdesk", Scopes: scopes},
			{Name: "talkdesk-jwt", Client: "sandbox-talkdesk-jwt"},
			{Name: "talkdesk-login", Client: "sandbox-talkdesk", Scopes: login, Text: code},
			{Name: "talkdesk-login-jwt", Client: "sandbox-talkdesk-jwt", Scopes: login, Text: code},
			{Name: "talkdesk-easy", Client: "sandbox-talkdesk-easy"},
		},
		Hosts: []service.Host{{
			Prefix: "/oauth/", Error: failure,
			Endpoints: map[string]service.Endpoint{
				"POST /oauth/token":    tokens(lenient).Answer,
				"GET /oauth/authorize": in.Authorize,
				"GET " + in.Path:       in.Show,
				"POST " + in.Path:      in.Submit,
			},
			Admit: func(x *service.Exchange) *service.Reply {
				if lenient && (x.Bad == "" || len(x.Body) == 0) {
					x.Bad = "" // without a body there need be no Content-Type
					x.TakeQuery()
				}
				return nil
			},
		}, {
			Prefix: "/users/", Error: apiFailure, Endpoints: map[string]service.Endpoint{"GET /users/me": me},
		}},
	})
}

// allScopes are the 34 of https://docs.talkdesk.com/docs/scopes.
func allScopes() []string {
	return strings.Fields(`account:read apps:read apps:write attributes:read attributes:write callback:write
		contacts:read contacts:write do-not-call-lists:manage data-reports:write data-reports:read events:write
		flows-interactions:start guardian-cases:read guardian-session:read guardian-users:read
		guardian-call-quality:read live-queries:read live-subscriptions:read live-subscriptions:write
		identity-phone-validation:read recordings:read record-lists:manage reports:write reports:read
		ring-groups:read user-ring-groups:read wfm-aion-public:write users:read account-wallets:read
		bucket-configurations:read voicebiometrics-consent:write voicebiometrics-consent:read
		voicebiometrics-enroll:write`)
}

// failure has a code and a description always: the page marks both as required.
func failure(status int, code, text string) service.Reply {
	switch {
	case code != "":
	case status >= http.StatusInternalServerError:
		code = "server_error"
	case status == http.StatusNotFound:
		code = "not_found"
	default:
		code = "invalid_request"
	}
	return service.OAuthError(status, code, text)
}

func tokens(lenient bool) *service.Issuer {
	return &service.Issuer{
		Grants:   []string{"client_credentials", "authorization_code", "refresh_token"},
		Lifetime: 600 * time.Second, Query: lenient,
		Claims: func(_ *service.Exchange, g *service.Grant) map[string]any {
			claims := map[string]any{
				"iss": issuer, "aud": "https://api.talkdeskapp.com", "sub": g.Client, "client_id": g.Client,
				"account": "acme", "scope": strings.Fields(g.Scope),
			}
			if g.User != "" {
				claims["sub"], claims["sid"] = userID, g.SID
			}
			return claims
		},
		Identity: identity,
		Complete: func(_ *service.Exchange, g *service.Grant, rep *service.Reply) {
			if g.User != "" {
				rep.Fields["sid"] = g.SID
			}
		},
	}
}

// identity comes with a code and never with a refresh.
func identity(x *service.Exchange, g *service.Grant, _ string) map[string]any {
	if x.Form.Get("grant_type") != "authorization_code" {
		return nil
	}
	claims := map[string]any{
		"iss": issuer, "aud": g.Client, "sub": userID, "sid": g.SID, "name": "Jane Doe", "email": User,
	}
	if g.Nonce != "" {
		claims["nonce"] = g.Nonce
	}
	return claims
}

// signIn is GET /oauth/authorize (https://docs.talkdesk.com/reference/authorization-code-basic) with its page.
func signIn() service.SignIn {
	return service.SignIn{
		Path: "/oauth/sign-in", Mistaken: http.StatusBadRequest, Standard: []string{"openid"},
		Page: func(service.Authorization) service.Page {
			return service.Page{
				Brand: "Talkdesk", Accent: "#6a45e0", Hint: User + " with the password", Password: Password,
				Fields: []service.Field{{Name: "username", Label: "Email", Kind: "email", Autocomplete: "username"}},
			}
		},
		Enter: func(x *service.Exchange, _ service.Authorization) (user, problem string) {
			username := strings.TrimSpace(x.Form.Get("username"))
			if !strings.EqualFold(username, User) || x.Form.Get("password") != Password {
				return "", "The email or password is wrong."
			}
			return User, ""
		},
	}
}

// apiFailure is the API host's {code, message, description, fields}. Its page gives no codes: here they are the status
// in words (https://docs.talkdesk.com/reference/usersme).
func apiFailure(status int, message, description string) service.Reply {
	words := http.StatusText(status)
	return service.Reply{Status: status, Fields: map[string]any{
		"code":    strings.ReplaceAll(strings.ToLower(words), " ", "_"),
		"message": cmp.Or(message, words), "description": description, "fields": []any{},
	}}
}

// me is GET /users/me. A client's own token has no user, whatever its scopes.
func me(x *service.Exchange) service.Reply {
	token, ok := x.Caller()
	switch {
	case !ok:
		return apiFailure(http.StatusUnauthorized, "", "the access token is missing, invalid or expired").
			With("WWW-Authenticate", x.Challenge("Bearer", "error", "invalid_token"))
	case token.User == "":
		return apiFailure(http.StatusBadRequest, "no user context", "the access token belongs to no user")
	case !token.Has("openid"):
		return apiFailure(http.StatusForbidden, "", "the access token lacks the scope openid").
			With("WWW-Authenticate", x.Challenge("Bearer", "error", "insufficient_scope", "scope", "openid"))
	}
	return service.OK(map[string]any{
		"id": userID, "sub": userID, "name": "Jane Doe", "email": token.User,
		"_links": map[string]any{"self": map[string]any{"href": x.Origin() + "/users/" + userID}},
	})
}
