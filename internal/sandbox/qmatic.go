package sandbox

import (
	"cmp"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	qmaticAccount  = "mybankab"
	qmaticLifetime = 3600 * time.Second
)

// qmatic is Cloud Appointments' identity server behind its gateway
// (https://qmatic.atlassian.net/wiki/spaces/ECAEAD/pages/558202885/Authentication).
// The page shows no error: they are those of AWS Cognito's token endpoint and of
// its gateway, which the server resembles.
type qmatic struct {
	s       *Server
	clients []client

	mu   sync.Mutex
	last map[string]time.Time // the last token request let through, by account
}

func newQmatic(s *Server) *qmatic {
	const prefix = "com.qmatic.saas.appointments/external.appointment."
	scopes := []string{prefix + "book", prefix + "reschedule", prefix + "cancel"}
	return &qmatic{
		s: s,
		clients: []client{
			{id: "sandbox-qmatic", secret: Marker + "+qmatic%:raw", scopes: scopes},
			{id: "sandbox-qmatic-easy", secret: Marker + "-qmatic-easy", scopes: scopes},
		},
		last: make(map[string]time.Time),
	}
}

func (*qmatic) name() string { return "qmatic" }

func (*qmatic) owns(path string) bool { return strings.HasPrefix(path, "/oauth2/") }

// refusal is the gateway's.
func (*qmatic) refusal(status int, text string) reply {
	if status == http.StatusNotFound {
		text = "Not Found"
	}
	return reply{status: status, fields: map[string]any{"message": text}}
}

func (q *qmatic) serve(x *exchange) reply {
	switch x.r.URL.Path {
	case "/oauth2/token":
		if x.r.Method != http.MethodPost {
			return q.refusal(http.StatusMethodNotAllowed, "Method Not Allowed").with("Allow", http.MethodPost)
		}
		return q.token(x)
	default:
		return q.refusal(http.StatusNotFound, "")
	}
}

// invalid is an error of the identity server: a code, no description.
func (*qmatic) invalid(code string) reply { return oauthError(http.StatusBadRequest, code, "") }

func (q *qmatic) token(x *exchange) reply {
	account, refused := q.account(x)
	if refused != nil {
		return *refused
	}
	if !q.admit(account, x.now) {
		rep := q.refusal(http.StatusTooManyRequests, "Too Many Requests")
		if after := x.s.opts.QmaticRetryAfter; after != "" {
			rep = rep.with("Retry-After", after)
		}
		return rep
	}
	if x.bad != nil || x.r.URL.RawQuery != "" || x.form.Get("grant_type") == "" {
		return q.invalid("invalid_request")
	}
	if sent := x.form.Get("x-account"); x.form.Has("x-account") && sent != account {
		return q.invalid("invalid_request")
	}
	c, refused := q.client(x)
	if refused != nil {
		return *refused
	}
	return q.grant(x, c)
}

// client authenticates by Basic over the raw id and secret.
func (q *qmatic) client(x *exchange) (*client, *reply) {
	refuse := func(code string) (*client, *reply) { r := q.invalid(code); return nil, &r }
	b := parseBasic(x.r.Header, false)
	if b.present && x.form.Has("client_secret") {
		return refuse("invalid_request")
	}
	c := clientByID(q.clients, b.id)
	if !b.ok || c == nil || c.secret != b.secret {
		return refuse("invalid_client")
	}
	if id := x.form.Get("client_id"); id != "" && id != c.id {
		return refuse("invalid_client")
	}
	return c, nil
}

// account is the X-ACCOUNT header, which must have been normalised by the
// client: lower case, no white space.
func (q *qmatic) account(x *exchange) (string, *reply) {
	values := x.r.Header.Values("X-Account")
	var code string
	switch {
	case len(values) != 1 || values[0] == "" || values[0] != strings.ToLower(values[0]),
		strings.ContainsFunc(values[0], unicode.IsSpace):
		code = "invalid_request"
	case values[0] != qmaticAccount:
		code = "invalid_client"
	default:
		return values[0], nil
	}
	rep := q.invalid(code)
	return "", &rep
}

// admit holds the limit of one token request per second and account
// (https://qmatic.atlassian.net/wiki/spaces/ECAEAD/pages/489652237/API+Limits).
// A refused request does not push the next chance away.
func (q *qmatic) admit(account string, now time.Time) bool {
	interval := cmp.Or(q.s.opts.QmaticInterval, time.Second)
	q.mu.Lock()
	defer q.mu.Unlock()
	if last, ok := q.last[account]; ok && now.Sub(last) < interval {
		return false
	}
	q.last[account] = now
	return true
}

// grant issues opaque tokens: the page does not say that they are JWTs. The reply
// has no scope. Without a scope in the request the client gets all it has.
func (q *qmatic) grant(x *exchange, c *client) reply {
	lifetime := x.lifetime(qmaticLifetime)
	given := &grant{service: q.name(), client: c.id}
	switch x.form.Get("grant_type") {
	case "client_credentials":
		asked := strings.Fields(x.form.Get("scope"))
		scopes, ok := x.fault.granted(c, asked)
		if !ok || len(scopes) == 0 && len(asked) > 0 {
			return q.invalid("invalid_scope")
		}
		given.scope = strings.Join(scopes, " ")
		refresh := ""
		if x.fault.RefreshToken {
			refresh = x.s.tokens.begin(given)
		}
		return x.issued(given, newOpaque(), "Bearer", lifetime, refresh)
	case "refresh_token":
		given, next, ok := x.s.tokens.use(q.name(), c.id, x.form.Get("refresh_token"), x.rotates())
		if !ok {
			return q.invalid("invalid_grant")
		}
		return x.issued(given, newOpaque(), "Bearer", lifetime, next)
	case "authorization_code":
		return q.invalid("unauthorized_client")
	default:
		return q.invalid("unsupported_grant_type")
	}
}
