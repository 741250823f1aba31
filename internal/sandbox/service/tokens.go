package service

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
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

	// What follows is guarded by the memory's lock.
	refresh string // the refresh token that is good now
	ended   bool
}

// Has reports whether a scope was granted.
func (g *Grant) Has(scope string) bool { return slices.Contains(strings.Fields(g.Scope), scope) }

// TokenKind is what a token was issued as.
type TokenKind int

// The kinds of tokens.
const (
	AccessToken TokenKind = iota
	RefreshToken
	IDToken
)

// Token is what is remembered of a token. Refresh tokens end only with their grant.
type Token struct {
	*Grant
	Kind    TokenKind
	Expires time.Time
}

// memory is what a service knows of what it issued, and which of it is good.
type memory struct {
	mu     sync.Mutex
	tokens map[string]Token // the spent refresh tokens too
	held   map[string]*Authorization
	seen   map[string]time.Time // client assertions, until when they could be sent again
}

// remember makes a token known until it expires: as good, and as secret.
func (x *Exchange) remember(g *Grant, token string, kind TokenKind, life time.Duration) {
	x.Secrets.Add(token)
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.tokens) >= maxKept {
		maps.DeleteFunc(x.tokens, func(_ string, old Token) bool {
			return old.ended || old.Kind != RefreshToken && !old.Expires.After(x.Now)
		})
	}
	x.tokens[token] = Token{Grant: g, Kind: kind, Expires: x.Now.Add(life)}
}

// begin makes the first refresh token of a grant.
func (x *Exchange) begin(g *Grant) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.renew(g)
}

// renew is called with the lock held.
func (x *Exchange) renew(g *Grant) string {
	g.refresh = NewOpaque()
	x.tokens[g.refresh] = Token{Grant: g, Kind: RefreshToken}
	x.Secrets.Add(g.refresh)
	return g.refresh
}

// renewed takes the request's refresh token and returns its grant and the next token, which is empty when the old one
// stays good. It is not ok for tokens that are unknown, another client's, or spent: with rotation, one that comes a
// second time ends its grant (RFC 9700 §4.14.2).
func (x *Exchange) renewed(c *Client) (g *Grant, next string, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	sent := x.Form.Get("refresh_token")
	t := x.tokens[sent]
	if t.Grant == nil || t.Kind != RefreshToken || t.ended || t.Client != c.ID {
		return nil, "", false
	}
	if t.refresh != sent {
		t.ended = true
		return nil, "", false
	}
	if !x.Orders.KeepRefresh {
		next = x.renew(t.Grant)
	}
	return t.Grant, next, true
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

// Access returns what an access token stands for.
func (x *Exchange) Access(token string) (Token, bool) {
	t, ok := x.Find(token)
	return t, ok && t.Kind == AccessToken
}

// Caller returns whose access token the request carries in its header.
func (x *Exchange) Caller() (Token, bool) { return x.Access(Bearer(x.Request.Header)) }

// Authorized makes an endpoint of a view for whoever sends an access token; others get what refuse says.
func Authorized(refuse func(*Exchange) Reply, view func(*Exchange, Token) Reply) Endpoint {
	return func(x *Exchange) Reply {
		if t, ok := x.Caller(); ok {
			return view(x, t)
		}
		return refuse(x)
	}
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
