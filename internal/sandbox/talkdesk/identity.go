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
	"github.com/go-jose/go-jose/v4"
)

const (
	lifetime = 600 * time.Second
	// assertionLife is the longest life of an assertion, in seconds, and skew how far in the future iat may be.
	assertionLife = 300
	skew          = 60
	issuer        = "https://www.talkdeskid.com"
	audience      = "https://api.talkdeskapp.com"
)

// New makes the service. Lenient takes parameters in the query of the token request.
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
		Profiles: profiles,
		Secrets:  []string{Password},
		Hosts: []service.Host{{
			Prefix: "/oauth/",
			Endpoints: service.Endpoints(map[string]service.Endpoint{
				"POST /oauth/token":    func(x *service.Exchange) service.Reply { return token(x, lenient) },
				"GET /oauth/authorize": in.Authorize,
				"GET " + in.Path:       in.Show,
				"POST " + in.Path:      in.Submit,
			}),
			Refuse: refusal,
		}, api()},
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

// refusal has a code and a description always: the page marks both as required.
func refusal(status int, text string) service.Reply {
	code := "invalid_request"
	switch {
	case status >= http.StatusInternalServerError:
		code = "server_error"
	case status == http.StatusNotFound:
		code = "not_found"
	}
	return service.OAuthError(status, code, text)
}

func token(x *service.Exchange, lenient bool) service.Reply {
	if lenient && (x.Bad == nil || len(x.Body) == 0) {
		x.Bad = nil // without a body there need be no Content-Type
		x.TakeQuery()
	}
	if x.Bad != nil {
		return refusal(http.StatusBadRequest, x.Bad.Text)
	}
	if x.Request.URL.RawQuery != "" && !lenient {
		// Seen in the wild, and it leaves secrets in access logs.
		return refusal(http.StatusBadRequest, "parameters belong in the request body")
	}
	grant := x.Form.Get("grant_type")
	if grant == "" {
		return refusal(http.StatusBadRequest, "missing parameter: grant_type")
	}
	c, refused := client(x)
	if refused != nil {
		return *refused
	}
	switch grant {
	case "client_credentials":
		return clientCredentials(x, c)
	case "authorization_code":
		return exchangeCode(x, c)
	case "refresh_token":
		given, next, ok := x.Refresh(c)
		if !ok {
			return service.OAuthError(http.StatusBadRequest, "invalid_grant", "the refresh token is invalid or expired")
		}
		return issue(x, given, next)
	default:
		return service.OAuthError(http.StatusBadRequest, "unsupported_grant_type", "the grant type is not supported")
	}
}

// clientCredentials refuses a scope the client lacks, or was given minutes ago, with 401, as the scopes page says; RFC
// 6749 §5.2 would have it 400.
func clientCredentials(x *service.Exchange, c *service.Client) service.Reply {
	scopes, ok := scopes(x, c, x.Form.Get("scope"))
	if !ok {
		return service.OAuthError(http.StatusUnauthorized, "invalid_scope",
			"the requested scope is invalid, unknown or not effective yet")
	}
	given, refresh := x.ForClient(c, scopes...)
	return issue(x, given, refresh)
}

// scopes returns what a client gets: everything it has where it asks for nothing. A request of which nothing is left
// is refused.
func scopes(x *service.Exchange, c *service.Client, asked string, standard ...string) ([]string, bool) {
	if strings.TrimSpace(asked) == "" {
		return x.ScopesOf(c), true
	}
	scopes, ok := x.Granted(c, asked, standard...)
	return scopes, ok && len(scopes) > 0
}

// client authenticates by Basic over the raw id and secret, or by a signed JWT, but not by both at once (RFC 6749
// §2.3).
func client(x *service.Exchange) (*service.Client, *service.Reply) {
	unknown := func(text string) service.Reply {
		return service.OAuthError(http.StatusUnauthorized, "invalid_client", text)
	}
	b := x.Basic()
	if b.Present && (x.Asserted() || x.Form.Has("client_secret")) {
		return service.Refused(refusal(http.StatusBadRequest, "more than one way of client authentication"))
	}
	if x.Asserted() {
		c, problem := checkAssertion(x)
		if problem != "" {
			return service.Refused(unknown(problem))
		}
		return c, nil
	}
	c := x.Client(b.ID)
	if !b.OK || c == nil || c.Secret == "" || c.Secret != b.Secret {
		return service.Refused(unknown("client authentication failed").With("WWW-Authenticate", `Basic realm="talkdesk"`))
	}
	return c, nil
}

// checkAssertion follows https://docs.talkdesk.com/docs/signed-jwt: ES256, a known kid, the very URL posted to as
// audience, five minutes at most.
func checkAssertion(x *service.Exchange) (c *service.Client, problem string) {
	if x.Form.Get("client_assertion_type") != service.AssertionType {
		return nil, "client_assertion_type must be " + service.AssertionType
	}
	a, c, err := x.Assertion()
	if err != nil {
		return nil, "the client assertion cannot be read"
	}
	switch {
	case a.Subject == "" || a.Issuer != a.Subject:
		return nil, "iss and sub must be the client id"
	case x.Form.Has("client_id") && x.Form.Get("client_id") != a.Subject:
		return nil, "client_id is not the assertion's"
	case c == nil || c.Key == nil || a.Header().KeyID != c.KeyID:
		return nil, "no such key"
	case a.Header().Algorithm != string(jose.ES256):
		return nil, "the assertion's algorithm must be ES256"
	case !a.SignedBy(c):
		return nil, "the assertion's signature is wrong"
	case !a.Audience.Is(x.URL()):
		return nil, "aud must be the token URL"
	}
	return c, checkTimes(x, a)
}

func checkTimes(x *service.Exchange, a *service.Assertion) (problem string) {
	now := float64(x.Now.Unix())
	switch {
	case a.Expiry == nil || a.IssuedAt == nil || a.ID == "":
		return "jti, iat and exp are required"
	case *a.Expiry <= now:
		return "the assertion has expired"
	case *a.IssuedAt > now+skew:
		return "the assertion was issued in the future"
	case *a.Expiry-*a.IssuedAt > assertionLife:
		return "the assertion lives longer than five minutes"
	case !x.FirstUse(a, (assertionLife+skew)*time.Second):
		return "the assertion was used before"
	}
	return ""
}

// issue answers with a signed access token. sid comes with the tokens of a user.
func issue(x *service.Exchange, g *service.Grant, refresh string) service.Reply {
	lifetime := x.Lifetime(lifetime)
	claims := x.Claims(lifetime, map[string]any{
		"iss": issuer, "aud": audience, "sub": g.Client, "client_id": g.Client, "account": "acme",
		"scope": strings.Fields(g.Scope),
	})
	if g.User != "" {
		claims["sub"], claims["sid"] = userID, g.SID
	}
	rep := x.Issue(g, x.Signer.Sign(claims), "Bearer", lifetime, refresh)
	rep.Fields["scope"] = g.Scope
	if g.User != "" {
		rep.Fields["sid"] = g.SID
	}
	return rep
}
