package service

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// codeLife is how long a code is good; RFC 6749 §4.1.2 has ten minutes at most.
	codeLife = time.Minute
	// signInLife is how long a sign-in page may stay open.
	signInLife = 10 * time.Minute
)

// Authorization is one request at an authorization endpoint (RFC 6749 §4.1.1), on its way from the sign-in page to the
// code. Its query holds no parameter twice and none without a value.
type Authorization struct {
	Client  *Client
	Query   url.Values
	Scope   string // what is going to be granted
	expires time.Time
}

// Code is an authorization that a user gave consent to.
type Code struct {
	Authorization
	Grant *Grant
	spent bool
}

// open begins a sign-in and returns the secret that its page is known by.
func (x *Exchange) open(a Authorization) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	maps.DeleteFunc(x.pages, func(_ string, a Authorization) bool { return !a.expires.After(x.Now) })
	session := NewOpaque()
	a.expires = x.Now.Add(signInLife)
	x.pages[session] = a
	return session
}

// page returns the authorization of an open sign-in page.
func (x *Exchange) page(session string) (Authorization, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	a, ok := x.pages[session]
	return a, ok && a.expires.After(x.Now)
}

// shut ends a sign-in; of two at once only the first is ok.
func (x *Exchange) shut(session string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, ok := x.pages[session]
	delete(x.pages, session)
	return ok
}

// code gives a code for an authorization.
func (x *Exchange) code(a Authorization, g *Grant) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	maps.DeleteFunc(x.codes, func(_ string, c *Code) bool {
		// Spent ones are kept for a while, to know a second use.
		return c.expires.Add(signInLife).Before(x.Now)
	})
	a.expires = x.Now.Add(codeLife)
	code := NewOpaque()
	x.codes[code] = &Code{Authorization: a, Grant: g}
	x.Secrets.Add(code)
	return code
}

// Redeem exchanges the request's code, once, whatever comes of it. The problem is in words for the reply. A second use
// ends what came of the first (RFC 6749 §4.1.2).
func (x *Exchange) Redeem(by *Client) (code *Code, problem string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	code = x.codes[x.Form.Get("code")]
	if code == nil {
		return nil, "Invalid authorization code"
	}
	if code.spent {
		code.Grant.ended = true
		return nil, "Invalid authorization code"
	}
	code.spent = true
	challenge := code.Query.Get("code_challenge")
	switch {
	case code.Client.ID != by.ID:
		return nil, "Invalid authorization code"
	case !code.expires.After(x.Now):
		return nil, "The authorization code has expired"
	case x.Form.Get("redirect_uri") != code.Query.Get("redirect_uri"):
		return nil, "Redirect URI mismatch"
	case challenge == "" && x.Form.Has("code_verifier"):
		// RFC 9700 §4.8.2: somebody took the challenge off the request.
		return nil, "code_verifier without a code_challenge"
	case challenge != "" && !verifies(x.Form.Get("code_verifier"), challenge):
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

// AuthorizeError is an error that is told to the client by redirect (RFC 6749 §4.1.2.1).
type AuthorizeError struct{ Code, Text string }

// readAuthorization reads what the services' authorization requests share. A problem says why the browser must not be
// sent back: then client or redirect_uri cannot be trusted.
func (x *Exchange) readAuthorization() (a Authorization, problem string) {
	query, err := url.ParseQuery(x.Request.URL.RawQuery)
	if err != nil {
		return a, "The request cannot be read."
	}
	for _, name := range []string{"client_id", "redirect_uri"} {
		if len(query[name]) > 1 {
			return a, "The parameter " + name + " was sent more than once."
		}
	}
	a.Query = Given(query)
	a.Scope, a.Client = a.Query.Get("scope"), x.Client(a.Query.Get("client_id"))
	switch {
	case a.Client == nil:
		return a, "No such application is registered here."
	case !registered(a.Query.Get("redirect_uri")):
		return a, "The application's redirect_uri is not registered."
	}
	return a, ""
}

// check returns what is wrong with the parameters that every service has.
func (a Authorization) check() *AuthorizeError {
	challenge := a.Query.Get("code_challenge")
	switch {
	case Repeated(a.Query):
		return &AuthorizeError{"invalid_request", "a parameter was sent more than once"}
	case !a.Query.Has("response_type"):
		return &AuthorizeError{"invalid_request", "response_type is missing"}
	case a.Query.Get("response_type") != "code":
		return &AuthorizeError{"unsupported_response_type", "only the response type code is supported"}
	case challenge != "" && a.Query.Get("code_challenge_method") != "S256",
		challenge == "" && a.Query.Has("code_challenge_method"),
		challenge != "" && !pkceText(challenge):
		// RFC 7636 §4.4.1; a missing method would mean plain.
		return &AuthorizeError{"invalid_request", "PKCE needs a code_challenge with the method S256"}
	}
	return nil
}

// registered reports whether a redirect URI is one of the sandbox's clients': any path and port at 127.0.0.1 (RFC 8252
// §7.3), nothing else.
func registered(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && u.Scheme == "http" && u.Hostname() == "127.0.0.1" && u.Port() != "" &&
		u.User == nil && !strings.Contains(uri, "#") && !HasControl(uri)
}

// HasControl reports whether a text holds what no header may hold.
func HasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// back sends the browser to the client's redirect URI with the parameters given; orders may change them.
func (x *Exchange) back(a Authorization, params map[string]string) Reply {
	u, err := url.Parse(a.Query.Get("redirect_uri"))
	if err != nil { // registered has parsed it
		return OAuthError(http.StatusInternalServerError, "server_error", "the redirect URI cannot be read")
	}
	query := u.Query() // what is there stays (RFC 6749 §3.1.2)
	if a.Query.Has("state") {
		params["state"] = a.Query.Get("state")
	}
	maps.Copy(params, x.Orders.Callback)
	for name, value := range params {
		query.Set(name, value)
		if value == "" {
			query.Del(name)
		}
	}
	u.RawQuery = query.Encode()
	return Redirect(u.String())
}

// backWith tells the client an error.
func (x *Exchange) backWith(a Authorization, e AuthorizeError) Reply {
	return x.back(a, map[string]string{"error": e.Code, "error_description": e.Text})
}
