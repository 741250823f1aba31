package service

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Client is one registered client of a service: it has a secret or a key, or is public (RFC 6749 §2.1).
type Client struct {
	ID, Secret string
	Keyed      bool // it signs assertions with Key, which New makes
	Key        Signer
	Public     bool
	RSA        bool // its tokens are signed with RS256
	// Method is the one that it is registered with (OpenID Connect Core §9, RFC 8705 §2), for services that look at it.
	Method string
	// Certificate is what it shows at the TLS port (RFC 8705 §2).
	Certificate Certificate
	// Subject is whom somebody else's assertion has to name, to vouch for this client (RFC 7523 §2.2).
	Subject string
}

// Client returns the client of that id, nil when there is none.
func (s *Service) Client(id string) *Client {
	if i := slices.IndexFunc(s.Clients, func(c Client) bool { return c.ID == id }); i >= 0 {
		return &s.Clients[i]
	}
	return nil
}

// Authenticate finds the client that a request comes from (RFC 6749 §2.3), or says why there is none.
func (x *Exchange) Authenticate() (*Client, *Reply) {
	id, secret, present := x.basic()
	sent := x.Form.Get("client_id")
	asserted := x.Form.Has("client_assertion") || x.Form.Has("client_assertion_type")
	if present && !x.FormSecret && (asserted || x.Form.Has("client_secret")) {
		return nil, x.Refuse(TwoWays, "")
	}
	if asserted && x.Assertions.Audience != nil {
		c, problem := x.asserted()
		if problem != "" {
			return nil, x.Refuse(BadAssertion, problem)
		}
		return c, nil
	}
	if sent != "" && (x.FormSecret || !present) {
		id = sent
	}
	if x.FormSecret && x.Form.Has("client_secret") {
		secret = x.Form.Get("client_secret")
	}
	c := x.Client(id)
	switch {
	case id == "" && present:
		return nil, x.Refuse(OddBasic, "")
	case id == "":
		return nil, x.Refuse(NoClient, "")
	case c == nil, sent != "" && sent != id:
		return nil, x.Refuse(UnknownClient, "")
	case c.Public && !present && secret == "":
		return c, nil
	case c.Secret == "" || c.Secret != secret:
		return nil, x.Refuse(BadClient, "")
	}
	return c, nil
}

// basic is what a header Authorization says by the scheme Basic (RFC 7617): id and secret are empty where there is
// none, or it cannot be read.
func (x *Exchange) basic() (id, secret string, present bool) {
	present = x.Request.Header.Get("Authorization") != ""
	id, secret, _ = x.Request.BasicAuth()
	if !x.FormBasic {
		return id, secret, present
	}
	plainID, err1 := url.QueryUnescape(id)
	plainSecret, err2 := url.QueryUnescape(secret)
	if errors.Join(err1, err2) != nil {
		return "", "", present
	}
	return plainID, plainSecret, present
}

// Bearer returns the token of a header Authorization (RFC 6750 §2.1; the scheme in any case, RFC 9110 §11.1), empty
// when there is none.
func Bearer(h http.Header) string {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimLeft(token, " ")
}

// AssertionType is the client_assertion_type that there is.
const (
	AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // RFC 7523 §2.2
	skew          = 15 * time.Second                                         // between a client's clock and a service's
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
	// BareKey says that the service hands out keys in Base64 without PEM's lines.
	BareKey bool
	// Also are algorithms that are known beside ES256 and RS256.
	Also []jose.SignatureAlgorithm
}

// asserted authenticates a client by its assertion (OpenID Connect Core §9, private_key_jwt). The problems are in the
// words of Keycloak's AbstractJWTClientValidator; other services' pages have none.
func (x *Exchange) asserted() (c *Client, problem string) {
	switch {
	case !x.Form.Has("client_assertion_type"):
		return nil, "Parameter client_assertion_type is missing"
	case x.Form.Get("client_assertion_type") != AssertionType:
		return nil, "Parameter client_assertion_type has an unexpected value"
	case !x.Form.Has("client_assertion"):
		return nil, "client_assertion parameter missing"
	}
	var a jwt.Claims
	signed, err := ParseJWT(x.Form.Get("client_assertion"), &a, x.Assertions.Also...)
	if err != nil {
		return nil, "Invalid client assertion"
	}
	kid := signed.Headers[0].KeyID
	c = x.Client(a.Subject)
	key := c.verifier()
	switch {
	case a.Subject == "":
		return nil, "Can't identify client. Subject missing on JWT token"
	case a.Issuer != a.Subject:
		return nil, "Issuer mismatch. The issuer should match the subject"
	case x.Form.Has("client_id") && x.Form.Get("client_id") != a.Subject:
		return nil, "client_id parameter not matching with client from JWT token"
	case key == nil:
		return nil, "Unable to load public key"
	case signed.Claims(key) != nil, kid != c.Key.KeyID && (kid != "" || x.Assertions.KeyID):
		return nil, "Signature on JWT token failed validation"
	case len(a.Audience) > 1:
		return nil, "Multiple audiences not allowed in the JWT token"
	case len(a.Audience) == 0 || !slices.Contains(x.Assertions.Audience(x), a.Audience[0]):
		return nil, "Invalid token audience"
	}
	return c, x.timely(a)
}

// verifier is what checks the client's assertions: its public key or, as client_secret_jwt has it, its secret.
func (c *Client) verifier() any {
	switch {
	case c == nil:
		return nil
	case c.Keyed:
		return c.Key.Key.Public()
	case c.Method == "client_secret_jwt":
		return []byte(c.Secret)
	}
	return nil
}

// timely says what is wrong with the times of an assertion, or that it has been seen.
func (x *Exchange) timely(a jwt.Claims) (problem string) {
	rules, begun, end := x.Assertions, x.Now, a.Expiry.Time()
	if a.IssuedAt != nil {
		begun = a.IssuedAt.Time()
	}
	switch {
	case a.Expiry == nil:
		return "Token exp claim is required"
	case end.Add(skew).Before(x.Now):
		return "Token is not active"
	case begun.After(x.Now.Add(skew)):
		return "Token was issued in the future"
	case rules.Age > 0 && !begun.Add(rules.Age).After(x.Now):
		return "Token was issued too far in the past to be used now"
	case a.IssuedAt == nil && end.After(x.Now.Add(rules.Age)):
		return "Token expiration is too far in the future and iat claim not present in token"
	case rules.Life > 0 && end.After(begun.Add(rules.Life)):
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
	x.seen[id] = x.Now.Add(keep)
	return !known
}
