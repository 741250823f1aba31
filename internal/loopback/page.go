package loopback

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// pageKind is one of the pages there are. Their text is fixed: nothing of a
// request is ever repeated on one.
type pageKind int

const (
	pageLoggedIn pageKind = iota
	pageFailed
	pageForeign
	pageUsed
	pageUnreadable
	pageTooLong
	pageNotFound
	pageWrongMethod
	pageWrongHost
)

// pageText is what a page says, plain text without anything to escape.
type pageText struct {
	status       int
	title, words string
}

func (k pageKind) text() pageText {
	switch k {
	case pageLoggedIn:
		return pageText{http.StatusOK, "Logged in", "You can close this window."}
	case pageFailed:
		return pageText{http.StatusOK, "Login did not work", "The terminal says why. You can close this window."}
	case pageForeign:
		return pageText{
			http.StatusBadRequest, "Not this login",
			"This answer does not belong to the login that is waiting. Use the address that the terminal shows.",
		}
	case pageUsed:
		return pageText{http.StatusGone, "Already used", "This login is over. To log in again, start in the terminal."}
	case pageTooLong:
		return pageText{http.StatusRequestURITooLong, "Too long", "This is no answer to a login."}
	case pageNotFound:
		return pageText{http.StatusNotFound, "Nothing here", "This address only receives the answer to a login."}
	case pageWrongMethod:
		return pageText{http.StatusMethodNotAllowed, "Not possible", "This is no answer to a login."}
	case pageWrongHost:
		return pageText{http.StatusMisdirectedRequest, "Wrong address", "This server has another name."}
	default:
		return pageText{http.StatusBadRequest, "Not readable", "This is no answer to a login."}
	}
}

// writePage sends the page and pushes it out, so that the browser has it even
// when the program ends next.
func writePage(w http.ResponseWriter, k pageKind) {
	text := k.text()
	body := k.html()
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; "+
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "no-referrer") // the page's own address holds the code
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Connection", "close")
	if text.status == http.StatusMethodNotAllowed {
		header.Set("Allow", http.MethodGet)
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(pageTimeout)) // for a body that nobody asked for
	_ = control.SetWriteDeadline(time.Now().Add(pageTimeout))
	w.WriteHeader(text.status)
	_, _ = w.Write([]byte(body))
	_ = control.Flush()
}

// html is the whole page. The icon keeps the browser from asking for another.
func (k pageKind) html() string {
	text, mood, mark := k.text(), "no", "M8 8l8 8M16 8l-8 8"
	if k == pageLoggedIn {
		mood, mark = "yes", "M6.5 12.5l3.5 3.5 7.5-8"
	}
	var b strings.Builder
	b.WriteString(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>` + text.title + ` · authctl</title>
<style>` + pageStyle + `</style>
</head>
<body>
<main class="` + mood + `">
<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="11"/><path d="` + mark + `"/></svg>
<h1>` + text.title + `</h1>
<p>` + text.words + `</p>
<footer>authctl</footer>
</main>
</body>
</html>
`)
	return b.String()
}

// pageStyle follows the browser's light or dark setting.
const pageStyle = `
:root { color-scheme: light dark; --ground: #f3f4f6; --card: #fff; --ink: #16181d; --soft: #5b6270;
  --line: #e3e5ea; --yes: #17803d; --no: #b4231f }
@media (prefers-color-scheme: dark) {
  :root { --ground: #101216; --card: #191c22; --ink: #eef0f4; --soft: #a0a7b4; --line: #2a2e37;
    --yes: #4cc77c; --no: #ff7b72 }
}
* { box-sizing: border-box; margin: 0 }
body { min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
main { width: 100%; max-width: 25rem; padding: 2.75rem 2rem 1.75rem; text-align: center;
  background: var(--card); border: 1px solid var(--line); border-radius: 1rem;
  box-shadow: 0 12px 40px rgb(0 0 0 / .08) }
svg { width: 3.5rem; height: 3.5rem; fill: none; stroke-width: 1.75; stroke-linecap: round;
  stroke-linejoin: round }
circle { stroke: none; opacity: .14 }
.yes svg { stroke: var(--yes) } .yes circle { fill: var(--yes) }
.no svg { stroke: var(--no) } .no circle { fill: var(--no) }
h1 { margin: 1.1rem 0 .35rem; font-size: 1.4rem; font-weight: 650; letter-spacing: -.01em }
p { color: var(--soft); text-wrap: balance }
footer { margin-top: 2rem; padding-top: 1rem; border-top: 1px solid var(--line);
  color: var(--soft); font-size: .8125rem }
`
