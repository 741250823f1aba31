package pexip

import (
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
)

const (
	// assertionAge is how long after iat an assertion is good, skew the tolerance for clocks, both in seconds;
	// Keycloak's defaults.
	assertionAge = 60
	skew         = 15
	badClient    = "Invalid client or Invalid client credentials"
)

// client authenticates as Keycloak's ClientIdAndSecretAuthenticator does: Basic is form-decoded, and form credentials
// go before the header's.
func client(x *service.Exchange) (*service.Client, *service.Reply) {
	if x.Asserted() {
		c, problem := checkAssertion(x)
		if problem != "" {
			return service.Refused(service.OAuthError(http.StatusBadRequest, "invalid_client", problem))
		}
		return c, nil
	}
	b := x.Basic()
	if b.Present && !b.OK && !x.Form.Has("client_id") {
		return service.Refused(service.Reply{Status: http.StatusUnauthorized}.
			With("WWW-Authenticate", fmt.Sprintf("Basic realm=%q", realm)))
	}
	id, secret := b.ID, b.Secret
	if x.Form.Has("client_id") {
		id = x.Form.Get("client_id")
	}
	if x.Form.Has("client_secret") {
		secret = x.Form.Get("client_secret")
	}
	c := x.Client(id)
	switch {
	case id == "":
		return service.Refused(service.OAuthError(http.StatusBadRequest, "invalid_client", "Missing client_id parameter"))
	case c == nil:
		return service.Refused(service.OAuthError(http.StatusUnauthorized, "invalid_client", badClient))
	case c.Public && !b.Present && secret == "":
		return c, nil
	case c.Secret == "" || c.Secret != secret:
		return service.Refused(service.OAuthError(http.StatusUnauthorized, "unauthorized_client", badClient))
	}
	return c, nil
}

// checkAssertion authenticates by private_key_jwt, as Keycloak's AbstractJWTClientValidator does. It returns the
// client, or Keycloak's words for what is wrong.
func checkAssertion(x *service.Exchange) (c *service.Client, problem string) {
	switch {
	case !x.Form.Has("client_assertion_type"):
		return nil, "Parameter client_assertion_type is missing"
	case x.Form.Get("client_assertion_type") != service.AssertionType:
		return nil, "Parameter client_assertion_type has an unexpected value"
	case !x.Form.Has("client_assertion"):
		return nil, "client_assertion parameter missing"
	}
	a, c, err := x.Assertion()
	if err != nil {
		return nil, "Invalid client assertion"
	}
	token := x.Origin() + openID + "token"
	switch {
	case a.Subject == "":
		return nil, "Can't identify client. Subject missing on JWT token"
	case a.Issuer != a.Subject:
		return nil, "Issuer mismatch. The issuer should match the subject"
	case x.Form.Has("client_id") && x.Form.Get("client_id") != a.Subject:
		return nil, "client_id parameter not matching with client from JWT token"
	case c == nil || c.Key == nil:
		return nil, "Unable to load public key"
	case a.Header().KeyID != "" && a.Header().KeyID != c.KeyID, !a.SignedBy(c):
		return nil, "Signature on JWT token failed validation"
	case len(a.Audience) > 1:
		return nil, "Multiple audiences not allowed in the JWT token"
	case !a.Audience.Is(issuer(x), token, token+"/introspect"):
		return nil, "Invalid token audience"
	}
	return c, checkTimes(x, a)
}

// checkTimes is Keycloak's AbstractBaseJWTValidator: exp and jti are required, and iat bounds the life of an assertion
// whatever its exp.
func checkTimes(x *service.Exchange, a *service.Assertion) (problem string) {
	now := float64(x.Now.Unix())
	if a.Expiry == nil {
		return "Token exp claim is required"
	}
	left := *a.Expiry + skew - now
	switch {
	case left < 0:
		return "Token is not active"
	case a.IssuedAt == nil && left > assertionAge+skew:
		return "Token expiration is too far in the future and iat claim not present in token"
	case a.IssuedAt != nil && *a.IssuedAt > now+skew:
		return "Token was issued in the future"
	case a.IssuedAt != nil && *a.IssuedAt+assertionAge <= now:
		return "Token was issued too far in the past to be used now"
	case a.ID == "":
		return "Missing ID on the token"
	}
	keep := time.Duration(math.Min(left, assertionAge+skew)) * time.Second
	if !x.FirstUse(a, keep+time.Second) {
		return "Token reuse detected"
	}
	return ""
}

// posted reads the parameters of a POST, its client, and the one parameter that it is about. Missing is Keycloak's
// word for its absence.
func posted(x *service.Exchange, name, missing string) (c *service.Client, value string, refused *service.Reply) {
	refuse := func(r service.Reply) (*service.Client, string, *service.Reply) { return nil, "", &r }
	if x.Bad != nil {
		return refuse(refusal(x.Bad.Status, x.Bad.Text))
	}
	c, refused = client(x)
	if refused != nil {
		return nil, "", refused
	}
	if value = x.Form.Get(name); value == "" {
		return refuse(refusal(http.StatusBadRequest, missing))
	}
	return c, value, nil
}
