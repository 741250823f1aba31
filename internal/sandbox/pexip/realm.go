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
	realm    = "acme"
	lifetime = 300 * time.Second
	// openID is where the endpoints of the realm are.
	openID = "/realms/" + realm + "/protocol/openid-connect/"
	// easy is the client whose tokens are signed with RS256.
	easy = "sandbox-pexip-easy"
)

// signers are the realm's: rsa signs for the easy client; its key is made when it is first needed, which takes a
// while.
type signers struct {
	usual service.Signer
	rsa   func() service.Signer
}

func (s signers) of(client string) service.Signer {
	if client == easy {
		return s.rsa()
	}
	return s.usual
}

// New makes the service.
func New() *service.Service {
	key, scopes := service.NewKey(), allScopes()
	s := signers{
		service.Signer{Key: service.NewKey(), KeyID: "sandbox-pexip-realm-key"},
		sync.OnceValue(func() service.Signer {
			return service.Signer{Key: service.NewRSAKey(), KeyID: "sandbox-pexip-realm-rsa-key"}
		}),
	}
	return service.New(service.Service{
		Name: "pexip",
		Clients: []service.Client{
			{ID: "sandbox-pexip", Secret: service.Marker + "+pexip/100%:é secret", Scopes: scopes},
			{
				ID: "sandbox-pexip-jwt", Key: key, KeyID: "sandbox-pexip-key", Scopes: scopes,
				KeyText: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: service.PKCS8(key)})),
			},
			{ID: "sandbox-pexip-public", Public: true, Scopes: scopes},
			{ID: easy, Secret: service.Marker + "-pexip-easy", Scopes: scopes},
		},
		Profiles:  profiles,
		Signer:    s.usual,
		FormBasic: true,
		Hosts: []service.Host{{
			Prefix: "/realms/",
			Admit:  admit,
			Allow:  []string{http.MethodOptions},
			Refuse: refusal,
			Endpoints: service.Endpoints(map[string]service.Endpoint{
				"GET /realms/" + realm + "/.well-known/openid-configuration": discovery,

				"GET " + openID + "certs":             s.certs,
				"POST " + openID + "token":            s.token,
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
		s.Profile("pexip-easy", easy, nil, "account", realm),
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

// standardScopes are those that every Keycloak client has.
func standardScopes() []string { return []string{"openid", "profile", "email"} }

func refusal(status int, text string) service.Reply {
	switch {
	case status >= http.StatusInternalServerError:
		return service.OAuthError(status, "unknown_error", "For more on this error consult the server log.")
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed,
		status == http.StatusUnsupportedMediaType:
		return service.OAuthError(status, fmt.Sprintf("HTTP %d %s", status, http.StatusText(status)), "")
	default:
		return service.OAuthError(status, "invalid_request", text)
	}
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
