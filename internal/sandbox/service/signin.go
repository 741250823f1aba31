package service

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	codeLife   = time.Minute      // RFC 6749 §4.1.2 has ten minutes at most
	signInLife = 10 * time.Minute // how long a sign-in page may stay open
)

// SignIn is a service's authorization endpoint with its sign-in page.
type SignIn struct {
	Path     string   // of the page, and of the POST of its form
	Mistaken int      // the status of a page that says what is wrong with a request that names a client
	Standard []string // scopes that every user has
	// Issuer is who the client is told that it was sent back by (RFC 9207); nil where that is not said.
	Issuer func(*Exchange) string
	// Challenged says that public clients have to send a code_challenge (RFC 9700 §2.1.1).
	Challenged bool
	Page       func(Authorization) Page
	// Enter returns who signs in, or says on the page why that is nobody.
	Enter func(*Exchange, Authorization) (user, problem string)
	// Welcome adds to the reply of a sign-in; it may be nil.
	Welcome func(*Exchange, Reply) Reply
}

// Authorization is one request at an authorization endpoint (RFC 6749 §4.1.1), on its way from the sign-in page to the
// code. Its query holds no parameter twice and none without a value.
type Authorization struct {
	Client *Client
	Query  url.Values
	Scope  string // what is going to be granted

	expires time.Time
	issuer  string
	grant   *Grant // of a user who gave consent, nil while the page is open
}

// Authorize is GET at the authorization endpoint: on to the page. Where client or redirect_uri cannot be trusted, a
// page says what is wrong, and else the client is told.
func (s SignIn) Authorize(x *Exchange) Reply {
	query, err := url.ParseQuery(x.Request.URL.RawQuery)
	if err != nil || len(query["client_id"]) > 1 || len(query["redirect_uri"]) > 1 {
		return s.sorry(http.StatusUnauthorized, "The request cannot be read.")
	}
	a := Authorization{Query: x.given(query), Client: x.Client(query.Get("client_id"))}
	switch {
	case a.Client == nil:
		return s.sorry(http.StatusUnauthorized, "No such application is registered here.")
	case !Registered(a.Query.Get("redirect_uri")):
		return s.sorry(s.Mistaken, "The application's redirect_uri is not registered.")
	}
	if s.Issuer != nil {
		a.issuer = s.Issuer(x)
	}
	code, text := a.check(x)
	if code == "" && s.Challenged && a.Client.Public && !a.Query.Has("code_challenge") {
		code, text = "invalid_request", "public clients have to use PKCE"
	}
	var ok bool
	if a.Scope, ok = x.Granted(a.Query.Get("scope"), s.Standard, nil); !ok && code == "" {
		code, text = "invalid_scope", "the requested scope is invalid or unknown"
	}
	if code != "" {
		return x.backWith(a, code, text)
	}
	return Redirect(s.Path + "?" + url.Values{"session": {x.hold(a, signInLife)}}.Encode())
}

