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

const (
	account  = "mybankab"
	lifetime = 3600 * time.Second
	book     = "com.qmatic.saas.appointments/external.appointment.book"
)

// identity is the state of the limit of requests.
type identity struct {
	interval   time.Duration
	retryAfter string

	mu   sync.Mutex
	last map[string]time.Time // the last token request let through, by account
}

// New makes the service. Interval is the least time between two token requests of one account: zero means the
// documented second, below zero no limit. RetryAfter is the header of the 429; empty: none.
func New(interval time.Duration, retryAfter string) *service.Service {
	const prefix = "com.qmatic.saas.appointments/external.appointment."
	scopes := []string{book, prefix + "reschedule", prefix + "cancel"}
	q := &identity{
		interval: cmp.Or(interval, time.Second), retryAfter: retryAfter, last: make(map[string]time.Time),
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
			Prefix:    "/oauth2/",
			Endpoints: service.Endpoints(map[string]service.Endpoint{"POST /oauth2/token": q.token}),
			Refuse:    refusal,
		}},
	})
}

// refusal is the gateway's.
func refusal(status int, text string) service.Reply {
	if status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
		text = http.StatusText(status)
	}
	return service.Reply{Status: status, Fields: map[string]any{"message": text}}
}

// invalid is an error of the identity server: a code, no description.
func invalid(code string) service.Reply { return service.OAuthError(http.StatusBadRequest, code, "") }

func (q *identity) token(x *service.Exchange) service.Reply {
	name, code := sentAccount(x.Request.Header)
	if code != "" {
		return invalid(code)
	}
	if !q.admit(name, x.Now) {
		rep := refusal(http.StatusTooManyRequests, "Too Many Requests")
		if q.retryAfter != "" {
			rep = rep.With("Retry-After", q.retryAfter)
		}
		return rep
	}
	if x.Bad != nil || x.Request.URL.RawQuery != "" || x.Form.Get("grant_type") == "" {
		return invalid("invalid_request")
	}
	if sent := x.Form.Get("x-account"); x.Form.Has("x-account") && sent != name {
		return invalid("invalid_request")
	}
	c, refused := client(x)
	if refused != nil {
		return *refused
	}
	return grant(x, c)
}

// client authenticates by Basic over the raw id and secret.
func client(x *service.Exchange) (*service.Client, *service.Reply) {
	b := x.Basic()
	if b.Present && x.Form.Has("client_secret") {
		return service.Refused(invalid("invalid_request"))
	}
	c := x.Client(b.ID)
	if !b.OK || c == nil || c.Secret != b.Secret {
		return service.Refused(invalid("invalid_client"))
	}
	if id := x.Form.Get("client_id"); id != "" && id != c.ID {
		return service.Refused(invalid("invalid_client"))
	}
	return c, nil
}

// sentAccount is the header X-ACCOUNT, which must have been normalised by the client: lower case, no white space. A
// code says what is wrong with it.
func sentAccount(h http.Header) (name, code string) {
	values := h.Values("X-Account")
	switch {
	case len(values) != 1 || values[0] == "" || values[0] != strings.ToLower(values[0]),
		strings.ContainsFunc(values[0], unicode.IsSpace):
		return "", "invalid_request"
	case values[0] != account:
		return "", "invalid_client"
	}
	return values[0], ""
}

// admit holds the limit of one token request per second and account
// (https://qmatic.atlassian.net/wiki/spaces/ECAEAD/pages/489652237/API+Limits). A refused request does not push the
// next chance away.
func (q *identity) admit(account string, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if last, ok := q.last[account]; ok && now.Sub(last) < q.interval {
		return false
	}
	q.last[account] = now
	return true
}

// grant issues opaque tokens: the page does not say that they are JWTs. The reply has no scope. Without a scope in the
// request the client gets all it has.
func grant(x *service.Exchange, c *service.Client) service.Reply {
	var given *service.Grant
	var refresh string
	switch x.Form.Get("grant_type") {
	case "client_credentials":
		asked := x.Form.Get("scope")
		scopes, granted := x.Granted(c, asked)
		if !granted || len(scopes) == 0 && strings.TrimSpace(asked) != "" {
			return invalid("invalid_scope")
		}
		given, refresh = x.ForClient(c, scopes...)
	case "refresh_token":
		var ok bool
		if given, refresh, ok = x.Refresh(c); !ok {
			return invalid("invalid_grant")
		}
	case "authorization_code":
		return invalid("unauthorized_client")
	default:
		return invalid("unsupported_grant_type")
	}
	return x.Issue(given, service.NewOpaque(), "Bearer", x.Lifetime(lifetime), refresh)
}
