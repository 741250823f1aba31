package verb

import (
	"slices"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/secret"
)

// withheld returns text without what stands in the arguments, or in a variable that takes
// a word, and may be a token that somebody gave in the wrong place.
func (w World) withheld(text string) string {
	given := slices.Clone(w.Args)
	for _, name := range wordVariables() {
		if w.LookupEnv != nil {
			value, _ := w.LookupEnv(name)
			given = append(given, value)
		}
	}
	for _, arg := range given {
		name, value, _ := strings.Cut(arg, "=")
		for _, word := range []string{arg, name, value} {
			text = withoutToken(text, word)
		}
	}
	return text
}

// withoutToken takes a word that may be a token out of a text: also in quotes, as the flag
// it seems to be, and cut as long texts are.
func withoutToken(text, word string) string {
	if !secret.MayBeToken(word) {
		return text
	}
	quoted := strconv.Quote(word)
	inQuotes, unflagged, cut := quoted[1:len(quoted)-1], strings.TrimLeft(word, "-"), word[:min(len(word), 190)]
	for _, form := range []string{word, inQuotes, unflagged, cut} {
		text = strings.ReplaceAll(text, form, "[not repeated]")
	}
	return text
}

// wordVariables are the variables that take a name or one of a few words: what looks like
// a token there is one in the wrong place.
func wordVariables() []string {
	return []string{
		"AUTHCTL_PROFILE", "AUTHCTL_PROVIDER", "AUTHCTL_REGION", "AUTHCTL_ENVIRONMENT", "AUTHCTL_GRANT", "AUTHCTL_STORE",
		"AUTHCTL_MIN_TTL", "AUTHCTL_TIMEOUT", "AUTHCTL_NO_INPUT",
	}
}
