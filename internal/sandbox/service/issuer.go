package service

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Issuer is a service's token endpoint (RFC 6749 §3.2) as data.
type Issuer struct {
	// Grants are those that the service knows.
	Grants []string
	// Lifetime is that of its tokens, Type the reply's token_type, by default Bearer.
	Lifetime time.Duration
	Type     string
	// Unreadable is the status for a body that cannot be read, by default the one that fits HTTP best.
	Unreadable int
	// Query says that parameters in the address are not looked at; else they are refused.
	Query bool
	// Standard are scopes that every client has, Unasked those that come in any case. Without the latter a client that
	// asks for nothing gets all that it has, and a token without a scope is refused.
	Standard, Unasked []string
	// Before looks at a request first; it may be nil.
	Before func(*Exchange) *Reply
	// User is whose name and password the form has, empty when they are wrong; only for the grant password.
	User func(*Exchange) string
	// Claims are those of an access token, beside jti, iat and exp; nil makes opaque tokens.
	Claims func(*Exchange, *Grant) map[string]any
	// Identity are those of an ID token, nil where none comes; asked when the scope openid was granted.
	Identity func(*Exchange, *Grant) map[string]any
	// Complete adds to the reply what only this service's has; it may be nil.
	Complete func(*Exchange, *Grant, *Reply)
}

// Answer is POST at the endpoint.
func (i *Issuer) Answer(x *Exchange) Reply {
	if i.Before != nil {
		if refused := i.Before(x); refused != nil {
			return *refused
		}
	}
	kind := x.Form.Get("grant_type")
	switch {
	case x.Bad != nil:
		return x.Host.Error(cmp.Or(i.Unreadable, x.Bad.Status), "", x.Bad.Text)
	case x.Request.URL.RawQuery != "" && !i.Query:
		return *x.Refuse(InQuery, "")
	case kind == "":
		return *x.Refuse(Missing, "grant_type")
	}
	c, refused := x.Authenticate()
	if refused != nil {
		return *refused
	}
	forItself := kind == "client_credentials" || kind == "password"
	switch {
	case !slices.Contains(i.Grants, kind):
		return *x.Refuse(OtherGrant, kind)
	case c.Public && forItself:
		return *x.Refuse(ForbidGrant, kind)
	}
	g, refresh, refused := i.grant(x, c, kind)
	if refused != nil {
		return *refused
	}
	return i.issue(x, g, refresh)
}

// grant is what the client is given, and the refresh token that comes with it, empty when there is none.
func (i *Issuer) grant(x *Exchange, c *Client, kind string) (g *Grant, refresh string, refused *Reply) {
	switch kind {
	case "authorization_code":
		for _, name := range []string{"code", "redirect_uri"} {
			if !x.Form.Has(name) {
				return nil, "", x.Refuse(Missing, name)
			}
		}
		g, problem := x.redeem(c)
		if problem != "" {
			return nil, "", x.Refuse(BadCode, problem)
		}
		return g, x.begin(g), nil
	case "refresh_token":
		g, next, ok := x.renewed(c)
		if !ok {
			return nil, "", x.Refuse(BadRefresh, "")
		}
		return g, next, nil
	}
	asked := x.Form.Get("scope")
	scope, ok := x.granted(c, asked, i.Standard, i.Unasked)
	if !ok {
		return nil, "", x.Refuse(BadScope, asked)
	}
	g = &Grant{Client: c.ID, Scope: scope}
	if kind == "password" {
		if g.User = i.User(x); g.User == "" {
			return nil, "", x.Refuse(BadPassword, "")
		}
	}
	if g.User != "" || x.Orders.RefreshToken {
		refresh = x.begin(g)
	}
	return g, refresh, nil
}

// issue answers with the tokens of a grant (RFC 6749 §5.1).
func (i *Issuer) issue(x *Exchange, g *Grant, refresh string) Reply {
	life := max(cmp.Or(x.Orders.Lifetime, i.Lifetime), time.Second)
	access := NewOpaque()
	if i.Claims != nil {
		access = x.jwt(g, life, i.Claims(x, g))
	}
	x.remember(g, access, AccessToken, life)
	rep := OK(map[string]any{
		"access_token": access, "token_type": cmp.Or(i.Type, "Bearer"), "expires_in": int(life / time.Second),
		"scope": g.Scope,
	})
	rep.Token = true
	if refresh != "" {
		rep.Fields["refresh_token"] = refresh
	}
	if i.Identity != nil && g.Has("openid") {
		if claims := i.Identity(x, g); claims != nil {
			id := x.jwt(g, life, claims)
			x.remember(g, id, IDToken, life)
			rep.Fields["id_token"] = id
		}
	}
	if i.Complete != nil {
		i.Complete(x, g, &rep)
	}
	return rep
}

// granted is what a client gets of the scopes it asks for: all of them, or with the order Narrow those that it has. It
// is not ok when the service is to refuse.
func (x *Exchange) granted(c *Client, asked string, standard, unasked []string) (scope string, ok bool) {
	lacks := func(scope string) bool {
		return x.pending(scope) || !slices.Contains(x.scopesOf(c), scope) && !slices.Contains(standard, scope)
	}
	words := strings.Fields(asked)
	got := slices.DeleteFunc(slices.Clone(words), lacks)
	if len(got) < len(words) && !x.Orders.Narrow {
		return "", false
	}
	if len(words) == 0 && unasked == nil {
		got = x.scopesOf(c)
	}
	for _, scope := range unasked {
		if !slices.Contains(got, scope) {
			got = append(got, scope)
		}
	}
	return strings.Join(got, " "), len(got) > 0 || len(words) == 0
}

// scopesOf returns the scopes that a client has now.
func (x *Exchange) scopesOf(c *Client) []string {
	if x.Orders.ClientScopes == nil || x.OneScope {
		return slices.DeleteFunc(slices.Clone(c.Scopes), x.pending)
	}
	return slices.DeleteFunc(slices.Clone(x.Orders.ClientScopes), x.pending)
}

func (x *Exchange) pending(scope string) bool {
	return !x.OneScope && slices.Contains(x.Orders.Pending, scope)
}
