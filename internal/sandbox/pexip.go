package sandbox

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	pexipRealm    = "acme"
	pexipLifetime = 300 * time.Second
	// pexipAssertionAge is how long after iat an assertion is good, pexipSkew the
	// tolerance for clocks, both in seconds; Keycloak's defaults.
	pexipAssertionAge = 60
	pexipSkew         = 15
	// pexipEasy is the client whose tokens are signed with RS256.
	pexipEasy      = "sandbox-pexip-easy"
	pexipBadClient = "Invalid client or Invalid client credentials"
)

// pexip is the Keycloak realm of one enterprise, as Pexip Engage's page
// (https://developer.pexipengage.com/staging/authentication) and Keycloak's
// sources describe it.
type pexip struct {
	s      *Server
	signer signer
	// rsa signs for the easy client; it is made when it is first needed, which takes a while.
	rsa     func() signer
	clients []client
	replay  replayGuard
}

func newPexip(s *Server) *pexip {
	scopes := pexipScopes()
	return &pexip{
		s:      s,
		signer: signer{newKey(), "sandbox-pexip-realm-key"},
		rsa:    sync.OnceValue(func() signer { return signer{newRSAKey(), "sandbox-pexip-realm-rsa-key"} }),
		clients: []client{
			{id: "sandbox-pexip", secret: Marker + "+pexip/100%:é secret", scopes: scopes},
			{id: "sandbox-pexip-jwt", key: newKey(), kid: "sandbox-pexip-key", scopes: scopes},
			{id: "sandbox-pexip-public", public: true, scopes: scopes},
			{id: pexipEasy, secret: Marker + "-pexip-easy", scopes: scopes},
		},
	}
}

// pexipScopes are the page's 36.
func pexipScopes() []string {
	var scopes []string
	for resource := range strings.FieldsSeq(`appointments availability callbackRequests customers employees
		expertises externalCalendars favoriteAgents forms leadSegments listings offices regions settings
		subjects templates translations webhooks`) {
		scopes = append(scopes, "engage:"+resource+":readOnly", "engage:"+resource+":readWrite")
	}
	return scopes
}

func (*pexip) name() string { return "pexip" }

func (*pexip) owns(path string) bool { return strings.HasPrefix(path, "/realms/") }

func (*pexip) refusal(status int, text string) reply {
	switch {
	case status >= http.StatusInternalServerError:
		return oauthError(status, "unknown_error", "For more on this error consult the server log.")
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed,
		status == http.StatusUnsupportedMediaType:
		return oauthError(status, fmt.Sprintf("HTTP %d %s", status, http.StatusText(status)), "")
	default:
		return oauthError(status, "invalid_request", text)
	}
}

func (p *pexip) serve(x *exchange) reply {
	// The escaped path: an enterprise may hold a slash that is not a separator.
	escaped, rest, _ := strings.Cut(strings.TrimPrefix(x.r.URL.EscapedPath(), "/realms/"), "/")
	if realm, err := url.PathUnescape(escaped); err != nil || realm != pexipRealm {
		return oauthError(http.StatusNotFound, "Realm does not exist", "")
	}
	e, found := p.endpoint(rest)
	switch {
	case !found:
		return p.refusal(http.StatusNotFound, "")
	case !slices.Contains(strings.Split(e.methods, ", "), x.r.Method):
		return p.refusal(http.StatusMethodNotAllowed, "").with("Allow", e.methods+", OPTIONS")
	}
	return e.serve(x)
}

// pexipEndpoint is one path of the realm; the methods are as in Allow.
type pexipEndpoint struct {
	methods string
	serve   func(*exchange) reply
}

func (p *pexip) endpoint(path string) (pexipEndpoint, bool) {
	var e pexipEndpoint
	switch path {
	case ".well-known/openid-configuration":
		e = pexipEndpoint{"GET", p.discovery}
	case "protocol/openid-connect/certs":
		e = pexipEndpoint{"GET", p.certs}
	case "protocol/openid-connect/token":
		e = pexipEndpoint{"POST", p.token}
	case "protocol/openid-connect/userinfo":
		e = pexipEndpoint{"GET, POST", p.userInfo}
	case "protocol/openid-connect/token/introspect":
		e = pexipEndpoint{"POST", p.introspect}
	case "protocol/openid-connect/revoke":
		e = pexipEndpoint{"POST", p.revoke}
	case "protocol/openid-connect/logout":
		e = pexipEndpoint{"POST", p.logout}
	default:
		return e, false
	}
	return e, true
}

