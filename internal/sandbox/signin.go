package sandbox

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
)

// Who can sign in: Jane, at either service. She can change her password at Genesys.
const (
	GenesysTenant    = "acme"
	GenesysUser      = "jane"
	GenesysPassword  = Marker + "+jane's %pass:word"
	TalkdeskUser     = "jane@acme.example"
	TalkdeskPassword = Marker + "+talkdesk jane's %pass:word"
)

// signInPage is what one service's sign-in page shows. All texts are plain; they
// are escaped when the page is written.
type signInPage struct {
	brand, accent string // the name, and a CSS colour
	action        string // the path the form is posted to
	session       string // the hidden value
	problem       string // why the person is here again
	fields        []field
	hint          string // who can sign in
	password      string // the password of the hint
}

// field is one line of the form.
type field struct{ name, label, kind, autocomplete, value string }

// answer reads the form of a sign-in page and finds its authorization. A reply
// says why there is none.
func (c *consents) answer(x *exchange, p signInPage) (a authorization, session string, rep *reply) {
	refuse := func(r reply) (authorization, string, *reply) { return authorization{}, "", &r }
	if x.bad != nil {
		return refuse(errorPage(p, x.bad.status, "The form cannot be read."))
	}
	session = x.form.Get("session")
	a, ok := c.page(session, x.now)
	if !ok {
		return refuse(errorPage(p, http.StatusBadRequest,
			"This sign-in has ended. Please start again from the application."))
	}
	if x.form.Get("action") == "cancel" {
		c.close(session)
		return refuse(x.backWith(a, authorizeError{"access_denied", "the user cancelled the sign-in"}))
	}
	return a, session, nil
}

// show answers the browser that has come to a sign-in page.
func (c *consents) show(x *exchange, p signInPage) (authorization, string, *reply) {
	session := x.r.URL.Query().Get("session")
	a, ok := c.page(session, x.now)
	if !ok {
		r := errorPage(p, http.StatusBadRequest, "This sign-in has ended. Please start again from the application.")
		return a, session, &r
	}
	return a, session, nil
}

// toSignIn sends the browser from the authorization endpoint to the page.
func (c *consents) toSignIn(x *exchange, a authorization, path string) reply {
	query := url.Values{"session": {c.open(a, x.now)}}
	return reply{status: http.StatusFound}.with("Location", path+"?"+query.Encode())
}

// page is an answer to a browser. The policy leaves out form-action: browsers
// apply it to the redirect that follows the form, and that goes to another port.
func page(status int, title, accent, body string) reply {
	text := `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>` + html.EscapeString(title) + `</title>
<link rel="icon" href="data:,">
<style>:root{--accent:` + accent + `}` + styleSheet + `</style>
</head>
<body>
<main>
` + body + `</main>
<footer>authctl sandbox &middot; every account here is fake</footer>
</body>
</html>
`
	return reply{status: status, html: text}.
		with("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "+
			"base-uri 'none'; frame-ancestors 'none'").
		with("Referrer-Policy", "no-referrer").
		with("X-Content-Type-Options", "nosniff")
}

// errorPage is for requests whose sender cannot be told by redirect.
func errorPage(p signInPage, status int, text string) reply {
	return page(status, p.brand+" – sign-in not possible", p.accent, `<header><span class="mark"></span>`+
		html.EscapeString(p.brand)+"</header>\n<h1>Sign-in not possible</h1>\n<p>"+html.EscapeString(text)+"</p>\n")
}

// form is the page itself. It works without a script.
func (p signInPage) form() reply {
	esc := html.EscapeString
	var b strings.Builder
	fmt.Fprintf(&b, "<header><span class=\"mark\"></span>%s</header>\n<h1>Sign in</h1>\n", esc(p.brand))
	if p.problem != "" {
		fmt.Fprintf(&b, "<p class=\"problem\" role=\"alert\">%s</p>\n", esc(p.problem))
	}
	fmt.Fprintf(&b, "<form method=\"post\" action=\"%s\">\n", esc(p.action))
	fmt.Fprintf(&b, "<input type=\"hidden\" name=\"session\" value=\"%s\">\n", esc(p.session))
	focus := " autofocus"
	for _, f := range p.fields {
		at := focus
		if f.value != "" {
			at = ""
		} else {
			focus = ""
		}
		fmt.Fprintf(&b, "<label for=\"%[1]s\">%[2]s</label>\n<input id=\"%[1]s\" name=\"%[1]s\" type=\"%[3]s\" "+
			"autocomplete=\"%[4]s\" autocapitalize=\"none\" spellcheck=\"false\" value=\"%[5]s\" required%[6]s>\n",
			esc(f.name), esc(f.label), esc(f.kind), esc(f.autocomplete), esc(f.value), at)
	}
	b.WriteString("<div class=\"buttons\">\n<button name=\"action\" value=\"sign-in\">Sign in</button>\n" +
		"<button name=\"action\" value=\"cancel\" class=\"quiet\" formnovalidate>Cancel</button>\n</div>\n</form>\n")
	fmt.Fprintf(&b, "<details>\n<summary>Who can sign in here?</summary>\n<p>%s</p>\n", esc(p.hint))
	if p.password != "" {
		fmt.Fprintf(&b, "<p><code>%s</code></p>\n", esc(p.password))
	}
	b.WriteString("</details>\n")
	return page(http.StatusOK, p.brand+" – sign in", p.accent, b.String())
}

// styleSheet follows the reader's choice of light or dark.
const styleSheet = `
:root{color-scheme:light dark;--paper:#fff;--desk:#f1f2f5;--ink:#1b1d22;--soft:#5d6370;--line:#ccd0d8;--bad:#b3261e}
@media (prefers-color-scheme:dark){
:root{--paper:#1e2026;--desk:#131418;--ink:#eceef2;--soft:#a2a8b5;--line:#41454f;--bad:#ff9d94}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;justify-content:center;gap:1rem;
padding:1.5rem;background:var(--desk);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{width:100%;max-width:24rem;padding:2rem;border-radius:14px;border-top:4px solid var(--accent);
background:var(--paper);box-shadow:0 1px 2px #0002,0 8px 28px #0001}
header{display:flex;align-items:center;gap:.6rem;color:var(--soft);font-size:.9rem}
.mark{width:.8rem;height:.8rem;border-radius:50%;background:var(--accent)}
h1{margin:.4rem 0 1.2rem;font-size:1.5rem;line-height:1.2}
label{display:block;margin:0 0 .3rem;font-size:.9rem;font-weight:600}
input{width:100%;margin:0 0 1rem;padding:.6rem .7rem;border:1px solid var(--line);border-radius:8px;
background:var(--paper);color:inherit;font:inherit}
input:focus-visible,button:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.buttons{display:flex;gap:.6rem;margin-top:.4rem}
button{flex:2;padding:.65rem;border:1px solid transparent;border-radius:8px;background:var(--accent);color:#fff;
font:inherit;font-weight:600;cursor:pointer}
button.quiet{flex:1;border-color:var(--line);background:none;color:inherit}
button:hover{filter:brightness(1.08)}
.problem{margin:0 0 1rem;padding:.6rem .8rem;border:1px solid var(--bad);border-radius:8px;color:var(--bad)}
details{margin-top:1.5rem;color:var(--soft);font-size:.875rem}
summary{cursor:pointer}
details p{margin:.5rem 0 0}
code{overflow-wrap:anywhere}
footer{color:var(--soft);font-size:.8rem}
`
