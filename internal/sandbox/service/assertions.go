package service

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // RFC 7523 §2.2
	// skew is how far the clocks of a client and a service may differ.
	skew = 15 * time.Second
)

// AssertionRules are what a service asks of client assertions (RFC 7523 §3), beside a known key and a jti that is used
// once.
type AssertionRules struct {
	// Audience are the texts of which aud is to be one.
	Audience func(*Exchange) []string
	// Age is how long after its iat an assertion is good, Life how long it may be from iat to exp; 0: any time.
	Age, Life time.Duration
	// KeyID says that the header kid must be there, and not only be right where it is.
	KeyID bool
}

// assertion is a client assertion. Nothing in it can be relied on before its signature has been checked.
type assertion struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	// Times are in seconds since 1970, nil when absent (RFC 7519 §2).
	Expiry   *float64 `json:"exp"`
	IssuedAt *float64 `json:"iat"`
	ID       string   `json:"jti"`

	jws *jose.JSONWebSignature
}

// audience is one string or an array of them (RFC 7519 §4.1.3).
type audience []string

func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if err := json.Unmarshal(b, &one); err == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// assertion reads the request's client assertion: a compact JWS.
func (x *Exchange) assertion() (*assertion, error) {
	jws, err := jose.ParseSignedCompact(x.Form.Get("client_assertion"), algorithms())
	if err != nil {
		return nil, err
	}
	a := &assertion{jws: jws}
	return a, json.Unmarshal(jws.UnsafePayloadWithoutVerification(), a)
}

// asserted authenticates a client by its assertion (OpenID Connect Core §9, private_key_jwt). The problems are in the
// words of Keycloak's AbstractJWTClientValidator; other services' pages have none.
func (x *Exchange) asserted() (c *Client, problem string) {
	switch {
	case !x.Form.Has("client_assertion_type"):
		return nil, "Parameter client_assertion_type is missing"
	case x.Form.Get("client_assertion_type") != assertionType:
		return nil, "Parameter client_assertion_type has an unexpected value"
	case !x.Form.Has("client_assertion"):
		return nil, "client_assertion parameter missing"
	}
	a, err := x.assertion()
	if err != nil {
		return nil, "Invalid client assertion"
	}
	c = x.Client(a.Subject)
	switch {
	case a.Subject == "":
		return nil, "Can't identify client. Subject missing on JWT token"
	case a.Issuer != a.Subject:
		return nil, "Issuer mismatch. The issuer should match the subject"
	case x.Form.Has("client_id") && x.Form.Get("client_id") != a.Subject:
		return nil, "client_id parameter not matching with client from JWT token"
	case c == nil || c.Key == nil:
		return nil, "Unable to load public key"
	case !x.signed(a, c):
		return nil, "Signature on JWT token failed validation"
	case len(a.Audience) > 1:
		return nil, "Multiple audiences not allowed in the JWT token"
	case len(a.Audience) == 0 || !slices.Contains(x.Assertions.Audience(x), a.Audience[0]):
		return nil, "Invalid token audience"
	}
	return c, x.timely(a)
}

func (x *Exchange) signed(a *assertion, c *Client) bool {
	kid := a.jws.Signatures[0].Protected.KeyID
	_, err := a.jws.Verify(&c.Key.PublicKey)
	return err == nil && (kid == c.KeyID || kid == "" && !x.Assertions.KeyID)
}

// timely says what is wrong with the times of an assertion, or that it has been seen.
func (x *Exchange) timely(a *assertion) (problem string) {
	now, rules := float64(x.Now.Unix()), x.Assertions
	begun := now
	if a.IssuedAt != nil {
		begun = *a.IssuedAt
	}
	switch {
	case a.Expiry == nil:
		return "Token exp claim is required"
	case *a.Expiry+skew.Seconds() < now:
		return "Token is not active"
	case begun > now+skew.Seconds():
		return "Token was issued in the future"
	case rules.Age > 0 && begun+rules.Age.Seconds() <= now:
		return "Token was issued too far in the past to be used now"
	case a.IssuedAt == nil && *a.Expiry-now > rules.Age.Seconds():
		return "Token expiration is too far in the future and iat claim not present in token"
	case rules.Life > 0 && *a.Expiry-begun > rules.Life.Seconds():
		return "Token expiration is too far in the future"
	case a.ID == "":
		return "Missing ID on the token"
	case !x.firstUse(a.Subject+" "+a.ID, rules.Age+rules.Life+skew):
		return "Token reuse detected"
	}
	return ""
}

// firstUse reports whether an assertion has not been seen, and remembers it while it could be sent again.
func (x *Exchange) firstUse(id string, keep time.Duration) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	maps.DeleteFunc(x.seen, func(_ string, t time.Time) bool { return t.Before(x.Now) })
	_, known := x.seen[id]
	if !known {
		x.seen[id] = x.Now.Add(keep)
	}
	return !known
}
