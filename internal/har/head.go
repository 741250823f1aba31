package har

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// head is what is shown of the fields of a head, sorted by name.
func (e *eraser) head(fields http.Header) []pair {
	list := []pair{}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if strings.HasPrefix(name, ":") {
			continue // HTTP/2 says the request's line with them (RFC 9113 §8.3)
		}
		for _, value := range fields[name] {
			list = append(list, pair{e.name(name), e.field(name, value)})
		}
	}
	return list
}

// field is what is shown of one field.
func (e *eraser) field(name, value string) string {
	switch http.CanonicalHeaderKey(name) {
	case "Authorization", "Proxy-Authorization":
		return e.credentials(value)
	case "Cookie":
		return strings.Join(each(strings.Split(value, ";"), e.cookie), "; ")
	case "Set-Cookie":
		parts := strings.Split(value, ";")
		parts[0] = e.cookie(parts[0])
		return strings.Join(append(parts[:1], each(parts[1:], e.kept)...), ";")
	case "Location", "Content-Location", "Referer":
		return e.address(value)
	case "Www-Authenticate", "Proxy-Authenticate", "Authentication-Info", "Refresh", "Link":
		return e.sentence(value, false)
	}
	return e.value(name, value, inHead)
}

func each(parts []string, shown func(string) string) []string {
	list := make([]string, len(parts))
	for i, part := range parts {
		list[i] = shown(part)
	}
	return list
}

// cookie is what is shown of a cookie: its name.
func (e *eraser) cookie(text string) string {
	name, value, ok := strings.Cut(strings.TrimSpace(text), "=")
	if !ok {
		return e.hidden(name)
	}
	return e.name(name) + "=" + e.hidden(value)
}

// credentials is what is shown of a field Authorization: the scheme, of Basic the user (RFC 7617),
// and of a JWT what it says.
func (e *eraser) credentials(value string) string {
	scheme, rest, ok := strings.Cut(value, " ")
	if !ok {
		return e.hidden(value)
	}
	if !strings.EqualFold(scheme, "Basic") {
		return scheme + " " + e.hidden(strings.TrimSpace(rest))
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	user, password, parted := strings.Cut(string(decoded), ":")
	if err != nil || !parted {
		return scheme + " " + e.hidden(rest)
	}
	e.find(strings.TrimSpace(rest))
	// RFC 6749 §2.3.1 has both written as in a form.
	if plain, err := url.QueryUnescape(password); err == nil && isWord(e.masked(plain)) {
		password = plain
	}
	return scheme + " " + e.kept(unescaped(user)) + ":" + e.hidden(password)
}

// cookies are those of a field Cookie or Set-Cookie.
func cookies(e *eraser, fields http.Header, name string) []pair {
	list := []pair{}
	for _, value := range fields.Values(name) {
		parts := strings.Split(value, ";")
		if name == "Set-Cookie" {
			parts = parts[:1]
		}
		for _, part := range parts {
			shown, value, _ := strings.Cut(e.cookie(part), "=")
			list = append(list, pair{shown, value})
		}
	}
	return list
}
