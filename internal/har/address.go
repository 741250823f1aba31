package har

import (
	"net/url"
	"strings"
)

// address is what is shown of a URL: its parameters and a password in it by their names, and of
// its path what does not look like a secret.
func (e *eraser) address(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return e.sentence(text, true)
	}
	var b strings.Builder
	if u.Scheme != "" {
		b.WriteString(u.Scheme + ":")
	}
	if u.Host != "" {
		b.WriteString("//")
		if u.User != nil {
			b.WriteString(url.QueryEscape(e.guess(u.User.Username())))
			if password, ok := u.User.Password(); ok {
				b.WriteString(":" + url.QueryEscape(e.hidden(password)))
			}
			b.WriteString("@")
		}
		b.WriteString(u.Host)
	}
	b.WriteString(e.path(u.EscapedPath()))
	if u.RawQuery != "" {
		b.WriteString("?" + e.encoded(u.RawQuery))
	}
	if fragment := u.EscapedFragment(); strings.Contains(fragment, "=") {
		b.WriteString("#" + e.encoded(fragment))
	} else if fragment != "" {
		b.WriteString("#" + url.PathEscape(e.guess(u.Fragment)))
	}
	return b.String()
}

// path is what is shown of an escaped path. Identifiers stay.
func (e *eraser) path(escaped string) string {
	segments := strings.Split(escaped, "/")
	for i, segment := range segments {
		text, err := url.PathUnescape(segment)
		if err != nil {
			text = segment
		}
		shown := e.masked(text)
		if other, ok := e.jwt(text); ok {
			shown = other
		} else if shown == text && isOpaque(text) {
			shown = e.word(text)
		}
		if shown != text {
			segments[i] = url.PathEscape(shown)
		}
	}
	return strings.Join(segments, "/")
}

// encoded is what is shown of parameters, written as they are sent.
func (e *eraser) encoded(query string) string {
	var b strings.Builder
	for i, p := range params(e, query) {
		if i > 0 {
			b.WriteString("&")
		}
		b.WriteString(url.QueryEscape(p.Name))
		if p.Value != "" {
			b.WriteString("=" + url.QueryEscape(p.Value))
		}
	}
	return b.String()
}

// params are what is shown of parameters, in their order.
func params(e *eraser, query string) []pair {
	list := []pair{}
	for one := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(one, "=")
		if one == "" {
			continue
		}
		name, value = unescaped(name), unescaped(value)
		list = append(list, pair{e.name(name), e.value(name, value, inParams)})
	}
	return list
}

// name is what is shown of a name, which may be a secret where somebody has mistaken the one for the
// other.
func (e *eraser) name(name string) string {
	if shown, ok := e.jwt(name); ok {
		return shown
	}
	if shown := e.masked(name); shown != name || !isOpaque(name) || classOf(name, inParams) != unknown {
		return shown
	}
	return e.word(name)
}

// unescaped is a part of a query, as it is where it cannot be read.
func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}