// check returns what is wrong with the parameters that every service has, code and text (RFC 6749 §4.1.2.1).
func (a Authorization) check(x *Exchange) (code, text string) {
	challenge, method := a.Query.Get("code_challenge"), a.Query.Get("code_challenge_method")
	switch {
	case x.repeated(a.Query):
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

// Registered reports whether a redirect URI is one of the sandbox's clients': any path and port at 127.0.0.1 (RFC 8252
// §7.3), nothing else.
func Registered(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && u.Scheme == "http" && u.Hostname() == "127.0.0.1" && u.Port() != "" &&
		u.User == nil && !strings.Contains(uri, "#")
}

// Show is GET at the page.
func (s SignIn) Show(x *Exchange) Reply {
	session := x.Request.URL.Query().Get("session")
	a, ok := x.page(session, false)
	if !ok {
		return s.ended()
	}
	return s.form(a, session, "", url.Values{})
}

// Submit is POST at the page, of its form.
func (s SignIn) Submit(x *Exchange) Reply {
	if x.Bad != "" {
		return s.sorry(http.StatusBadRequest, "The form cannot be read.")
	}
	session, cancel := x.Form.Get("session"), x.Form.Get("action") == "cancel"
	a, ok := x.page(session, cancel)
	if !ok {
		return s.ended()
	}
	if cancel {
		return x.backWith(a, "access_denied", "the user cancelled the sign-in")
	}
	user, problem := s.Enter(x, a)
	if problem != "" {
		return s.form(a, session, problem, x.Form)
	}
	if _, first := x.page(session, true); !first {
		return s.ended()
	}
	a.grant = &Grant{
		Client: a.Client.ID, Scope: a.Scope, User: user, SID: rand.Text(), Nonce: a.Query.Get("nonce"), At: x.Now,
		Audience: slices.Concat(a.Query["resource"], a.Query["audience"]),
	}
	code := x.hold(a, codeLife)
	x.Secrets.Add(code)
	back := x.back(a, map[string]string{"code": code})
	if s.Welcome != nil {
		return s.Welcome(x, back)
	}
	return back
}

func (s SignIn) ended() Reply {
	return s.sorry(http.StatusBadRequest, "This sign-in has ended. Please start again from the application.")
}

// back sends the browser to the client's redirect URI with the parameters given; a fault may change them.
func (x *Exchange) back(a Authorization, params map[string]string) Reply {
	u := must(url.Parse(a.Query.Get("redirect_uri")))
	query := u.Query() // what is there stays (RFC 6749 §3.1.2)
	params["state"], params["iss"] = a.Query.Get("state"), a.issuer
	maps.Copy(params, x.Fault.Callback)
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

// hold keeps an authorization under a new secret: the session of a page, or a code.
func (x *Exchange) hold(a Authorization, life time.Duration) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	maps.DeleteFunc(x.held, func(_ string, old *Authorization) bool { return old.expires.Before(x.Now) })
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

// redeem exchanges the request's code, once, whatever comes of it. The problem is in words for the reply.
func (x *Exchange) redeem(by *Client) (g *Grant, problem string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	code := x.held[x.Form.Get("code")]
	if code == nil || code.grant == nil {
		return nil, "Invalid authorization code"
	}
	delete(x.held, x.Form.Get("code"))
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

// Page is what one service's sign-in page shows. All texts are plain; they are escaped when the page is written.
type Page struct {
	Brand, Accent string  // the name, and a CSS colour
	Fields        []Field // those before the password
	// Hint says who can sign in, with the password that follows it.
	Hint, Password string
}

// Field is one line of the form.
type Field struct{ Name, Label, Kind, Autocomplete string }

// The page around what it says, which follows the reader's choice of light or dark, and the form in it, which works
// without a script.
var (
	//go:embed signin.html
	frame string
	//go:embed form.html
	form string
)

// HTML is an answer to a browser; title and body are HTML. The policy leaves out form-action: browsers apply it to the
// redirect that follows the form, and that goes to another port.
func (p Page) HTML(status int, title, body string) Reply {
	text := strings.NewReplacer(
		"{brand}", html.EscapeString(p.Brand), "{title}", title, "{accent}", p.Accent, "{body}", body,
	).Replace(frame)
	return Reply{Status: status, Text: &text, ContentType: "text/html; charset=utf-8"}.
		With("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "+
			"base-uri 'none'; frame-ancestors 'none'").
		With("Referrer-Policy", "no-referrer").
		With("X-Content-Type-Options", "nosniff")
}

// sorry is for requests whose sender cannot be told by redirect.
func (s SignIn) sorry(status int, text string) Reply {
	return s.Page(Authorization{}).HTML(status, "sign-in not possible",
		"<h1>Sign-in not possible</h1>\n<p>"+html.EscapeString(text)+"</p>\n")
}

// form is the page itself, with what was typed before.
func (s SignIn) form(a Authorization, session, problem string, typed url.Values) Reply {
	p, esc := s.Page(a), html.EscapeString
	var fields strings.Builder
	focus := " autofocus"
	for _, f := range append(p.Fields, Field{"password", "Password", "password", "current-password"}) {
		value, at := strings.TrimSpace(typed.Get(f.Name)), ""
		if f.Kind == "password" {
			value = ""
		}
		if value == "" {
			at, focus = focus, ""
		}
		fmt.Fprintf(&fields, "<label for=\"%[1]s\">%[2]s</label>\n<input id=\"%[1]s\" name=\"%[1]s\" type=\"%[3]s\" "+
			"autocomplete=\"%[4]s\" autocapitalize=\"none\" spellcheck=\"false\" value=\"%[5]s\" required%[6]s>\n",
			f.Name, esc(f.Label), f.Kind, f.Autocomplete, esc(value), at)
	}
	return p.HTML(http.StatusOK, "sign in", strings.NewReplacer(
		"{problem}", esc(problem), "{action}", esc(s.Path), "{session}", esc(session), "{fields}", fields.String(),
		"{hint}", esc(p.Hint), "{password}", esc(p.Password),
	).Replace(form))
}
