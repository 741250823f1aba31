// Package talkdesk emulates the identity host of one account of Talkdesk (https://docs.talkdesk.com/reference/cc-basic
// and …/cc-jwt), and of its API who a token speaks for.
package talkdesk

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
)

const issuer = "https://www.talkdeskid.com"

// New makes the service. Lenient takes parameters in the query of the token request, which else is refused: that was
// seen in the wild, and leaves secrets in access logs.
func New(lenient bool) *service.Service {
	// What the account's clients were not given in Builder, so that there is something to be refused.
	granted := slices.DeleteFunc(allScopes(), func(scope string) bool {
		return strings.HasPrefix(scope, "voicebiometrics-")
	})
	key, in := service.NewKey(), signIn()
	return service.New(service.Service{
		Name:   "talkdesk",
		Signer: service.Signer{Key: service.NewKey(), KeyID: "sandbox-talkdesk-signing-key"},
		Clients: []service.Client{
			{ID: "sandbox-talkdesk", Secret: service.Marker + "+talkdesk%:raw", Scopes: granted},
			{
				ID: "sandbox-talkdesk-jwt", Key: key, KeyID: "sandbox-talkdesk-key", Scopes: granted,
				// Without PEM lines: https://docs.talkdesk.com/docs/signed-jwt.
				KeyText: base64.StdEncoding.EncodeToString(service.PKCS8(key)),
			},
			{ID: "sandbox-talkdesk-easy", Secret: service.Marker + "-talkdesk-easy", Scopes: granted},
		},
		// https://docs.talkdesk.com/docs/signed-jwt: a known kid, the very URL posted to as audience, five minutes at
		// most.
		Assertions: service.AssertionRules{
			Life: 5 * time.Minute, KeyID: true,
			Audience: func(x *service.Exchange) []string { return []string{x.Origin() + x.Request.URL.EscapedPath()} },
		},
		// A scope that the client lacks, or was given minutes ago, is a 401, as the scopes page says; RFC 6749 §5.2 would
		// have it 400.
		Words: map[service.Problem]service.Words{service.BadScope: service.Say(
			http.StatusUnauthorized, "invalid_scope", "the requested scope is invalid, unknown or not effective yet",
		)},
		Profiles: profiles,
		Secrets:  []string{Password},
		Hosts: []service.Host{{
			Prefix: "/oauth/", Error: failure,
			Endpoints: service.Endpoints(map[string]service.Endpoint{
				"POST /oauth/token":    tokens(lenient).Answer,
				"GET /oauth/authorize": in.Authorize,
				"GET " + in.Path:       in.Show,
				"POST " + in.Path:      in.Submit,
			}),
		}, {
			Prefix: "/users/", Error: apiFailure,
			Endpoints: service.Endpoints(map[string]service.Endpoint{"GET /users/me": me}),
		}},
	})
}

func profiles(s *service.Service) []service.Profile {
	code := []string{"account", "acme", "grant", "authorization_code"}
	scopes, login := []string{"account:read", "contacts:read"}, []string{"openid", "account:read"}
	return []service.Profile{
		s.Profile("talkdesk", "sandbox-talkdesk", scopes, "account", "acme"),
		s.Profile("talkdesk-jwt", "sandbox-talkdesk-jwt", nil, "account", "acme"),
		s.Profile("talkdesk-login", "sandbox-talkdesk", login, code...),
		s.Profile("talkdesk-login-jwt", "sandbox-talkdesk-jwt", login, code...),
		s.Profile("talkdesk-easy", "sandbox-talkdesk-easy", nil, "account", "acme"),
	}
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
		Lifetime: 600 * time.Second, Unreadable: http.StatusBadRequest, Query: lenient,
		Before: func(x *service.Exchange) *service.Reply {
			if lenient && (x.Bad == nil || len(x.Body) == 0) {
				x.Bad = nil // without a body there need be no Content-Type
				x.TakeQuery()
			}
			return nil
		},
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
func identity(x *service.Exchange, g *service.Grant) map[string]any {
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
