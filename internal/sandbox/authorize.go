package sandbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// codeLife is how long a code is good; RFC 6749 §4.1.2 has ten minutes at most.
	codeLife = time.Minute
	// signInLife is how long a sign-in page may stay open.
	signInLife = 10 * time.Minute
)

// authorization is one request at an authorization endpoint (RFC 6749 §4.1.1),
// on its way from the sign-in page to the code.
type authorization struct {
	client      *client
	redirectURI string
	state       string
	stateSent   bool
	scope       string
	nonce       string // OpenID Connect Core §3.1.2.1
	challenge   string // S256, RFC 7636 §4.2; empty when none was sent
	hideTenant  bool   // Genesys
	expires     time.Time
}

// issuedCode is an authorization that a user gave consent to.
type issuedCode struct {
	authorization
	grant *grant
	spent bool
}

// consents are the sign-in pages that are open and the codes that came of them.
// Each service has its own.
type consents struct {
	mu    sync.Mutex
	pages map[string]authorization
	codes map[string]*issuedCode
}

// open begins a sign-in and returns the secret that its page is known by.
func (c *consents) open(a authorization, now time.Time) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pages == nil {
		c.pages = make(map[string]authorization)
	}
	maps.DeleteFunc(c.pages, func(_ string, a authorization) bool { return !a.expires.After(now) })
	session := newOpaque()
	a.expires = now.Add(signInLife)
	c.pages[session] = a
	return session
}

// page returns the authorization of an open sign-in page.
func (c *consents) page(session string, now time.Time) (authorization, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.pages[session]
	return a, ok && a.expires.After(now)
}

// close ends a sign-in; of two at once only the first is ok.
func (c *consents) close(session string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.pages[session]
	delete(c.pages, session)
	return ok
}

// code gives a code for an authorization.
func (c *consents) code(a authorization, g *grant, now time.Time) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.codes == nil {
		c.codes = make(map[string]*issuedCode)
	}
	maps.DeleteFunc(c.codes, func(_ string, i *issuedCode) bool {
		// Spent ones are kept for a while, to know a second use.
		return i.expires.Add(signInLife).Before(now)
	})
	a.expires = now.Add(codeLife)
	code := newOpaque()
	c.codes[code] = &issuedCode{authorization: a, grant: g}
	return code
}

// redeem exchanges a code, once, whatever comes of it. The problem is in words
// for the reply. A second use ends what came of the first (RFC 6749 §4.1.2).
func (x *exchange) redeem(c *consents, by *client) (code *issuedCode, problem string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	code = c.codes[x.form.Get("code")]
	if code == nil {
		return nil, "Invalid authorization code"
	}
	if code.spent {
		x.s.tokens.end(code.grant)
		return nil, "Invalid authorization code"
	}
	code.spent = true
	switch {
	case code.client.id != by.id:
		return nil, "Invalid authorization code"
	case !code.expires.After(x.now):
		return nil, "The authorization code has expired"
	case x.form.Get("redirect_uri") != code.redirectURI:
		return nil, "Redirect URI mismatch"
	case code.challenge == "" && x.form.Has("code_verifier"):
		// RFC 9700 §4.8.2: somebody took the challenge off the request.
		return nil, "code_verifier without a code_challenge"
	case code.challenge != "" && !verifies(x.form.Get("code_verifier"), code.challenge):
		return nil, "The code_verifier does not fit the code_challenge"
	}
	return code, ""
}

// verifies is RFC 7636 §4.6 with S256.
func verifies(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	want := base64.RawURLEncoding.EncodeToString(sum[:])
	return pkceText(verifier) && subtle.ConstantTimeCompare([]byte(want), []byte(challenge)) == 1
}

// pkceText is the syntax of verifier and challenge (RFC 7636 §4.1 and §4.2).
func pkceText(s string) bool {
	return len(s) >= 43 && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("-._~", r)
	})
}

// authorizeError is an error that is told to the client by redirect (RFC 6749
// §4.1.2.1).
type authorizeError struct{ code, text string }

// readAuthorization reads what the services' authorization requests share. A
// page says why the browser must not be sent back: then client or redirect_uri
// cannot be trusted.
func (x *exchange) readAuthorization(clients []client) (a authorization, wrong *authorizeError, page string) {
	query, err := url.ParseQuery(x.r.URL.RawQuery)
	if err != nil {
		return a, nil, "The request cannot be read."
	}
	for _, name := range []string{"client_id", "redirect_uri"} {
		if len(query[name]) > 1 {
			return a, nil, "The parameter " + name + " was sent more than once."
		}
	}
	query = given(query)
	a.client = clientByID(clients, query.Get("client_id"))
	a.redirectURI = query.Get("redirect_uri")
	switch {
	case a.client == nil:
		return a, nil, "No such application is registered here."
	case !registered(a.redirectURI):
		return a, nil, "The application's redirect_uri is not registered."
	}
	a.state, a.stateSent = query.Get("state"), query.Has("state")
	a.nonce, a.scope, a.challenge = query.Get("nonce"), query.Get("scope"), query.Get("code_challenge")
	return a, a.check(query), ""
}

// check returns what is wrong with the parameters that every service has.
func (a authorization) check(query url.Values) *authorizeError {
	repeated := func(values []string) bool { return len(values) > 1 }
	method := query.Get("code_challenge_method")
	switch {
	case slices.ContainsFunc(slices.Collect(maps.Values(query)), repeated):
		return &authorizeError{"invalid_request", "a parameter was sent more than once"}
	case !query.Has("response_type"):
		return &authorizeError{"invalid_request", "response_type is missing"}
	case query.Get("response_type") != "code":
		return &authorizeError{"unsupported_response_type", "only the response type code is supported"}
	case query.Has("code_challenge") && method != "S256",
		query.Has("code_challenge_method") && a.challenge == "",
		a.challenge != "" && !pkceText(a.challenge):
		// RFC 7636 §4.4.1; a missing method would mean plain.
		return &authorizeError{"invalid_request", "PKCE needs a code_challenge with the method S256"}
	}
	return nil
}

// registered reports whether a redirect URI is one of the sandbox's clients':
// any path and port at 127.0.0.1 (RFC 8252 §7.3), nothing else.
func registered(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && u.Scheme == "http" && u.Hostname() == "127.0.0.1" && u.Port() != "" &&
		u.User == nil && !strings.Contains(uri, "#") && !hasControl(uri)
}

// back sends the browser to the client's redirect URI with the parameters
// given, as name and value by turns; a fault may change them.
func (x *exchange) back(a authorization, params ...string) reply {
	u, err := url.Parse(a.redirectURI)
	if err != nil { // registered has parsed it
		return x.refusal(http.StatusInternalServerError, "the redirect URI cannot be read")
	}
	query := u.Query() // what is there stays (RFC 6749 §3.1.2)
	for i := 0; i+1 < len(params); i += 2 {
		query.Set(params[i], params[i+1])
	}
	if a.stateSent {
		query.Set("state", a.state)
	}
	for name, value := range x.fault.Callback {
		query.Set(name, value)
		if value == "" {
			query.Del(name)
		}
	}
	u.RawQuery = query.Encode()
	return reply{status: http.StatusFound}.with("Location", u.String())
}

// backWith tells the client an error.
func (x *exchange) backWith(a authorization, e authorizeError) reply {
	return x.back(a, "error", e.code, "error_description", e.text)
}

// consent answers a sign-in that succeeded with a code.
func (x *exchange) consent(c *consents, a authorization, g *grant) reply {
	code := c.code(a, g, x.now)
	x.s.ledger.add(code)
	return x.back(a, "code", code)
}
