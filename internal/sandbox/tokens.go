package sandbox

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// grant is one authorization: what a client was given, for itself or for a user.
// All tokens issued under it end with it.
type grant struct {
	service, client, scope string
	// user is whose consent it is; empty when the client speaks for itself.
	user string
	// sid names the session the user signed in with, where the service tells it.
	sid string

	// What follows is guarded by the register's lock.
	refresh string // the refresh token that is good now
	ended   bool
}

// subject is whose tokens these are.
func (g *grant) subject() string {
	if g.user == "" {
		return "client " + g.client
	}
	return "user " + g.user
}

// tokenKind is what a token was issued as.
type tokenKind int

const (
	accessToken tokenKind = iota
	refreshToken
	idToken
)

// issuedToken is what is remembered of an access or ID token.
type issuedToken struct {
	*grant
	kind    tokenKind
	issued  time.Time
	expires time.Time // zero for refresh tokens, which end only with their grant
}

// register knows every token issued and which of them are good. With rotation,
// a refresh token that comes a second time ends its grant (RFC 9700 §4.14.2).
type register struct {
	mu     sync.Mutex
	tokens map[string]issuedToken
	// refresh holds every refresh token ever issued, the spent ones too.
	refresh map[string]*grant
}

// begin makes a refresh token, the first of a grant.
func (r *register) begin(g *grant) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.renew(g)
}

// renew is called with the lock held.
func (r *register) renew(g *grant) string {
	if r.refresh == nil {
		r.refresh = make(map[string]*grant)
	}
	g.refresh = newOpaque()
	r.refresh[g.refresh] = g
	return g.refresh
}

// use takes a refresh token of a client and returns its grant and, with rotate,
// the next token. It is not ok for tokens that are unknown, another client's, or
// spent.
func (r *register) use(service, client, token string, rotate bool) (g *grant, next string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g = r.refresh[token]
	if g == nil || g.ended || g.service != service || g.client != client {
		return nil, "", false
	}
	if g.refresh != token {
		g.ended = true
		return nil, "", false
	}
	if rotate {
		next = r.renew(g)
	}
	return g, next, true
}

// remember makes a token known until it expires.
func (r *register) remember(token string, t issuedToken) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tokens == nil {
		r.tokens = make(map[string]issuedToken)
	}
	if len(r.tokens) >= maxKept {
		maps.DeleteFunc(r.tokens, func(_ string, old issuedToken) bool {
			return old.ended || !old.expires.After(t.issued)
		})
	}
	r.tokens[token] = t
}

// find returns a token of a service that is good now.
func (r *register) find(service, token string, now time.Time) (issuedToken, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.tokens[token]
	if g := r.refresh[token]; g != nil {
		t, ok = issuedToken{grant: g, kind: refreshToken}, g.refresh == token
	}
	if !ok || t.ended || t.service != service || (t.kind != refreshToken && !t.expires.After(now)) {
		return issuedToken{}, false
	}
	return t, true
}

// forget ends one token: of a refresh token, all that was issued with it.
func (r *register) forget(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.tokens, token)
	if g := r.refresh[token]; g != nil {
		g.ended = true
	}
}

// end ends a grant with all its tokens.
func (r *register) end(g *grant) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g.ended = true
}

// endAll ends every grant of a subject at a service.
func (r *register) endAll(service, subject string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ends := func(g *grant) {
		if g.service == service && g.subject() == subject {
			g.ended = true
		}
	}
	for _, t := range r.tokens {
		ends(t.grant)
	}
	for _, g := range r.refresh {
		ends(g)
	}
}

// bearer returns the token of an Authorization header (RFC 6750 §2.1; the scheme
// in any case, RFC 9110 §11.1), empty when there is none or more than one.
func bearer(h http.Header) string {
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

// caller returns whose access token the request carries in its header.
func (x *exchange) caller() (issuedToken, bool) {
	return x.accessOf(bearer(x.r.Header))
}

// accessOf returns what an access token stands for. It is known by the whole of
// its text, so that nothing in it can have been changed.
func (x *exchange) accessOf(token string) (issuedToken, bool) {
	t, ok := x.s.tokens.find(x.serviceName(), token, x.now)
	return t, ok && t.kind == accessToken
}
