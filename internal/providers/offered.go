package providers

import (
	"context"
	"slices"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/openid"
	"github.com/authctl/authctl/internal/setting"
)

// Metadata returns what the issuer says of itself. Errors are as those of the operations.
func (p *Provider) Metadata(ctx context.Context) (*openid.Metadata, error) { return p.discover(ctx) }

// Offered returns the Spec with those grants and client authentications alone that an issuer lists
// (RFC 8414 §2). A list that it does not have, or none of which is known here, leaves all of them.
func (s Spec) Offered(m *openid.Metadata) Spec {
	all := slices.Clone(s.Settings())
	s.Keys = func() []setting.Setting { return all }
	for i, d := range all {
		var offers func(string) bool
		switch d.Name {
		case "grant":
			offers = func(name string) bool { return offersGrant(m, oauth.Grant(name)) }
		case "client_auth":
			offers = func(name string) bool { return offersAuth(m, name) }
		default:
			continue
		}
		kept := slices.DeleteFunc(slices.Clone(d.Values), func(name string) bool { return !offers(name) })
		if len(kept) == 0 {
			continue
		}
		all[i].Values = kept
		if d.Default != "" && !slices.Contains(kept, d.Default) {
			all[i].Default = ""
		}
	}
	return s
}

// offersGrant reports whether an issuer lists a grant and has the endpoint that it begins at.
func offersGrant(m *openid.Metadata, g oauth.Grant) bool {
	begins := map[oauth.Grant]string{oauth.AuthorizationCode: authorizeEndpoint, oauth.DeviceCode: deviceEndpoint}
	if name := begins[g]; name != "" && m.Endpoints[name] == nil {
		return false
	}
	return m.GrantTypes == nil || slices.Contains(m.GrantTypes, g.Type())
}

// offersAuth reports whether an issuer lists a client authentication. Few list that there are
// public clients; and somebody else's token is sent as the client's own signed JWT is (RFC 7523
// §2.2), so that it has no name in the list.
func offersAuth(m *openid.Metadata, method string) bool {
	switch {
	case m.AuthMethods == nil, method == setting.None:
		return true
	case method == setting.Assertion:
		method = setting.PrivateKeyJWT
	}
	return slices.Contains(m.AuthMethods, method)
}
