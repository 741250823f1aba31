package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	talkdeskLifetime = 600 * time.Second
	// talkdeskAssertionLife is the longest life of an assertion, in seconds, and
	// talkdeskSkew how far in the future iat may be.
	talkdeskAssertionLife = 300
	talkdeskSkew          = 60
	talkdeskIssuer        = "https://www.talkdeskid.com"
	talkdeskAudience      = "https://api.talkdeskapp.com"
)

// talkdesk is the identity host of one account
// (https://docs.talkdesk.com/reference/cc-basic and …/cc-jwt).
type talkdesk struct {
	s        *Server
	signer   signer
	clients  []client
	replay   replayGuard
	consents consents
}

func newTalkdesk(s *Server) *talkdesk {
	// What the account's clients were not given in Builder, so that there is
	// something to be refused.
	granted := slices.DeleteFunc(talkdeskScopes(), func(scope string) bool {
		return strings.HasPrefix(scope, "voicebiometrics-")
	})
	return &talkdesk{
		s:      s,
		signer: signer{newKey(), "sandbox-talkdesk-signing-key"},
		clients: []client{
			{id: "sandbox-talkdesk", secret: Marker + "+talkdesk%:raw", scopes: granted},
			{id: "sandbox-talkdesk-jwt", key: newKey(), kid: "sandbox-talkdesk-key", scopes: granted},
			{id: "sandbox-talkdesk-easy", secret: Marker + "-talkdesk-easy", scopes: granted},
		},
	}
}

// talkdeskScopes are the 34 of https://docs.talkdesk.com/docs/scopes.
func talkdeskScopes() []string {
	return strings.Fields(`account:read apps:read apps:write attributes:read attributes:write callback:write
		contacts:read contacts:write do-not-call-lists:manage data-reports:write data-reports:read events:write
		flows-interactions:start guardian-cases:read guardian-session:read guardian-users:read
		guardian-call-quality:read live-queries:read live-subscriptions:read live-subscriptions:write
		identity-phone-validation:read recordings:read record-lists:manage reports:write reports:read
		ring-groups:read user-ring-groups:read wfm-aion-public:write users:read account-wallets:read
		bucket-configurations:read voicebiometrics-consent:write voicebiometrics-consent:read
		voicebiometrics-enroll:write`)
}

func (*talkdesk) name() string { return "talkdesk" }

func (*talkdesk) owns(path string) bool { return strings.HasPrefix(path, "/oauth/") }

// refusal has a code and a description always: the page marks both as required.
func (*talkdesk) refusal(status int, text string) reply {
	switch {
	case status >= http.StatusInternalServerError:
		return oauthError(status, "server_error", text)
	case status == http.StatusNotFound:
		return oauthError(status, "not_found", text)
	default:
		return oauthError(status, "invalid_request", text)
	}
}

func (t *talkdesk) serve(x *exchange) reply {
	refuseMethod := func(allow string) reply {
		return t.refusal(http.StatusMethodNotAllowed, "method not allowed").with("Allow", allow)
	}
	get, post := x.r.Method == http.MethodGet, x.r.Method == http.MethodPost
	switch x.r.URL.Path {
	case "/oauth/token":
		if !post {
			return refuseMethod("POST")
		}
		return t.token(x)
	case "/oauth/authorize":
		if !get {
			return refuseMethod("GET")
		}
		return t.authorize(x)
	case talkdeskSignInPath:
		if !get && !post {
			return refuseMethod("GET, POST")
		}
		return t.signIn(x)
	default:
		return t.refusal(http.StatusNotFound, "the resource does not exist")
	}
}

func (t *talkdesk) token(x *exchange) reply {
	if x.s.opts.Lenient && (x.bad == nil || len(x.body) == 0) {
		x.bad = nil // without a body there need be no Content-Type
		x.takeQuery()
	}
	if x.bad != nil {
		return t.refusal(http.StatusBadRequest, x.bad.text)
	}
	if x.r.URL.RawQuery != "" && !x.s.opts.Lenient {
		// Seen in the wild, and it leaves secrets in access logs.
		return t.refusal(http.StatusBadRequest, "parameters belong in the request body")
	}
	grant := x.form.Get("grant_type")
	if grant == "" {
		return t.refusal(http.StatusBadRequest, "missing parameter: grant_type")
	}
	c, refused := t.client(x)
	if refused != nil {
		return *refused
	}
	switch grant {
	case "client_credentials":
		return t.clientCredentials(x, c)
	case "authorization_code":
		return t.exchangeCode(x, c)
	case "refresh_token":
		given, next, ok := x.s.tokens.use(t.name(), c.id, x.form.Get("refresh_token"), x.rotates())
		if !ok {
			return oauthError(http.StatusBadRequest, "invalid_grant", "the refresh token is invalid or expired")
		}
		return t.issue(x, given, next)
	default:
		return oauthError(http.StatusBadRequest, "unsupported_grant_type", "the grant type is not supported")
	}
}

