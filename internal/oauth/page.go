package oauth

import (
	"bytes"
	"html"
	"strconv"
	"strings"
)

// page says that the body is a page for people, with its content type and its title,
// and quotes nothing else of it; empty when it is none. A gateway, a proxy and a
// firewall answer so in a service's place, and so does a service that wants somebody
// to sign in.
func (r *reply) page() string {
	body := trimmed(r.body)
	media := mediaType(r.header.Get("Content-Type"))
	marked := media == "text/html" || media == "application/xhtml+xml"
	if len(body) == 0 || body[0] == '{' || !marked && body[0] != '<' {
		return ""
	}
	text := "it is a page"
	if media != "" {
		text += " (" + wordText(r.secrets.Clean(media)) + ")"
	}
	if title := r.secrets.Clean(titleOf(body)); title != "" {
		text += " titled " + strconv.Quote(title)
	}
	return text
}

// insteadOfJSON says more of a body that is not a JSON object.
func (r *reply) insteadOfJSON(problem string) string {
	if problem != notObject {
		return problem
	}
	if page := r.page(); page != "" {
		return page + ", not a JSON object"
	}
	media := mediaType(r.header.Get("Content-Type"))
	if media == "" || strings.HasSuffix(media, "json") {
		return problem
	}
	return problem + ", its content type is " + wordText(r.secrets.Clean(media))
}

// titleOf returns what stands in the first title of a page, as far as 4 KiB go.
func titleOf(body []byte) string {
	_, rest, ok := cutFold(body[:min(len(body), 64<<10)], "<title")
	if !ok {
		return ""
	}
	_, rest, ok = bytes.Cut(rest, []byte(">"))
	if !ok {
		return ""
	}
	rest = rest[:min(len(rest), 4<<10)]
	if title, _, ok := cutFold(rest, "</title"); ok {
		rest = title
	} else if title, _, ok := bytes.Cut(rest, []byte("<")); ok {
		rest = title
	}
	return html.UnescapeString(string(rest))
}

// cutFold is bytes.Cut without regard to the case of ASCII letters.
func cutFold(text []byte, separator string) (before, after []byte, found bool) {
	folded := make([]byte, len(text))
	for i, b := range text {
		if folded[i] = b; b >= 'A' && b <= 'Z' {
			folded[i] = b + 'a' - 'A'
		}
	}
	i := bytes.Index(folded, []byte(separator))
	if i < 0 {
		return text, nil, false
	}
	return text[:i], text[i+len(separator):], true
}
