// Package qmatic emulates Cloud Appointments' identity server behind its gateway
// (https://qmatic.atlassian.net/wiki/spaces/ECAEAD/pages/558202885/Authentication). The page shows no error: they are
// those of AWS Cognito's token endpoint and of its gateway, which the server resembles.
package qmatic

import (
	"cmp"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/authctl/authctl/internal/sandbox/service"
)

const account = "mybankab"

// New makes the service. Interval is the least time between two token requests: zero means the documented second,
// below zero no limit.
func New(interval time.Duration) *service.Service {
	const prefix = "com.qmatic.saas.appointments/external.appointment."
	const book = prefix + "book"
	scopes := []string{book, prefix + "reschedule", prefix + "cancel"}
	tokens := &service.Issuer{
		Grants: []string{"client_credentials", "refresh_token"}, Lifetime: 3600 * time.Second,
		Before: (&gateway{interval: cmp.Or(interval, time.Second)}).admit,
		// The page's reply has no scope, and does not say that tokens are JWTs.
		Complete: func(_ *service.Exchange, _ *service.Grant, rep *service.Reply) { delete(rep.Fields, "scope") },
	}
	return service.New(service.Service{
		Name: "qmatic",
		Clients: []service.Client{
			{ID: "sandbox-qmatic", Secret: service.Marker + "+qmatic%:raw", Scopes: scopes},
			{ID: "sandbox-qmatic-easy", Secret: service.Marker + "-qmatic-easy", Scopes: scopes},
		},
		Profiles: func(s *service.Service) []service.Profile {
			return []service.Profile{
				s.Profile("qmatic", "sandbox-qmatic", []string{book}, "account", "My Bank AB"),
				s.Profile("qmatic-easy", "sandbox-qmatic-easy", []string{book}, "account", "My Bank AB"),
			}
		},
		Hosts: []service.Host{{
			Prefix: "/oauth2/", Error: failure,
			Endpoints: service.Endpoints(map[string]service.Endpoint{"POST /oauth2/token": tokens.Answer}),
		}},
	})
}

// failure is the gateway's, or with a code the identity server's: that is always a 400, without a description.
func failure(status int, code, text string) service.Reply {
	switch {
	case code != "":
		return service.OAuthError(http.StatusBadRequest, code, "")
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		text = http.StatusText(status)
	}
	return service.Reply{Status: status, Fields: map[string]any{"message": text}}
}

// gateway limits the requests.
type gateway struct {
	interval time.Duration

	mu   sync.Mutex
	last time.Time // of the last request let through
}

// admit looks at the header X-ACCOUNT, which must have been normalised by the client: lower case, no white space. Then
// it holds the limit of one token request per second and account
// (https://qmatic.atlassian.net/wiki/spaces/ECAEAD/pages/489652237/API+Limits); a refused request does not push the
// next chance away.
func (g *gateway) admit(x *service.Exchange) *service.Reply {
	refuse := func(status int, code, text string) *service.Reply {
		rep := failure(status, code, text)
		return &rep
	}
	sent := strings.Join(x.Request.Header.Values("X-Account"), ", ")
	switch {
	case sent == "", sent != strings.ToLower(sent), strings.ContainsFunc(sent, unicode.IsSpace):
		return refuse(0, "invalid_request", "")
	case sent != account:
		return refuse(0, "invalid_client", "")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.last.IsZero() && x.Now.Sub(g.last) < g.interval {
		return refuse(http.StatusTooManyRequests, "", "Too Many Requests")
	}
	g.last = x.Now
	switch {
	case x.Bad != nil, x.Form.Has("x-account") && x.Form.Get("x-account") != sent:
		return refuse(0, "invalid_request", "")
	case x.Form.Get("grant_type") == "authorization_code":
		return x.Refuse(service.ForbidGrant, "")
	}
	return nil
}
