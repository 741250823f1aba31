package oauth2

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
)

// The grants that have an address for a name.
const (
	deviceGrant   = "urn:ietf:params:oauth:grant-type:device_code"    // RFC 8628 §3.4
	jwtBearer     = "urn:ietf:params:oauth:grant-type:jwt-bearer"     // RFC 7523 §2.1
	tokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange" // RFC 8693 §2.1
)

// badTarget is RFC 8707 §2.
const badTarget service.Problem = "400 invalid_target the resource or audience must be one that was granted"

func grantTypes() []string {
	return []string{
		"authorization_code", "client_credentials", "password", "refresh_token", deviceGrant, jwtBearer, tokenExchange,
	}
}

// userScopes are those of OpenID Connect Core §5.4 and §11, which users have and clients alone have not.
func userScopes() []string { return []string{"openid", "profile", "email", "offline_access"} }

// tokens is the token endpoint. Access tokens are JWTs as RFC 9068 has them.
func (i *issuer) tokens() *service.Issuer {
	return &service.Issuer{
		Grants:   []string{"client_credentials", "authorization_code", "password", "refresh_token"},
		Standard: userScopes(), Lifetime: 300 * time.Second, Header: "at+jwt",
		User: typed,
		Further: map[string]func(*service.Exchange, *service.Client) (*service.Grant, *service.Reply){
			deviceGrant: i.devices.redeem, jwtBearer: i.bearer, tokenExchange: i.exchange,
		},
		Client: i.client, Settle: settle, Claims: accessClaims, Identity: identity, Complete: complete,
	}
}

// client is who asks for a token. Whoever shows an assertion as a grant need not authenticate beside it (RFC 7523
// §3.1).
func (i *issuer) client(x *service.Exchange) (*service.Client, *service.Reply) {
	basic := x.Request.Header.Get("Authorization") != ""
	if x.Form.Get("grant_type") != jwtBearer || basic || x.Form.Has("client_id") || x.Form.Has("client_assertion") {
		return i.authenticate(x)
	}
	if c := x.Client(asserted(x).Issuer); c != nil && c.Public {
		return c, nil
	}
	return nil, x.Refuse(service.BadCode, "the assertion names no client that needs no other authentication")
}

// settle looks at whom the tokens are for (RFC 8707 §2.2) and, when they are renewed, whether more is asked for than
// was granted (RFC 6749 §6).
func settle(x *service.Exchange, g *service.Grant) *service.Reply {
	asked := targets(x)
	for _, resource := range x.Form["resource"] {
		if u, err := url.Parse(resource); err != nil || !u.IsAbs() || strings.Contains(resource, "#") {
			return x.Refuse(badTarget, "")
		}
	}
	if g.Audience == nil {
		g.Audience = asked
	}
	for _, target := range asked {
		if !slices.Contains(g.Audience, target) {
			return x.Refuse(badTarget, "")
		}
	}
	for scope := range strings.FieldsSeq(x.Form.Get("scope")) {
		if x.Form.Get("grant_type") == "refresh_token" && !g.Has(scope) {
			return x.Refuse(service.BadScope, scope)
		}
	}
	return nil
}

// targets are those that a request names: addresses by RFC 8707, and names, as RFC 8693 and many issuers have them.
func targets(x *service.Exchange) []string {
	return slices.Concat(x.Form["resource"], x.Form["audience"])
}

// accessClaims are those of an access token (RFC 9068 §2.2).
func accessClaims(x *service.Exchange, g *service.Grant) map[string]any {
	audience := targets(x)
	if len(audience) == 0 {
		audience = g.Audience
	}
	claims := map[string]any{
		"iss": name(x), "aud": audience, "sub": who(g), "client_id": g.Client, "scope": g.Scope,
	}
	switch len(audience) {
	case 0:
		claims["aud"] = API
	case 1:
		claims["aud"] = audience[0]
	}
	if g.User != "" {
		claims["auth_time"] = g.At.Unix()
	}
	if g.Actor != nil {
		claims["act"] = g.Actor
	}
	if shown := x.PeerCertificate(); shown != nil && strings.HasSuffix(x.Client(g.Client).Method, "tls_client_auth") {
		claims["cnf"] = map[string]any{"x5t#S256": service.Thumbprint(shown)}
	}
	return claims
}

// identity are the claims of an ID token (OpenID Connect Core §2, §3.1.3.6). A renewed one has no nonce (§12.2).
func identity(x *service.Exchange, g *service.Grant, access string) map[string]any {
	if g.User == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(access)) // of both algorithms
	claims := map[string]any{
		"iss": name(x), "aud": g.Client, "azp": g.Client, "auth_time": g.At.Unix(),
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2]),
	}
	maps.Copy(claims, profile(g))
	if g.SID != "" {
		claims["sid"] = g.SID
	}
	if g.Nonce != "" && x.Form.Get("grant_type") == "authorization_code" {
		claims["nonce"] = g.Nonce
	}
	return claims
}

// complete adds what a token exchange says (RFC 8693 §2.2.1).
func complete(x *service.Exchange, g *service.Grant, rep *service.Reply) {
	if x.Form.Get("grant_type") != tokenExchange {
		return
	}
	kind := cmp.Or(x.Form.Get("requested_token_type"), accessType)
	rep.Fields["issued_token_type"] = kind
	if kind == idType {
		claims := identity(x, g, "")
		delete(claims, "at_hash")
		token := service.Token{Grant: g, Kind: service.IDToken, Claims: claims}
		rep.Fields["access_token"] = x.JWT(300*time.Second, token, "JWT")
		rep.Fields["token_type"] = "N_A"
		delete(rep.Fields, "scope")
	}
}
