// Package pexip emulates the Keycloak realm of one enterprise, as Pexip Engage's page
// (https://developer.pexipengage.com/staging/authentication) and Keycloak's sources describe it.
package pexip

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
)

const (
	realm = "acme"
	// openID is where the endpoints of the realm are.
	openID = "/realms/" + realm + "/protocol/openid-connect/"
)

// New makes the service. The easy client's tokens are signed with RS256, by a key that is made when it is first
// needed, which takes a while.
func New() *service.Service {
	key, scopes := service.NewKey(), allScopes()
	usual := service.Signer{Key: service.NewKey(), KeyID: "sandbox-pexip-realm-key"}
	rsa := sync.OnceValue(func() service.Signer {
		return service.Signer{Key: service.NewRSAKey(), KeyID: "sandbox-pexip-realm-rsa-key"}
	})
	return service.New(service.Service{
		Name: "pexip", Realm: realm, Signer: usual, FormBasic: true, FormSecret: true,
		Clients: []service.Client{
			{ID: "sandbox-pexip", Secret: service.Marker + "+pexip/100%:é secret", Scopes: scopes},
			{
				ID: "sandbox-pexip-jwt", Key: key, KeyID: "sandbox-pexip-key", Scopes: scopes,
				KeyText: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: service.PKCS8(key)})),
			},
			{ID: "sandbox-pexip-public", Public: true, Scopes: scopes},
			{ID: "sandbox-pexip-easy", Secret: service.Marker + "-pexip-easy", Scopes: scopes, Signer: rsa},
		},
		Assertions: service.AssertionRules{
			Age: time.Minute,
			Audience: func(x *service.Exchange) []string {
				token := x.Origin() + openID + "token"
				return []string{issuer(x), token, token + "/introspect"}
			},
		},
		Words:    words(),
		Profiles: profiles,
		Hosts: []service.Host{{
			Prefix: "/realms/", Admit: admit, Error: failure,
			Endpoints: service.Endpoints(map[string]service.Endpoint{
				"GET /realms/" + realm + "/.well-known/openid-configuration": discovery,

				"GET " + openID + "certs": func(*service.Exchange) service.Reply {
					return service.KeySet(usual, rsa())
				},
				"POST " + openID + "token":            tokens().Answer,
				"GET " + openID + "userinfo":          userInfo,
				"POST " + openID + "userinfo":         userInfo,
				"POST " + openID + "token/introspect": introspect,
				"POST " + openID + "revoke":           revoke,
				"POST " + openID + "logout":           logout,
			}),
		}},
	})
}

func profiles(s *service.Service) []service.Profile {
	return []service.Profile{
		s.Profile("pexip", "sandbox-pexip", []string{"engage:appointments:readOnly"}, "account", realm),
		s.Profile("pexip-jwt", "sandbox-pexip-jwt", nil, "account", realm),
		s.Profile("pexip-openid", "sandbox-pexip", []string{"openid"}, "account", realm),
		s.Profile("pexip-easy", "sandbox-pexip-easy", nil, "account", realm),
	}
}

// allScopes are the page's 36.
func allScopes() []string {
	var scopes []string
	for resource := range strings.FieldsSeq(`appointments availability callbackRequests customers employees
		expertises externalCalendars favoriteAgents forms leadSegments listings offices regions settings
		subjects templates translations webhooks`) {
		scopes = append(scopes, "engage:"+resource+":readOnly", "engage:"+resource+":readWrite")
	}
	return scopes
}

// words are those of Keycloak's ClientIdAndSecretAuthenticator and its grant types.
func words() map[service.Problem]service.Words {
	const badClient = "Invalid client or Invalid client credentials"
	const noAccount = "Client not enabled to retrieve service account"
	return map[service.Problem]service.Words{
		service.Missing:       service.Say(http.StatusBadRequest, "invalid_request", "Missing form parameter: %s"),
		service.OtherGrant:    service.Say(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant_type"),
		service.ForbidGrant:   service.Say(http.StatusUnauthorized, "unauthorized_client", noAccount),
		service.NoClient:      service.Say(http.StatusBadRequest, "invalid_client", "Missing client_id parameter"),
		service.UnknownClient: service.Say(http.StatusUnauthorized, "invalid_client", badClient),
		service.BadClient:     service.Say(http.StatusUnauthorized, "unauthorized_client", badClient),
		service.OddBasic:      service.Say(http.StatusUnauthorized, "", ""),
		service.BadAssertion:  service.Say(http.StatusBadRequest, "invalid_client", "%s"),
		service.BadScope:      service.Say(http.StatusBadRequest, "invalid_scope", "Invalid scopes: %s"),
	}
}

// failure is Keycloak's error of a path, a method, a media type, or of the server.
func failure(status int, code, text string) service.Reply {
	switch {
	case code != "":
	case status >= http.StatusInternalServerError:
		code, text = "unknown_error", "For more on this error consult the server log."
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed,
		status == http.StatusUnsupportedMediaType:
		code, text = fmt.Sprintf("HTTP %d %s", status, http.StatusText(status)), ""
	default:
		code = "invalid_request"
	}
	return service.OAuthError(status, code, text)
}

// admit refuses other realms. The escaped path: an enterprise may hold a slash that is not a separator.
func admit(x *service.Exchange) *service.Reply {
	escaped, _, _ := strings.Cut(strings.TrimPrefix(x.Request.URL.EscapedPath(), "/realms/"), "/")
	if name, err := url.PathUnescape(escaped); err == nil && name == realm {
		return nil
	}
	unknown := service.OAuthError(http.StatusNotFound, "Realm does not exist", "")
	return &unknown
}

// issuer is the realm's name as seen from where the request came in.
func issuer(x *service.Exchange) string { return x.Origin() + "/realms/" + realm }
