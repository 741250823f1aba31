package kinds

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/setting"
)

// Words splits a list that is written on one line: at white space, commas, semicolons and
// bars, as JSON and as YAML's [a, b]. None of these is a part of what a list here holds.
func Words(text string) []string {
	text = files.Tidy(text)
	inner, isList := strings.CutPrefix(text, "[")
	if isList {
		inner, isList = strings.CutSuffix(inner, "]")
	}
	if isList {
		text = inner
	}
	words := strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(",;|", r)
	})
	for i, word := range words {
		if words[i] = files.Tidy(word); isList {
			words[i] = strings.Trim(words[i], `"'`)
		}
	}
	return slices.DeleteFunc(words, func(word string) bool { return word == "" })
}

// oddPaste returns what is wrong with a text that nobody can have meant, because it cannot
// be seen or cannot be, and what to do. A scope is printable ASCII but for blanks, quotation
// marks and backslashes (RFC 6749 §3.3).
func oddPaste(d setting.Setting, text string) (problem, help string) {
	odd := files.Odd(text)
	switch {
	case odd != "":
		return odd, "type it anew: what is copied from a page or a chat can hold such"
	case d.Kind == setting.Text && isQuoted(text):
		return "is in quotes", "take the quotes away; docker --env-file keeps them"
	case d.Name != "scopes" && strings.ContainsFunc(text, unicode.IsControl):
		return "holds a control character or a line break", "write it on one line"
	case d.Name != "scopes":
		return "", ""
	}
	help = "write scopes without quotes, with blanks or commas between them"
	if strings.Trim(text, "'`") != text {
		return "has " + files.Short(text) + ", which is in quotes", help
	}
	for _, r := range text {
		if r <= ' ' || r > '~' || r == '"' || r == '\\' {
			return fmt.Sprintf("has %q, and no scope can hold %q (RFC 6749 §3.3)", files.Short(text), r), help
		}
	}
	return "", ""
}

// isQuoted reports whether text stands between two quotes that are the same.
func isQuoted(text string) bool {
	return len(text)-len(strings.Trim(text, `"'`)) >= 2 && text[0] == text[len(text)-1]
}
