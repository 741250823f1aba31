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
	tokens := &service.Issuer{
		Grants: []string{"client_credentials", "refresh_token"}, Lifetime: 3600 * time.Second,
		// The page's reply has no scope, and does not say that tokens are JWTs.
		Complete: func(_ *service.Exchange, _ *service.Grant, rep *service.Reply) { delete(rep.Fields, "scope") },
	}
	return service.New(service.Service{
		Name: "qmatic", Scopes: []string{prefix + "book", prefix + "reschedule", prefix + "cancel"},
		Clients: []service.Client{
			{ID: "sandbox-qmatic", Secret: service.Marker + "+qmatic%:raw"},
			{ID: "sandbox-qmatic-easy", Secret: service.Marker + "-qmatic-easy"},
		},
		Settings: map[string]string{"account": "My Bank AB"},
		Profiles: []service.Profile{
			{Name: "qmatic", Client: "sandbox-qmatic", Scopes: []string{prefix + "book"}},
			{Name: "qmatic-easy", Client: "sandbox-qmatic-easy", Scopes: []string{prefix + "book"}},
		},
		Hosts: []service.Host{{
			Prefix: "/oauth2/", Error: failure, Admit: gateway(cmp.Or(interval, time.Second)),
			Endpoints: map[string]service.Endpoint{"POST /oauth2/token": tokens.Answer},
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

// gateway looks at the header X-ACCOUNT, which the client must have normalised: lower case, no white space. Then it
// holds the limit of one token request per second and account
// (https://qmatic.atlassian.net/wiki/spaces/ECAEAD/pages/489652237/API+Limits); a refused request does not push the
// next chance away.
func gateway(interval time.Duration) func(*service.Exchange) *service.Reply {
	var mu sync.Mutex
	var last time.Time // of the last request let through
	return func(x *service.Exchange) *service.Reply {
		sent := strings.Join(x.Request.Header.Values("X-Account"), ", ")
		switch {
		case sent == "", sent != strings.ToLower(sent), strings.ContainsFunc(sent, unicode.IsSpace):
			return new(failure(0, "invalid_request", ""))
		case sent != account:
			return new(failure(0, "invalid_client", ""))
		}
		mu.Lock()
		defer mu.Unlock()
		if !last.IsZero() && x.Now.Sub(last) < interval {
			return new(failure(http.StatusTooManyRequests, "", "Too Many Requests"))
		}
		last = x.Now
		switch {
		case x.Bad != "", x.Form.Has("x-account") && x.Form.Get("x-account") != sent:
			return new(failure(0, "invalid_request", ""))
		case x.Form.Get("grant_type") == "authorization_code":
			return x.Refuse(service.ForbidGrant, "")
		}
		return nil
	}
}
