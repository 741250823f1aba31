package service

import (
	"maps"
	"net/http"
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
	// SID names the session the user signed in with, where the service tells it.
	SID string

	// What follows is guarded by the memory's lock.
	refresh string // the refresh token that is good now
	ended   bool
}

// TokenKind is what a token was issued as.
type TokenKind int

// The kinds of tokens.
const (
	AccessToken TokenKind = iota
	RefreshToken
	IDToken
)

// Token is what is remembered of a token.
type Token struct {
	*Grant
	Kind    TokenKind
	issued  time.Time
	Expires time.Time // zero for refresh tokens, which end only with their grant
}

// memory is what a service knows of what it issued, and which of it is good. Codes and sign-in pages are in
// authorize.go.
type memory struct {
	mu     sync.Mutex
	tokens map[string]Token
	// refresh holds every refresh token ever issued, the spent ones too.
	refresh map[string]*Grant
	pages   map[string]Authorization
	codes   map[string]*Code
	seen    map[string]time.Time // client assertions, until when they could be sent again
}

// Begin makes the first refresh token of a grant.
func (m *memory) Begin(g *Grant) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.renew(g)
}

// renew is called with the lock held.
func (m *memory) renew(g *Grant) string {
	g.refresh = NewOpaque()
	m.refresh[g.refresh] = g
	return g.refresh
}

// ForClient is the grant of a client that speaks for itself. It comes without a refresh token, unless there are
// orders.
func (x *Exchange) ForClient(c *Client, scopes ...string) (g *Grant, refresh string) {
	g = &Grant{Client: c.ID, Scope: strings.Join(scopes, " ")}
	if x.Orders.RefreshToken {
		refresh = x.Begin(g)
	}
	return g, refresh
}

// Refresh takes the request's refresh token and returns its grant and the next token, which is empty when the old one
// stays good. It is not ok for tokens that are unknown, another client's, or spent: with rotation, one that comes a
// second time ends its grant (RFC 9700 §4.14.2).
func (x *Exchange) Refresh(c *Client) (g *Grant, next string, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	token := x.Form.Get("refresh_token")
	g = x.refresh[token]
	if g == nil || g.ended || g.Client != c.ID {
		return nil, "", false
	}
	if g.refresh != token {
		g.ended = true
		return nil, "", false
	}
	if !x.Orders.KeepRefresh {
		next = x.renew(g)
	}
	return g, next, true
}

// Issue is what every service's token reply shares. A refresh token is added when one is given.
func (x *Exchange) Issue(g *Grant, access, tokenType string, lifetime time.Duration, refresh string) Reply {
	x.Remember(g, access, AccessToken, lifetime)
	fields := map[string]any{
		"access_token": access, "token_type": tokenType, "expires_in": int(lifetime / time.Second),
	}
	if refresh != "" {
		x.Secrets.Add(refresh)
		fields["refresh_token"] = refresh
	}
	return Reply{Status: http.StatusOK, Fields: fields, Token: true}
}

// Remember makes a token known until it expires: as good, and as secret.
func (x *Exchange) Remember(g *Grant, token string, kind TokenKind, lifetime time.Duration) {
	x.Secrets.Add(token)
	x.remember(token, Token{Grant: g, Kind: kind, issued: x.Now, Expires: x.Now.Add(lifetime)})
}

func (m *memory) remember(token string, t Token) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.tokens) >= maxKept {
		maps.DeleteFunc(m.tokens, func(_ string, old Token) bool { return old.ended || !old.Expires.After(t.issued) })
	}
	m.tokens[token] = t
}

// Find returns a token of the service that is good now. It is known by the whole of its text, so that nothing in it
// can have been changed.
func (x *Exchange) Find(token string) (Token, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	t, ok := x.tokens[token]
	if g := x.refresh[token]; g != nil {
		t, ok = Token{Grant: g, Kind: RefreshToken}, g.refresh == token
	}
	if !ok || t.ended || (t.Kind != RefreshToken && !t.Expires.After(x.Now)) {
		return Token{}, false
	}
	return t, true
}

// Access returns what an access token stands for.
func (x *Exchange) Access(token string) (Token, bool) {
	t, ok := x.Find(token)
	return t, ok && t.Kind == AccessToken
}

// Caller returns whose access token the request carries in its header.
func (x *Exchange) Caller() (Token, bool) { return x.Access(Bearer(x.Request.Header)) }

// Forget ends one token: of a refresh token, all that was issued with it.
func (m *memory) Forget(token string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.tokens, token)
	if g := m.refresh[token]; g != nil {
		g.ended = true
	}
}

// End ends a grant with all its tokens.
func (m *memory) End(g *Grant) {
	m.mu.Lock()
	defer m.mu.Unlock()
	g.ended = true
}

// EndAll ends every grant of whoever has this one: the user, or the client that speaks for itself.
func (m *memory) EndAll(of *Grant) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ends := func(g *Grant) {
		if g.User == of.User && (g.User != "" || g.Client == of.Client) {
			g.ended = true
		}
	}
	for _, t := range m.tokens {
		ends(t.Grant)
	}
	for _, g := range m.refresh {
		ends(g)
	}
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
