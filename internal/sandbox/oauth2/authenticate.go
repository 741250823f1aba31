package oauth2

import (
	"strings"

	"github.com/authctl/authctl/internal/sandbox/service"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// methods are the ways of client authentication, by the names of the registry of RFC 8414 §2. A federated client shows
// somebody else's assertion (RFC 7523 §2.2), for which the registry has no name of its own.
func methods() []string {
	return []string{
		"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt",
		"tls_client_auth", "self_signed_tls_client_auth", "none",
	}
}

// algorithms are those of assertions that are known beside ES256 and RS256.
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.PS256, jose.EdDSA, jose.HS256}
}

// federated is what a client is registered for that has no secret, and a pipeline that vouches for it.
const federated = "client_assertion"

// authenticate finds the client that a request comes from. Each is registered for one method (RFC 7591 §2), and another
// is refused whatever it proves.
func (i *issuer) authenticate(x *service.Exchange) (*service.Client, *service.Reply) {
	used, refused := i.method(x)
	if refused != nil {
		return nil, refused
	}
	c, problem := x.Client(x.Form.Get("client_id")), ""
	switch used {
	case federated:
		problem = i.vouched(x, c)
	case "tls_client_auth", "self_signed_tls_client_auth":
		problem = i.certified(x, c)
	default:
		c, refused = x.Authenticate()
	}
	switch {
	case refused != nil:
		return nil, refused
	case problem != "":
		return nil, x.Refuse(service.BadAssertion, problem)
	case c.Method != used:
		return nil, x.Refuse(service.BadAssertion, "the client is registered for "+c.Method+", not for "+used)
	}
	return c, nil
}

// method is how the client of a request authenticates. Two ways at once are refused (RFC 6749 §2.3).
func (i *issuer) method(x *service.Exchange) (used string, refused *service.Reply) {
	var ways []string
	if x.Request.Header.Get("Authorization") != "" {
		ways = append(ways, "client_secret_basic")
	}
	if x.Form.Has("client_secret") {
		ways = append(ways, "client_secret_post")
	}
	if x.Form.Has("client_assertion") || x.Form.Has("client_assertion_type") {
		ways = append(ways, i.assertionMethod(x))
	}
	c := x.Client(x.Form.Get("client_id"))
	certified := c != nil && x.PeerCertificate() != nil && strings.HasSuffix(c.Method, "tls_client_auth")
	switch {
	case len(ways) > 1:
		return "", x.Refuse(service.TwoWays, "")
	case len(ways) == 1:
		return ways[0], nil
	case certified:
		return c.Method, nil
	}
	return "none", nil
}

// assertionMethod tells the three kinds of assertions apart by what they say of themselves.
func (i *issuer) assertionMethod(x *service.Exchange) string {
	var claims jwt.Claims
	signed, err := service.ParseJWT(x.Form.Get("client_assertion"), &claims, algorithms()...)
	switch {
	case err != nil:
		return "private_key_jwt"
	case claims.Issuer == jobIssuer(x):
		return federated
	case signed.Headers[0].Algorithm == "HS256":
		return "client_secret_jwt"
	}
	return "private_key_jwt"
}

// certified says why the certificate that was shown is not the client's (RFC 8705 §2).
func (i *issuer) certified(x *service.Exchange, c *service.Client) (problem string) {
	shown := x.PeerCertificate()
	switch {
	case c.Method == "tls_client_auth" && !i.authority.Vouches(shown):
		return "the certificate is not from the sandbox's authority"
	case c.Method == "tls_client_auth" && shown.Subject.String() != c.Certificate.Leaf.Subject.String():
		return "the certificate is another client's"
	case c.Method == "self_signed_tls_client_auth" && !shown.Equal(c.Certificate.Leaf):
		return "the certificate is not the one that is registered"
	}
	return ""
}
