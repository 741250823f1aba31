package secret

import (
	"strings"
	"unicode"
)

const (
	// wordLength is from how many letters and digits in a row on, with both among them, a
	// text is no word that a person has thought of.
	wordLength = 16
	// hexLength is the same for hexadecimal digits alone.
	hexLength = 32
	// mixedLength is the same for a text that has capitals, small letters and digits.
	mixedLength = 20
)

// MayBeToken reports whether a text looks like a token or another secret that somebody
// gave in the wrong place: one that must not be repeated in an error or a log. Paths and
// URLs do not.
func MayBeToken(text string) bool {
	text = strings.TrimSpace(text)
	if isPlace(text) {
		return false
	}
	lower := strings.ToLower(text)
	if strings.Contains(lower, "bearer ") || strings.Contains(text, "eyJ") {
		return true
	}
	var upper, small, digits bool
	for _, r := range text {
		upper, small, digits = upper || unicode.IsUpper(r), small || unicode.IsLower(r), digits || unicode.IsDigit(r)
	}
	if len(text) >= mixedLength && upper && small && digits {
		return true
	}
	runs := strings.FieldsFunc(lower, func(r rune) bool { return !isAlphanumeric(r) })
	for _, run := range runs {
		letters := strings.ContainsFunc(run, unicode.IsLetter)
		if len(run) >= wordLength && letters && strings.ContainsFunc(run, unicode.IsDigit) {
			return true
		}
	}
	// A UUID is hexadecimal digits in groups.
	hex := strings.ReplaceAll(lower, "-", "")
	return len(hex) >= hexLength && strings.Trim(hex, "0123456789abcdef") == ""
}

func isAlphanumeric(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' }

// isPlace reports whether a text is written as a path or a URL.
func isPlace(text string) bool {
	for _, start := range []string{"/", "./", "../", "~/", `.\`, `..\`} {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	return strings.Contains(text, "://") || len(text) > 2 && text[1] == ':' && (text[2] == '\\' || text[2] == '/')
}
