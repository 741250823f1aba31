package service

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Grant is one authorization: what a client was given, for itself or for a user. All tokens issued under it end with
// it.
type Grant struct {
	Client, Scope string
	// User is whose consent it is; empty when the client speaks for itself.
	User string
	// SID names the session the user signed in with, Nonce what an ID token of it is to say (OpenID Connect Core
	// §3.1.2.1).
	SID, Nonce string
	// Subject is whom its tokens speak for, where that is neither the user nor the client.
	Subject string
	// At is when the user signed in, Audience whom its access tokens are for, Actor who acts for the user (RFC 8693 §4.1).
	At       time.Time
	Audience []string
	Actor    map[string]any
	// Final says that no refresh token comes: whoever showed an assertion can show another (RFC 7521 §4.1).
	Final bool

	// What follows is guarded by the memory's lock.
	refresh string // the refresh token that is good now
	ended   bool
}

// Has reports whether a scope was granted.
func (g *Grant) Has(scope string) bool { return slices.Contains(strings.Fields(g.Scope), scope) }

// The kinds of tokens, by Keycloak's names.
const (
	AccessToken  = "Bearer"
	RefreshToken = "Refresh"
	IDToken      = "ID"
)

// Token is what is remembered of a token. Refresh tokens end only with their grant.
type Token struct {
	*Grant
	Kind    string
	Expires time.Time
	Claims  map[string]any // what a JWT says
}

// memory is what a service knows of what it issued, and which of it is good.
type memory struct {
	mu     sync.Mutex
	tokens map[string]Token // the spent refresh tokens too
	held   map[string]*Authorization
	seen   map[string]time.Time // client assertions, until when they could be sent again
}

// remember makes a token known until it expires: as good, and as secret. Of a grant's refresh tokens the last is good.
func (x *Exchange) remember(token string, life time.Duration, t Token) string {
	x.Secrets.Add(token)
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.tokens) >= maxKept {
		maps.DeleteFunc(x.tokens, func(_ string, old Token) bool {
			return old.ended || old.Kind != RefreshToken && !old.Expires.After(x.Now)
		})
	}
	if t.Kind == RefreshToken {
		t.refresh = token
	}
	t.Expires = x.Now.Add(life)
	x.tokens[token] = t
	return token
}

// renewed spends the request's refresh token and returns its grant. It is not ok for tokens that are unknown, another
// client's, or spent: one that comes a second time ends its grant (RFC 9700 §4.14.2).
func (x *Exchange) renewed(c *Client) (g *Grant, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	sent := x.Form.Get("refresh_token")
	t := x.tokens[sent]
	if t.Grant == nil || t.Kind != RefreshToken || t.ended || t.Client != c.ID {
		return nil, false
	}
	t.ended = t.refresh != sent
	if !x.Fault.keepsRefresh() {
		t.refresh = ""
	}
	return t.Grant, !t.ended
}

// Find returns a token of the service that is good now. It is known by the whole of its text, so that nothing in it
// can have been changed.
func (x *Exchange) Find(token string) (Token, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	t, ok := x.tokens[token]
	good := ok && !t.ended && (t.Expires.After(x.Now) || t.Kind == RefreshToken && t.refresh == token)
	return t, good
}

// Known returns a token of the service whether or not it is still good, as long as it is remembered.
func (x *Exchange) Known(token string) (Token, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	t, ok := x.tokens[token]
	return t, ok
}

// Caller returns whose access token the request carries in its header.
func (x *Exchange) Caller() (Token, bool) {
	t, ok := x.Find(Bearer(x.Request.Header))
	return t, ok && t.Kind == AccessToken
}

// Forget ends one token: of a refresh token, all that was issued with it.
func (m *memory) Forget(token string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.tokens[token]; t.Kind == RefreshToken {
		t.ended = true
	}
	delete(m.tokens, token)
}

// End ends a grant with all its tokens; with all, every grant of whoever has this one: the user, or the client that
// speaks for itself.
func (m *memory) End(of *Grant, all bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	of.ended = true
	for _, t := range m.tokens {
		if all && t.User == of.User && (t.User != "" || t.Client == of.Client) {
			t.ended = true
		}
	}
}

// EndUser ends every grant of a user.
func (m *memory) EndUser(user string) { m.End(&Grant{User: user}, true) }

// Issuer is a service's token endpoint (RFC 6749 §3.2) as data.
type Issuer struct {
	Grants   []string // those that the service knows
	Lifetime time.Duration
	Type     string // the reply's token_type, by default Bearer
	Query    bool   // parameters in the address are let pass; else they are refused
	// Standard are scopes that every client has, Unasked those that come in any case. Without the latter a client that
	// asks for nothing gets all that it has, and a token without a scope is refused.
	Standard, Unasked []string
	// User is whose name and password the form has, empty when they are wrong; only for the grant password.
	User func(*Exchange) string
	// Further are grants of this service alone, by their type. Public clients may use them.
	Further map[string]func(*Exchange, *Client) (*Grant, *Reply)
	// Client finds the client of a request; nil means Exchange.Authenticate.
	Client func(*Exchange) (*Client, *Reply)
	// Settle looks at a grant before a token of it is issued, and may refuse; it may be nil.
	Settle func(*Exchange, *Grant) *Reply
	// Claims are those of an access token, beside jti, iat and exp; nil makes opaque tokens. Header is its typ, by
	// default JWT.
	Claims func(*Exchange, *Grant) map[string]any
	Header string
	// Identity are those of an ID token, nil where none comes; asked with the access token that it comes with, when the
	// scope openid was granted.
	Identity func(x *Exchange, g *Grant, access string) map[string]any
	// Complete adds to the reply what only this service's has; it may be nil.
	Complete func(*Exchange, *Grant, *Reply)
}

