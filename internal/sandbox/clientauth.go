package sandbox

import (
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// client is one registered client of a service: it has a secret or a key, or is
// public (RFC 6749 §2.1).
type client struct {
	id, secret string
	key        *ecdsa.PrivateKey
	kid        string
	public     bool
	scopes     []string // what it may ask for
}

// clientByID returns the client of that id, nil when there is none.
func clientByID(clients []client, id string) *client {
	i := slices.IndexFunc(clients, func(c client) bool { return c.id == id })
	if i < 0 {
		return nil
	}
	return &clients[i]
}

// basic is what an Authorization header of the Basic scheme says (RFC 7617).
type basic struct {
	id, secret string
	present    bool // there is an Authorization header
	ok         bool // it could be read
}

// parseBasic reads the Authorization header. With decode, id and secret are
// form-decoded as RFC 6749 §2.3.1 has it; without, they are taken as they are.
func parseBasic(h http.Header, decode bool) basic {
	values := h.Values("Authorization")
	b := basic{present: len(values) > 0}
	if len(values) != 1 {
		return b
	}
	scheme, encoded, _ := strings.Cut(values[0], " ")
	raw, err := base64.StdEncoding.DecodeString(strings.TrimLeft(encoded, " "))
	id, secret, found := strings.Cut(string(raw), ":")
	if !strings.EqualFold(scheme, "Basic") || err != nil || !found {
		return b
	}
	if decode {
		var err1, err2 error
		id, err1 = url.QueryUnescape(id)
		secret, err2 = url.QueryUnescape(secret)
		if errors.Join(err1, err2) != nil {
			return b
		}
	}
	b.id, b.secret, b.ok = id, secret, true
	return b
}

// claimedClient is who the request says it is, by form, query, header or assertion;
// for the log, nothing is checked.
func (x *exchange) claimedClient() string {
	if id := x.form.Get("client_id"); id != "" {
		return id
	}
	if id := x.r.URL.Query().Get("client_id"); id != "" {
		return id
	}
	if b := parseBasic(x.r.Header, x.serviceName() == "pexip"); b.ok {
		return b.id
	}
	if a, err := parseAssertion(x.form.Get("client_assertion")); err == nil {
		return a.Subject
	}
	return ""
}

// assertion is a client assertion (RFC 7523 §3). Nothing in it can be relied on
// before signedBy.
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

// parseAssertion reads a compact JWS with one of the two asymmetric algorithms
// that the services take.
func parseAssertion(text string) (*assertion, error) {
	jws, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil {
		return nil, err
	}
	a := &assertion{jws: jws}
	if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), a); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *assertion) header() jose.Header { return a.jws.Signatures[0].Protected }

// signedBy reports whether the client's key made the signature.
func (a *assertion) signedBy(c *client) bool {
	if c.key == nil {
		return false
	}
	_, err := a.jws.Verify(&c.key.PublicKey)
	return err == nil
}

// audience is one string or an array of them (RFC 7519 §4.1.3).
type audience []string

// UnmarshalJSON reads either form.
func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if err := json.Unmarshal(b, &one); err == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// is reports whether the audience is exactly one of the given.
func (a audience) is(want ...string) bool { return len(a) == 1 && slices.Contains(want, a[0]) }
