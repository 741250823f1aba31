// Package openid is what a service says of itself and of a user: the discovery document of an
// issuer (OpenID Connect Discovery 1.0, RFC 8414), its public keys (RFC 7517) and ID tokens
// (OpenID Connect Core 1.0). It asks with an oauth.Client, and knows no service by name.
package openid

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
)

// Metadata is what is read of what a service says of itself (OpenID Connect
// Discovery 1.0 §3, RFC 8414 §2).
type Metadata struct {
	// Issuer is the identifier as the service writes it; iss claims are compared
	// with it.
	Issuer string

	// Endpoints are those it names and that are used here, by their names in the document
	// ("token_endpoint", "jwks_uri").
	Endpoints map[string]*url.URL

	// ScopesSupported need not be complete. The scopes are remote text made fit to be shown.
	ScopesSupported []string
}

// Discover reads issuer/.well-known/openid-configuration. The document must
// name the same issuer, but for a slash at the end (OpenID Connect Discovery 1.0
// §4.3), and its endpoints must pass oauth.CheckEndpoint and be https where the issuer
// is; anything else is an *oauth.ReplyError. The other errors are those of oauth.Client.Call.
func Discover(ctx context.Context, c *oauth.Client, issuer *url.URL) (*Metadata, error) {
	if err := oauth.CheckEndpoint(issuer); err != nil {
		return nil, err
	}
	reply, err := c.Call(ctx, oauth.CallRequest{URL: issuer.JoinPath(DiscoveryPath), Idempotent: true})
	if err != nil {
		return nil, err
	}
	document, err := reply.Object()
	if err != nil {
		return nil, err
	}
	metadata, problem := read(document).metadata(issuer)
	if problem != "" {
		return nil, reply.Unusable(problem)
	}
	return metadata, nil
}

// DiscoveryPath is where an issuer's document is, behind the issuer's own path (OpenID
// Connect Discovery 1.0 §4).
const DiscoveryPath = "/.well-known/openid-configuration"

// CheckHost returns a *oauth.ReplyError that names the first endpoint which is not on
// the scheme, host and port of the issuer whose document it is. The standard lets
// a service spread over several hosts; a caller who knows that this one does not
// can insist, so that credentials go nowhere else.
func (m *Metadata) CheckHost(issuer *url.URL) error {
	for _, name := range slices.Sorted(maps.Keys(m.Endpoints)) {
		if got := m.Endpoints[name]; got.Scheme != issuer.Scheme || !strings.EqualFold(got.Host, issuer.Host) {
			return &oauth.ReplyError{
				Endpoint: network.AddressText(issuer.JoinPath(DiscoveryPath)), StatusCode: http.StatusOK,
				Problem: "its " + name + " is on another host: " + strconv.Quote(network.AddressText(got)),
			}
		}
	}
	return nil
}

// members are those of a JSON object, as they are written.
type members map[string]json.RawMessage

// read takes a JSON object apart; what is none has no members.
func read(object []byte) (m members) {
	_ = json.Unmarshal(object, &m)
	return m
}

// text returns a member that must be a string; absent and null count as empty.
func (m members) text(name string) (string, bool) {
	raw := m[name]
	if len(raw) == 0 || string(raw) == "null" {
		return "", true
	}
	var s string
	return s, json.Unmarshal(raw, &s) == nil
}

// metadata reads the document; the second result is the problem.
func (m members) metadata(issuer *url.URL) (*Metadata, string) {
	named, ok := m.text("issuer")
	switch {
	case !ok || named == "":
		return nil, "it names no issuer"
	case strings.TrimSuffix(named, "/") != strings.TrimSuffix(issuer.String(), "/"):
		return nil, "its issuer is " + secret.Quote(named) + ", not " +
			strconv.Quote(network.AddressText(issuer))
	}
	found := &Metadata{Issuer: named, Endpoints: map[string]*url.URL{}, ScopesSupported: m.texts("scopes_supported")}
	for _, name := range []string{
		"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "introspection_endpoint", "revocation_endpoint",
		"end_session_endpoint", "jwks_uri",
	} {
		u, problem := m.endpoint(name, issuer.Scheme)
		if problem != "" {
			return nil, problem
		}
		if u != nil {
			found.Endpoints[name] = u
		}
	}
	return found, ""
}

// endpoint reads one endpoint, nil when there is none. What a browser can be sent
// to may have a query (OpenID Connect RP-Initiated Logout 1.0 §2.1).
func (m members) endpoint(name, scheme string) (*url.URL, string) {
	text, ok := m.text(name)
	if ok && text == "" {
		return nil, ""
	}
	u, err := url.Parse(text)
	if !ok || err != nil {
		return nil, "its " + name + " is not a URL"
	}
	check := oauth.CheckEndpoint
	if name == "end_session_endpoint" || name == "authorization_endpoint" {
		check = oauth.CheckAddress
	}
	if check(u) != nil || scheme == "https" && u.Scheme != "https" {
		return nil, "its " + name + " is not an https URL that can be used: " + strconv.Quote(network.AddressText(u))
	}
	return u, ""
}

// texts reads a list of strings, cleaned; nil when it is none.
func (m members) texts(name string) []string {
	var list []string
	if json.Unmarshal(m[name], &list) != nil {
		return nil
	}
	for i, s := range list {
		list[i] = secret.CleanName(s)
	}
	return list
}