// Answer is POST at the endpoint.
func (i *Issuer) Answer(x *Exchange) Reply {
	kind := x.Form.Get("grant_type")
	switch {
	case x.Bad != "":
		return *x.Refuse(x.Bad, "")
	case x.Request.URL.RawQuery != "" && !i.Query:
		return *x.Refuse(InQuery, "")
	case kind == "":
		return *x.Refuse(Missing, "grant_type")
	}
	authenticate := (*Exchange).Authenticate
	if i.Client != nil {
		authenticate = i.Client
	}
	c, refused := authenticate(x)
	if refused != nil {
		return *refused
	}
	g, refused := i.grant(x, c, kind)
	if refused == nil && i.Settle != nil {
		refused = i.Settle(x, g)
	}
	if refused != nil {
		return *refused
	}
	return i.issue(x, g, kind)
}

// grant is what the client is given.
func (i *Issuer) grant(x *Exchange, c *Client, kind string) (g *Grant, refused *Reply) {
	further := i.Further[kind]
	switch {
	case further != nil:
		return further(x, c)
	case !slices.Contains(i.Grants, kind):
		return nil, x.Refuse(OtherGrant, kind)
	case kind == "authorization_code":
		g, problem := x.redeem(c)
		if problem != "" {
			return nil, x.Refuse(BadCode, problem)
		}
		return g, nil
	case kind == "refresh_token":
		g, ok := x.renewed(c)
		if !ok {
			return nil, x.Refuse(BadRefresh, "")
		}
		return g, nil
	case c.Public && kind == "client_credentials", c.Public && c.Method == "":
		return nil, x.Refuse(ForbidGrant, kind)
	}
	asked := x.Form.Get("scope")
	scope, ok := x.Granted(asked, i.Standard, i.Unasked)
	if !ok {
		return nil, x.Refuse(BadScope, asked)
	}
	g = &Grant{Client: c.ID, Scope: scope, At: x.Now}
	if kind == "password" {
		if g.User = i.User(x); g.User == "" {
			return nil, x.Refuse(BadPassword, "")
		}
	}
	return g, nil
}

// issue answers with the tokens of a grant (RFC 6749 §5.1).
func (i *Issuer) issue(x *Exchange, g *Grant, kind string) Reply {
	life := x.Fault.Lifetime(i.Lifetime)
	rep := OK(map[string]any{
		"token_type": cmp.Or(i.Type, "Bearer"), "expires_in": int(life / time.Second), "scope": g.Scope,
	})
	rep.Token = true
	var access string
	if i.Claims == nil {
		access = x.remember(NewOpaque(), life, Token{Grant: g, Kind: AccessToken})
	} else {
		token := Token{Grant: g, Kind: AccessToken, Claims: i.Claims(x, g)}
		access = x.JWT(life, token, jose.ContentType(cmp.Or(i.Header, plainType)))
	}
	rep.Fields["access_token"] = access
	if (g.User != "" && !g.Final || kind == "refresh_token" || x.Fault.RefreshToken) && !x.Fault.keepsRefresh() {
		rep.Fields["refresh_token"] = x.remember(NewOpaque(), 0, Token{Grant: g, Kind: RefreshToken})
	}
	if i.Identity != nil && g.Has("openid") {
		if claims := i.Identity(x, g, access); claims != nil {
			rep.Fields["id_token"] = x.JWT(life, Token{Grant: g, Kind: IDToken, Claims: claims}, plainType)
		}
	}
	if i.Complete != nil {
		i.Complete(x, g, &rep)
	}
	return rep
}

// Granted is what a client gets of the scopes it asks for: all of them, or with the fault Narrow those that it has. It
// is not ok when the service is to refuse.
func (x *Exchange) Granted(asked string, standard, unasked []string) (scope string, ok bool) {
	has, words := x.scopesNow(), strings.Fields(asked)
	got := slices.DeleteFunc(slices.Clone(words), func(scope string) bool {
		return x.pending(scope) || !slices.Contains(has, scope) && !slices.Contains(standard, scope)
	})
	if len(got) < len(words) && !x.Fault.Narrow {
		return "", false
	}
	if len(words) == 0 && unasked == nil {
		got = has
	}
	for _, scope := range unasked {
		if !slices.Contains(got, scope) {
			got = append(got, scope)
		}
	}
	return strings.Join(got, " "), len(got) > 0 || len(words) == 0
}

// scopesNow returns the scopes that every client has now.
func (x *Exchange) scopesNow() []string {
	has := x.Scopes
	if x.Fault.ClientScopes != nil {
		has = x.Fault.ClientScopes
	}
	return slices.DeleteFunc(slices.Clone(has), x.pending)
}

func (x *Exchange) pending(scope string) bool { return slices.Contains(x.Fault.ScopePending, scope) }