// clientCredentials refuses a scope the client lacks, or was given minutes ago,
// with 401, as the scopes page says; RFC 6749 §5.2 would have it 400.
func (t *talkdesk) clientCredentials(x *exchange, c *client) reply {
	scopes, ok := t.scopes(x, c, x.form.Get("scope"))
	if !ok {
		return oauthError(http.StatusUnauthorized, "invalid_scope",
			"the requested scope is invalid, unknown or not effective yet")
	}
	given := &grant{service: t.name(), client: c.id, scope: strings.Join(scopes, " ")}
	refresh := ""
	if x.fault.RefreshToken {
		refresh = x.s.tokens.begin(given)
	}
	return t.issue(x, given, refresh)
}

// scopes returns what a client gets: everything it has where it asks for nothing. A
// request of which nothing is left is refused.
func (*talkdesk) scopes(x *exchange, c *client, asked string, standard ...string) ([]string, bool) {
	words := strings.Fields(asked)
	if len(words) == 0 {
		return x.fault.scopesOf(c), true
	}
	scopes, ok := x.fault.granted(c, words, standard...)
	return scopes, ok && len(scopes) > 0
}

// client authenticates by Basic over the raw id and secret, or by a signed JWT,
// but not by both at once (RFC 6749 §2.3).
func (t *talkdesk) client(x *exchange) (*client, *reply) {
	refuse := func(r reply) (*client, *reply) { return nil, &r }
	b := parseBasic(x.r.Header, false)
	asserted := x.form.Has("client_assertion") || x.form.Has("client_assertion_type")
	if b.present && (asserted || x.form.Has("client_secret")) {
		return refuse(t.refusal(http.StatusBadRequest, "more than one way of client authentication"))
	}
	if asserted {
		c, problem := t.checkAssertion(x)
		if problem != "" {
			return refuse(oauthError(http.StatusUnauthorized, "invalid_client", problem))
		}
		return c, nil
	}
	c := clientByID(t.clients, b.id)
	if !b.ok || c == nil || c.secret == "" || c.secret != b.secret {
		return refuse(oauthError(http.StatusUnauthorized, "invalid_client", "client authentication failed").
			with("WWW-Authenticate", `Basic realm="talkdesk"`))
	}
	return c, nil
}

// checkAssertion follows https://docs.talkdesk.com/docs/signed-jwt: ES256, a
// known kid, the very URL posted to as audience, five minutes at most.
func (t *talkdesk) checkAssertion(x *exchange) (c *client, problem string) {
	if x.form.Get("client_assertion_type") != assertionType {
		return nil, "client_assertion_type must be " + assertionType
	}
	a, err := parseAssertion(x.form.Get("client_assertion"))
	if err != nil {
		return nil, "the client assertion cannot be read"
	}
	c = clientByID(t.clients, a.Subject)
	switch {
	case a.Subject == "" || a.Issuer != a.Subject:
		return nil, "iss and sub must be the client id"
	case x.form.Has("client_id") && x.form.Get("client_id") != a.Subject:
		return nil, "client_id is not the assertion's"
	case c == nil || c.key == nil || a.header().KeyID != c.kid:
		return nil, "no such key"
	case a.header().Algorithm != string(jose.ES256):
		return nil, "the assertion's algorithm must be ES256"
	case !a.signedBy(c):
		return nil, "the assertion's signature is wrong"
	case !a.Audience.is(x.requestURL()):
		return nil, "aud must be the token URL"
	}
	return c, t.checkTimes(a, x.now)
}

func (t *talkdesk) checkTimes(a *assertion, at time.Time) (problem string) {
	now := float64(at.Unix())
	switch {
	case a.Expiry == nil || a.IssuedAt == nil || a.ID == "":
		return "jti, iat and exp are required"
	case *a.Expiry <= now:
		return "the assertion has expired"
	case *a.IssuedAt > now+talkdeskSkew:
		return "the assertion was issued in the future"
	case *a.Expiry-*a.IssuedAt > talkdeskAssertionLife:
		return "the assertion lives longer than five minutes"
	case !t.replay.first(a.Subject+" "+a.ID, at.Add((talkdeskAssertionLife+talkdeskSkew)*time.Second), at):
		return "the assertion was used before"
	}
	return ""
}

// issue answers with a signed access token. sid comes with the tokens of a user.
func (t *talkdesk) issue(x *exchange, g *grant, refresh string) reply {
	lifetime := x.lifetime(talkdeskLifetime)
	claims := map[string]any{
		"iss": talkdeskIssuer, "aud": talkdeskAudience, "sub": g.client, "client_id": g.client, "account": "acme",
		"iat": x.now.Unix(), "exp": x.now.Add(lifetime).Unix(), "jti": newUUID(),
		"scope": strings.Fields(g.scope),
	}
	if g.user != "" {
		claims["sub"], claims["sid"] = talkdeskUserID, g.sid
	}
	access, err := t.signer.sign(claims)
	if err != nil {
		return t.refusal(http.StatusInternalServerError, http.StatusText(http.StatusInternalServerError))
	}
	rep := x.issued(g, access, "Bearer", lifetime, refresh)
	rep.fields["scope"] = g.scope
	if g.user != "" {
		rep.fields["sid"] = g.sid
	}
	return rep
}
