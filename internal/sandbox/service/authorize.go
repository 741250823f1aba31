package service

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"maps"
	"net/url"
	"strings"
	"time"
)

const (
	// codeLife is how long a code is good; RFC 6749 §4.1.2 has ten minutes at most.
	codeLife = time.Minute
	// signInLife is how long a sign-in page may stay open, and how long a code is remembered, to know a second use.
	signInLife = 10 * time.Minute
)

// Authorization is one request at an authorization endpoint (RFC 6749 §4.1.1), on its way from the sign-in page to the
// code. Its query holds no parameter twice and none without a value.
type Authorization struct {
	Client *Client
	Query  url.Values
	Scope  string // what is going to be granted

	expires time.Time
	grant   *Grant // of a user who gave consent, nil while the page is open
	spent   bool
}

// hold keeps an authorization under a new secret: the session of a page, or a code.
func (x *Exchange) hold(a Authorization, life time.Duration) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	maps.DeleteFunc(x.held, func(_ string, old *Authorization) bool { return old.expires.Add(signInLife).Before(x.Now) })
	a.expires = x.Now.Add(life)
	held := NewOpaque()
	x.held[held] = &a
	return held
}

// page returns the authorization of an open sign-in page. To shut it ends the sign-in; of two at once only the first
// is ok.
func (x *Exchange) page(session string, shut bool) (Authorization, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	a := x.held[session]
	if a == nil || a.grant != nil || !a.expires.After(x.Now) {
		return Authorization{}, false
	}
	if shut {
		delete(x.held, session)
	}
	return *a, true
}

// redeem exchanges the request's code, once, whatever comes of it. The problem is in words for the reply. A second use
// ends what came of the first (RFC 6749 §4.1.2).
func (x *Exchange) redeem(by *Client) (g *Grant, problem string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	code := x.held[x.Form.Get("code")]
	if code == nil || code.grant == nil {
		return nil, "Invalid authorization code"
	}
	if code.spent {
		code.grant.ended = true
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
	return code.grant, ""
}

// verifies is RFC 7636 §4.6 with S256.
func verifies(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	want := base64.RawURLEncoding.EncodeToString(sum[:])
	return pkceText(verifier) && subtle.ConstantTimeCompare([]byte(want), []byte(challenge)) == 1
}

// pkceText is the syntax of verifier and challenge (RFC 7636 §4.1 and §4.2).
func pkceText(s string) bool {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	return len(s) >= 43 && len(s) <= 128 && strings.Trim(s, unreserved) == ""
}

// readAuthorization reads what the services' authorization requests share. A problem says why the browser must not be
// sent back: then client or redirect_uri cannot be trusted.
func (x *Exchange) readAuthorization() (a Authorization, problem string) {
	query, err := url.ParseQuery(x.Request.URL.RawQuery)
	if err != nil || len(query["client_id"]) > 1 || len(query["redirect_uri"]) > 1 {
		return a, "The request cannot be read."
	}
	a.Query = x.given(query)
	a.Client = x.Client(a.Query.Get("client_id"))
	switch {
	case a.Client == nil:
		return a, "No such application is registered here."
	case !registered(a.Query.Get("redirect_uri")):
		return a, "The application's redirect_uri is not registered."
	}
	return a, ""
}

// check returns what is wrong with the parameters that every service has, code and text (RFC 6749 §4.1.2.1).
func (a Authorization) check() (code, text string) {
	challenge, method := a.Query.Get("code_challenge"), a.Query.Get("code_challenge_method")
	switch {
	case repeated(a.Query):
		return "invalid_request", "a parameter was sent more than once"
	case !a.Query.Has("response_type"):
		return "invalid_request", "response_type is missing"
	case a.Query.Get("response_type") != "code":
		return "unsupported_response_type", "only the response type code is supported"
	case challenge == "" && method == "", method == "S256" && pkceText(challenge):
		return "", ""
	}
	// RFC 7636 §4.4.1; a missing method would mean plain.
	return "invalid_request", "PKCE needs a code_challenge with the method S256"
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
	u := must(url.Parse(a.Query.Get("redirect_uri"))) // registered has parsed it
	query := u.Query()                                // what is there stays (RFC 6749 §3.1.2)
	params["state"] = a.Query.Get("state")
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
func (x *Exchange) backWith(a Authorization, code, text string) Reply {
	return x.back(a, map[string]string{"error": code, "error_description": text})
}
