package service

import (
	"crypto/ecdsa"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Client is one registered client of a service: it has a secret or a key, or is public (RFC 6749 §2.1).
type Client struct {
	ID, Secret string
	Key        *ecdsa.PrivateKey
	KeyID      string
	KeyText    string // the key as the service hands it out
	Public     bool
	Scopes     []string // what it may ask for
	// Signer signs its tokens; nil means the service's.
	Signer func() Signer
}

// Client returns the client of that id, nil when there is none.
func (s *Service) Client(id string) *Client {
	i := slices.IndexFunc(s.Clients, func(c Client) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &s.Clients[i]
}

// Authenticate finds the client that a request comes from (RFC 6749 §2.3), or says why there is none.
func (x *Exchange) Authenticate() (*Client, *Reply) {
	b, sent := x.basic(), x.Form.Get("client_id")
	asserted := x.Form.Has("client_assertion") || x.Form.Has("client_assertion_type")
	if b.present && !x.FormSecret && (asserted || x.Form.Has("client_secret")) {
		return nil, x.Refuse(TwoWays, "")
	}
	if asserted && x.Assertions.Audience != nil {
		c, problem := x.asserted()
		if problem != "" {
			return nil, x.Refuse(BadAssertion, problem)
		}
		return c, nil
	}
	id, secret := b.id, b.secret
	if sent != "" && (x.FormSecret || !b.present) {
		id = sent
	}
	if x.FormSecret && x.Form.Has("client_secret") {
		secret = x.Form.Get("client_secret")
	}
	c := x.Client(id)
	switch {
	case id == "" && b.present:
		return nil, x.Refuse(OddBasic, "")
	case id == "":
		return nil, x.Refuse(NoClient, "")
	case c == nil, sent != "" && sent != id:
		return nil, x.Refuse(UnknownClient, "")
	case c.Public && !b.present && secret == "":
		return c, nil
	case c.Secret == "" || c.Secret != secret:
		return nil, x.Refuse(BadClient, "")
	}
	return c, nil
}

// basic is what a header Authorization of the scheme Basic says (RFC 7617): id and secret are empty where it cannot be
// read.
type basic struct {
	id, secret string
	present    bool
}

func (x *Exchange) basic() basic {
	values := x.Request.Header.Values("Authorization")
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
	if x.FormBasic {
		var err1, err2 error
		id, err1 = url.QueryUnescape(id)
		secret, err2 = url.QueryUnescape(secret)
		if errors.Join(err1, err2) != nil {
			return b
		}
	}
	b.id, b.secret = id, secret
	return b
}

// Bearer returns the token of a header Authorization (RFC 6750 §2.1; the scheme in any case, RFC 9110 §11.1), empty
// when there is none or more than one.
func Bearer(h http.Header) string {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimLeft(token, " ")
}
