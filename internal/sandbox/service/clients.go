package service

import (
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// AssertionType is the client_assertion_type of RFC 7523 §2.2.
const AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Client is one registered client of a service: it has a secret or a key, or is public (RFC 6749 §2.1).
type Client struct {
	ID, Secret string
	Key        *ecdsa.PrivateKey
	KeyID      string
	KeyText    string // the key as the service hands it out
	Public     bool
	Scopes     []string // what it may ask for
}

// Client returns the client of that id, nil when there is none.
func (s *Service) Client(id string) *Client {
	i := slices.IndexFunc(s.Clients, func(c Client) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &s.Clients[i]
}

// Refused is the answer to a client that is not authenticated.
func Refused(r Reply) (*Client, *Reply) { return nil, &r }

// Basic is what a header Authorization of the scheme Basic says (RFC 7617).
type Basic struct {
	ID, Secret string
	Present    bool // there is a header
	OK         bool // it could be read
}

// parseBasic reads the header Authorization. With decode, id and secret are form-decoded as RFC 6749 §2.3.1 has it;
// without, they are taken as they are.
func parseBasic(h http.Header, decode bool) Basic {
	values := h.Values("Authorization")
	b := Basic{Present: len(values) > 0}
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
	b.ID, b.Secret, b.OK = id, secret, true
	return b
}

// Assertion is a client assertion (RFC 7523 §3). Nothing in it can be relied on before SignedBy.
type Assertion struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience Audience `json:"aud"`
	// Times are in seconds since 1970, nil when absent (RFC 7519 §2).
	Expiry   *float64 `json:"exp"`
	IssuedAt *float64 `json:"iat"`
	ID       string   `json:"jti"`

	jws *jose.JSONWebSignature
}

// Assertion reads the request's client assertion and finds the client it names, nil when there is none.
func (x *Exchange) Assertion() (a *Assertion, c *Client, err error) {
	if a, err = parseAssertion(x.Form.Get("client_assertion")); err == nil {
		c = x.Client(a.Subject)
	}
	return a, c, err
}

// parseAssertion reads a compact JWS with one of the two asymmetric algorithms that the services take.
func parseAssertion(text string) (*Assertion, error) {
	jws, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil {
		return nil, err
	}
	a := &Assertion{jws: jws}
	return a, json.Unmarshal(jws.UnsafePayloadWithoutVerification(), a)
}

// Header is the protected one.
func (a *Assertion) Header() jose.Header { return a.jws.Signatures[0].Protected }

// SignedBy reports whether the client's key made the signature.
func (a *Assertion) SignedBy(c *Client) bool {
	_, err := a.jws.Verify(&c.Key.PublicKey)
	return err == nil
}

// FirstUse reports whether an assertion has not been seen, and remembers it while it could be sent again (RFC 7523
// §3).
func (x *Exchange) FirstUse(a *Assertion, keep time.Duration) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	maps.DeleteFunc(x.seen, func(_ string, t time.Time) bool { return t.Before(x.Now) })
	id := a.Subject + " " + a.ID
	if _, ok := x.seen[id]; ok {
		return false
	}
	x.seen[id] = x.Now.Add(keep)
	return true
}

// Audience is one string or an array of them (RFC 7519 §4.1.3).
type Audience []string

// UnmarshalJSON reads either form.
func (a *Audience) UnmarshalJSON(b []byte) error {
	var one string
	if err := json.Unmarshal(b, &one); err == nil {
		*a = Audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// Is reports whether the audience is exactly one of the given.
func (a Audience) Is(want ...string) bool { return len(a) == 1 && slices.Contains(want, a[0]) }

// Asserted reports whether the request authenticates its client by an assertion.
func (x *Exchange) Asserted() bool {
	return x.Form.Has("client_assertion") || x.Form.Has("client_assertion_type")
}
