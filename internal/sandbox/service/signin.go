package service

import (
	_ "embed"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
)

// SignIn is a service's authorization endpoint with its sign-in page.
type SignIn struct {
	// Path is where the page is, and where its form is posted to.
	Path string
	// Mistaken is the status of a page that says what is wrong with a request that names a client.
	Mistaken int
	// Standard are scopes that every user has.
	Standard []string
	// Check says what is wrong with parameters that are the service's own, code and text; it may be nil.
	Check func(Authorization) (code, text string)
	// Page is what the page shows.
	Page func(Authorization) Page
	// Enter returns who signs in, or says on the page why that is nobody.
	Enter func(*Exchange, Authorization) (user, problem string)
	// Welcome adds to the reply of a sign-in; it may be nil.
	Welcome func(*Exchange, Reply) Reply
}

// Page is what one service's sign-in page shows. All texts are plain; they are escaped when the page is written.
type Page struct {
	Brand, Accent string // the name, and a CSS colour
	Fields        []Field
	Hint          string // who can sign in
	Password      string // the password of the hint
}

// Field is one line of the form.
type Field struct{ Name, Label, Kind, Autocomplete string }

// PasswordField is the last line of every form.
func PasswordField() Field { return Field{"password", "Password", "password", "current-password"} }

// Authorize is GET at the authorization endpoint: on to the page. What cannot be told to the client is told on a page.
func (s SignIn) Authorize(x *Exchange) Reply {
	a, problem := x.readAuthorization()
	switch {
	case problem != "" && a.Client == nil:
		return s.sorry(http.StatusUnauthorized, problem)
	case problem != "":
		return s.sorry(s.Mistaken, problem)
	}
	code, text := a.check()
	if code == "" && s.Check != nil {
		code, text = s.Check(a)
	}
	if code != "" {
		return x.backWith(a, code, text)
	}
	var ok bool
	if a.Scope, ok = x.granted(a.Client, a.Query.Get("scope"), s.Standard, nil); !ok {
		return x.backWith(a, "invalid_scope", "the requested scope is invalid or unknown")
	}
	return Redirect(s.Path + "?" + url.Values{"session": {x.hold(a, signInLife)}}.Encode())
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
	if x.Bad != nil {
		return s.sorry(x.Bad.Status, "The form cannot be read.")
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
	if _, ok := x.page(session, true); !ok {
		return s.ended()
	}
	a.grant = &Grant{Client: a.Client.ID, Scope: a.Scope, User: user, SID: NewUUID(), Nonce: a.Query.Get("nonce")}
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

// frame is the page around what it says. It follows the reader's choice of light or dark.
//
//go:embed signin.html
var frame string

// page is an answer to a browser. The policy leaves out form-action: browsers apply it to the redirect that follows
// the form, and that goes to another port.
func (p Page) page(status int, title, body string) Reply {
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
	return s.Page(Authorization{}).page(status, "sign-in not possible",
		"<h1>Sign-in not possible</h1>\n<p>"+html.EscapeString(text)+"</p>\n")
}

// form is the page itself, with what was typed before. It works without a script.
func (s SignIn) form(a Authorization, session, problem string, typed url.Values) Reply {
	p, esc := s.Page(a), html.EscapeString
	var b strings.Builder
	b.WriteString("<h1>Sign in</h1>\n")
	if problem != "" {
		fmt.Fprintf(&b, "<p class=\"problem\" role=\"alert\">%s</p>\n", esc(problem))
	}
	fmt.Fprintf(&b, "<form method=\"post\" action=\"%s\">\n<input type=\"hidden\" name=\"session\" value=\"%s\">\n",
		esc(s.Path), esc(session))
	focus := " autofocus"
	for _, f := range p.Fields {
		value, at := strings.TrimSpace(typed.Get(f.Name)), ""
		if f.Kind == "password" {
			value = ""
		}
		if value == "" {
			at, focus = focus, ""
		}
		fmt.Fprintf(&b, "<label for=\"%[1]s\">%[2]s</label>\n<input id=\"%[1]s\" name=\"%[1]s\" type=\"%[3]s\" "+
			"autocomplete=\"%[4]s\" autocapitalize=\"none\" spellcheck=\"false\" value=\"%[5]s\" required%[6]s>\n",
			f.Name, esc(f.Label), f.Kind, f.Autocomplete, esc(value), at)
	}
	b.WriteString("<div class=\"buttons\">\n<button name=\"action\" value=\"sign-in\">Sign in</button>\n" +
		"<button name=\"action\" value=\"cancel\" class=\"quiet\" formnovalidate>Cancel</button>\n</div>\n</form>\n")
	fmt.Fprintf(&b, "<details>\n<summary>Who can sign in here?</summary>\n<p>%s</p>\n", esc(p.Hint))
	if p.Password != "" {
		fmt.Fprintf(&b, "<p><code>%s</code></p>\n", esc(p.Password))
	}
	return p.page(http.StatusOK, "sign in", b.String()+"</details>\n")
}
