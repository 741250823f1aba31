package oauth2

import (
	"slices"
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
	"github.com/go-jose/go-jose/v4/jwt"
)

// leeway is between a client's clock and the issuer's.
const leeway = 15 * time.Second

// asserted is what the request's assertion says, unchecked.
func asserted(x *service.Exchange) (claims jwt.Claims) {
	_, _ = service.ParseJWT(x.Form.Get("assertion"), &claims, algorithms()...)
	return claims
}

// asserter is the client that signs assertions for others too.
const asserter = "sandbox-oauth2-jwt"

// bearer is the grant of RFC 7523 §2.1. The client signs with the key that is registered, for itself or for the user,
// or shows what the asserter signed. An assertion may ask for scopes inside, as Google's have it.
func (i *issuer) bearer(x *service.Exchange, c *service.Client) (*service.Grant, *service.Reply) {
	if !x.Form.Has("assertion") {
		return nil, x.Refuse(service.Missing, "assertion")
	}
	var claims struct {
		jwt.Claims
		Scope string `json:"scope"`
	}
	signed, err := service.ParseJWT(x.Form.Get("assertion"), &claims, algorithms()...)
	audience := slices.Contains(x.Assertions.Audience(x), slices.Concat(claims.Audience, []string{""})[0])
	g := &service.Grant{Client: c.ID, At: x.Now, Final: true}
	problem := timely(x, claims.Claims, time.Hour)
	by := x.Client(claims.Issuer)
	switch {
	case err != nil:
		problem = "the assertion is no JWT"
	case by == nil || !by.Keyed || by != c && by.ID != asserter:
		problem = "the assertion's iss is not the client, or has no key here"
	case signed.Claims(by.Key.Key.Public()) != nil:
		problem = "the assertion's signature does not fit the key of its iss"
	case len(claims.Audience) != 1 || !audience:
		problem = "the assertion's aud is neither the issuer nor its token endpoint"
	case isUser(claims.Subject):
		g.User = User
	case claims.Subject != by.ID && claims.Subject != "": // Google's assertions for nobody else have none
		problem = "the assertion's sub is nobody here"
	default:
		g.Subject = by.ID
	}
	if problem != "" {
		return nil, x.Refuse(service.BadCode, problem)
	}
	asked, standard := x.Form.Get("scope"), []string(nil)
	if asked == "" {
		asked = claims.Scope
	}
	if g.User != "" {
		standard = userScopes()
	}
	var ok bool
	if g.Scope, ok = x.Granted(asked, standard, nil); !ok {
		return nil, x.Refuse(service.BadScope, asked)
	}
	return g, nil
}

// timely says what is wrong with the times of an assertion (RFC 7523 §3), which may live so long from now.
func timely(x *service.Exchange, claims jwt.Claims, most time.Duration) (problem string) {
	switch {
	case claims.Expiry == nil:
		return "the assertion has no exp"
	case !claims.Expiry.Time().Add(leeway).After(x.Now):
		return "the assertion has expired"
	case claims.Expiry.Time().After(x.Now.Add(most + leeway)):
		return "the assertion lives longer than " + most.String()
	case claims.IssuedAt != nil && claims.IssuedAt.Time().After(x.Now.Add(leeway)),
		claims.NotBefore != nil && claims.NotBefore.Time().After(x.Now.Add(leeway)):
		return "the assertion is from the future"
	}
	return ""
}
