package secret

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Printable is s, or s quoted where it could do something to a terminal: with control
// characters, with what cannot be seen, or with bytes that are not UTF-8.
func Printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r == '\uFFFD' || !strconv.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// Quote is CleanText in quotes: how a message repeats what another program said.
func Quote(s string) string { return strconv.Quote(CleanText(s)) }

// JSON is a value as JSON on one line, without the escapes that HTML needs. Its errors are
// those of json.Marshal.
func JSON(value any) (string, error) {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return strings.TrimSuffix(b.String(), "\n"), err
}