// issuer is the realm's name as seen from where the request came in.
func (*pexip) issuer(x *exchange) string { return x.origin() + "/realms/" + pexipRealm }

// token is RFC 6749 §3.2 in Keycloak's order: parameters, client, grant.
// Parameters in the query string are not looked at.
func (p *pexip) token(x *exchange) reply {
	if x.bad != nil {
		return p.refusal(x.bad.status, x.bad.text)
	}
	kind := x.form.Get("grant_type")
	switch kind {
	case "":
		return oauthError(http.StatusBadRequest, "invalid_request", "Missing form parameter: grant_type")
	case "client_credentials", "refresh_token":
	default:
		return oauthError(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant_type")
	}
	c, refused := p.client(x)
	if refused != nil {
		return *refused
	}
	if kind == "refresh_token" {
		given, next, ok := x.s.tokens.use(p.name(), c.id, x.form.Get("refresh_token"), x.rotates())
		if !ok {
			return oauthError(http.StatusBadRequest, "invalid_grant", "Invalid refresh token")
		}
		return p.issue(x, given, next)
	}
	if c.public {
		return oauthError(http.StatusUnauthorized, "unauthorized_client",
			"Client not enabled to retrieve service account")
	}
	requested := x.form.Get("scope")
	scopes, ok := x.fault.granted(c, strings.Fields(requested), pexipStandard()...)
	if !ok {
		return oauthError(http.StatusBadRequest, "invalid_scope", "Invalid scopes: "+requested)
	}
	given := &grant{service: p.name(), client: c.id, scope: pexipGranted(scopes)}
	refresh := ""
	if x.fault.RefreshToken {
		refresh = x.s.tokens.begin(given)
	}
	return p.issue(x, given, refresh)
}

// pexipStandard are the scopes every Keycloak client has.
func pexipStandard() []string { return []string{"openid", "profile", "email"} }

// client authenticates as Keycloak's ClientIdAndSecretAuthenticator does: Basic
// is form-decoded, and form credentials go before the header's.
func (p *pexip) client(x *exchange) (*client, *reply) {
	if x.form.Has("client_assertion") || x.form.Has("client_assertion_type") {
		return p.assertedClient(x)
	}
	refuse := func(r reply) (*client, *reply) { return nil, &r }
	b := parseBasic(x.r.Header, true)
	if b.present && !b.ok && !x.form.Has("client_id") {
		return refuse(reply{status: http.StatusUnauthorized}.
			with("WWW-Authenticate", fmt.Sprintf("Basic realm=%q", pexipRealm)))
	}
	id, secret := b.id, b.secret
	if x.form.Has("client_id") {
		id = x.form.Get("client_id")
	}
	if x.form.Has("client_secret") {
		secret = x.form.Get("client_secret")
	}
	if id == "" {
		return refuse(oauthError(http.StatusBadRequest, "invalid_client", "Missing client_id parameter"))
	}
	c := clientByID(p.clients, id)
	if c == nil {
		return refuse(oauthError(http.StatusUnauthorized, "invalid_client", pexipBadClient))
	}
	if c.public && !b.present && secret == "" {
		return c, nil
	}
	if c.secret == "" || c.secret != secret {
		return refuse(oauthError(http.StatusUnauthorized, "unauthorized_client", pexipBadClient))
	}
	return c, nil
}

// assertedClient authenticates by private_key_jwt, as Keycloak's
// AbstractJWTClientValidator does.
func (p *pexip) assertedClient(x *exchange) (*client, *reply) {
	c, problem := p.checkAssertion(x)
	if problem != "" {
		r := oauthError(http.StatusBadRequest, "invalid_client", problem)
		return nil, &r
	}
	return c, nil
}

// checkAssertion returns the client, or Keycloak's words for what is wrong.
func (p *pexip) checkAssertion(x *exchange) (c *client, problem string) {
	switch {
	case !x.form.Has("client_assertion_type"):
		return nil, "Parameter client_assertion_type is missing"
	case x.form.Get("client_assertion_type") != assertionType:
		return nil, "Parameter client_assertion_type has an unexpected value"
	case !x.form.Has("client_assertion"):
		return nil, "client_assertion parameter missing"
	}
	a, err := parseAssertion(x.form.Get("client_assertion"))
	if err != nil {
		return nil, "Invalid client assertion"
	}
	c = clientByID(p.clients, a.Subject)
	issuer := p.issuer(x)
	token := issuer + "/protocol/openid-connect/token"
	switch {
	case a.Subject == "":
		return nil, "Can't identify client. Subject missing on JWT token"
	case a.Issuer != a.Subject:
		return nil, "Issuer mismatch. The issuer should match the subject"
	case x.form.Has("client_id") && x.form.Get("client_id") != a.Subject:
		return nil, "client_id parameter not matching with client from JWT token"
	case c == nil || c.key == nil:
		return nil, "Unable to load public key"
	case a.header().KeyID != "" && a.header().KeyID != c.kid, !a.signedBy(c):
		return nil, "Signature on JWT token failed validation"
	case len(a.Audience) > 1:
		return nil, "Multiple audiences not allowed in the JWT token"
	case !a.Audience.is(issuer, token, token+"/introspect"):
		return nil, "Invalid token audience"
	}
	return c, p.checkTimes(a, x.now)
}

// checkTimes is Keycloak's AbstractBaseJWTValidator: exp and jti are required,
// and iat bounds the life of an assertion whatever its exp.
func (p *pexip) checkTimes(a *assertion, at time.Time) (problem string) {
	now := float64(at.Unix())
	if a.Expiry == nil {
		return "Token exp claim is required"
	}
	left := *a.Expiry + pexipSkew - now
	switch {
	case left < 0:
		return "Token is not active"
	case a.IssuedAt == nil && left > pexipAssertionAge+pexipSkew:
		return "Token expiration is too far in the future and iat claim not present in token"
	case a.IssuedAt != nil && *a.IssuedAt > now+pexipSkew:
		return "Token was issued in the future"
	case a.IssuedAt != nil && *a.IssuedAt+pexipAssertionAge <= now:
		return "Token was issued too far in the past to be used now"
	case a.ID == "":
		return "Missing ID on the token"
	}
	keep := time.Duration(math.Min(left, pexipAssertionAge+pexipSkew)) * time.Second
	if !p.replay.first(a.Subject+" "+a.ID, at.Add(keep+time.Second), at) {
		return "Token reuse detected"
	}
	return ""
}

// pexipGranted adds the default scopes, which come unasked.
func pexipGranted(scopes []string) string {
	for _, scope := range []string{"profile", "email"} {
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return strings.Join(scopes, " ")
}

// issue answers with a Keycloak token reply.
func (p *pexip) issue(x *exchange, g *grant, refresh string) reply {
	lifetime := x.lifetime(pexipLifetime)
	signer := p.signer
	if g.client == pexipEasy {
		signer = p.rsa()
	}
	access, err := signer.sign(p.claims(x, g, "Bearer", lifetime))
	if err != nil {
		return p.refusal(http.StatusInternalServerError, "")
	}
	rep := x.issued(g, access, "Bearer", lifetime, refresh)
	rep.fields["refresh_expires_in"] = 0
	if refresh != "" {
		rep.fields["refresh_expires_in"] = 1800
	}
	rep.fields["not-before-policy"] = 0
	rep.fields["scope"] = g.scope
	if slices.Contains(strings.Fields(g.scope), "openid") {
		id, err := signer.sign(p.claims(x, g, "ID", lifetime))
		if err != nil {
			return p.refusal(http.StatusInternalServerError, "")
		}
		x.remember(g, id, idToken, lifetime)
		rep.fields["id_token"] = id
	}
	return rep
}

// claims are those of a service account's token.
func (p *pexip) claims(x *exchange, g *grant, typ string, lifetime time.Duration) map[string]any {
	aud := "account"
	if typ == "ID" {
		aud = g.client
	}
	return map[string]any{
		"iss": p.issuer(x), "aud": aud, "sub": "service-account-" + g.client,
		"iat": x.now.Unix(), "exp": x.now.Add(lifetime).Unix(), "jti": newUUID(),
		"typ": typ, "azp": g.client, "acr": "1", "scope": g.scope,
		"realm_access":       map[string]any{"roles": []string{"default-roles-" + pexipRealm, "offline_access"}},
		"client_id":          g.client,
		"clientHost":         "127.0.0.1",
		"clientAddress":      "127.0.0.1",
		"preferred_username": "service-account-" + g.client,
		"email_verified":     false,
	}
}
