package loopback

import (
	_ "embed"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// page is one of the pages there are. Their text is fixed: nothing of a request is ever
// repeated on one.
type page int

const (
	pageLoggedIn page = iota
	pageFailed
	pageForeign
	pageUsed
	pageUnreadable
	pageTooLong
	pageNotFound
	pageWrongMethod
	pageWrongHost
)

// text is what a page says, plain text without anything to escape.
func (p page) text() (status int, title, words string) {
	text := [...]struct {
		status       int
		title, words string
	}{
		pageLoggedIn: {http.StatusOK, "Logged in", "You can close this window."},
		pageFailed:   {http.StatusOK, "Login did not work", "The terminal says why. You can close this window."},
		pageForeign: {
			http.StatusBadRequest, "Not this login",
			"This answer does not belong to the login that is waiting. Use the address that the terminal shows.",
		},
		pageUsed:        {http.StatusGone, "Already used", "This login is over. To log in again, start in the terminal."},
		pageUnreadable:  {http.StatusBadRequest, "Not readable", "This is no answer to a login."},
		pageTooLong:     {http.StatusRequestURITooLong, "Too long", "This is no answer to a login."},
		pageNotFound:    {http.StatusNotFound, "Nothing here", "This address only receives the answer to a login."},
		pageWrongMethod: {http.StatusMethodNotAllowed, "Not possible", "This is no answer to a login."},
		pageWrongHost:   {http.StatusMisdirectedRequest, "Wrong address", "This server has another name."},
	}[p]
	return text.status, text.title, text.words
}

// write sends the page and pushes it out, so that the browser has it even when the
// program ends next.
func (p page) write(w http.ResponseWriter) {
	status, title, words := p.text()
	body := p.html(title, words)
	for name, value := range map[string]string{
		"Content-Type":   "text/html; charset=utf-8",
		"Content-Length": strconv.Itoa(len(body)),
		"Cache-Control":  "no-store",
		"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; " +
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"Referrer-Policy":        "no-referrer", // the page's own address holds the code
		"X-Content-Type-Options": "nosniff",
		"X-Frame-Options":        "DENY",
		"Connection":             "close",
	} {
		w.Header().Set(name, value)
	}
	if p == pageWrongMethod {
		w.Header().Set("Allow", http.MethodGet)
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(pageTimeout)) // for a body that nobody asked for
	_ = control.SetWriteDeadline(time.Now().Add(pageTimeout))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
	_ = control.Flush()
}

// frame is the page around its text. It follows the browser's light or dark setting, and
// its icon keeps the browser from asking for another.
//
//go:embed page.html
var frame string

func (p page) html(title, words string) string {
	mood, mark := "no", "M8 8l8 8M16 8l-8 8"
	if p == pageLoggedIn {
		mood, mark = "yes", "M6.5 12.5l3.5 3.5 7.5-8"
	}
	return strings.NewReplacer("{title}", title, "{words}", words, "{mood}", mood, "{mark}", mark).Replace(frame)
}
