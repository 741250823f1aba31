package secret

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxText is how many characters of a remote text are shown.
const MaxText = 200

// CleanText makes a text that a service sent fit to be shown: one line of at
// most 200 printable characters. Line breaks, tabs and control characters
// (ESC included) become one space, bytes that are not UTF-8 and unprintable
// characters become "?", and what cannot be seen but changes how the rest is
// read (bidirectional controls, zero-width characters, variation selectors) is
// dropped. What the runner of a pipeline would take for a command, ## anywhere and ::
// at the beginning, gets a blank in between. A longer text ends in "…". The caller
// still has to quote it.
func CleanText(s string) string { return clean(s, MaxText, true) }

// CleanName is CleanText for what is compared and not only shown, such as a scope:
// nothing is put in between.
func CleanName(s string) string { return clean(s, MaxText, false) }

// CleanTo is CleanName with a limit of its own.
func CleanTo(s string, limit int) string { return clean(s, limit, false) }

// ShownRune returns what stands for a character in a text that is shown: the character
// itself, a blank for white space and control characters, "?" for what is not text, and
// -1, nothing, for what cannot be seen but changes how the rest is read.
func ShownRune(r rune) rune {
	switch {
	case unicode.IsSpace(r) || unicode.IsControl(r):
		return ' '
	case Invisible(r):
		return -1
	case r == utf8.RuneError || !unicode.IsPrint(r):
		return '?'
	}
	return r
}

// clean returns s cleaned and cut to limit; broken says that commands get a blank.
func clean(s string, limit int, broken bool) string {
	out := make([]rune, 0, min(len(s), limit+2))
	gap := false
	for _, r := range s {
		if r = ShownRune(r); r < 0 {
			continue
		}
		if r == ' ' {
			gap = len(out) > 0
			continue
		}
		if gap || broken && command(out, r) {
			out = append(out, ' ')
			gap = false
		}
		if out = append(out, r); len(out) > limit {
			return string(append(out[:limit-1], '…'))
		}
	}
	return string(out)
}

// command reports whether a runner would take r, after what stands before it, for the
// beginning of a command.
func command(before []rune, r rune) bool {
	last := len(before) - 1
	return r == '#' && last >= 0 && before[last] == '#' || r == ':' && last == 0 && before[0] == ':'
}

// Invisible reports whether r shows nothing and yet can reorder, join or hide
// the characters around it.
func Invisible(r rune) bool {
	const brailleBlank = '\u2800'
	return r == brailleBlank || r > unicode.MaxASCII &&
		unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// tellingSecret is from how many bytes on a secret in a name is no coincidence.
const tellingSecret = 8

// Telling are the secrets that no name has by chance.
func (r Redactor) Telling() Redactor {
	return slices.DeleteFunc(slices.Clone(r), func(secret string) bool { return len(secret) < tellingSecret })
}

// shortestSecret is from how many bytes on words are searched for a secret: a shorter one is
// in most of them by chance, and what is hidden there would tell it.
const shortestSecret = 4

// Redactor holds the secret values that a client has sent. Remote words that repeat
// one of them are withheld as a whole, because a part of a secret is one too.
type Redactor []string

// Holds reports whether s repeats a secret, as it is, in one of the ways in which requests,
// replies and pages write it, inside of base64, or as CleanText would leave it. Very short secrets
// are not looked for.
func (r Redactor) Holds(s string) bool {
	if s == "" {
		return false
	}
	clean := CleanTo(s, len(s)+1)
	for _, secret := range r {
		if len(secret) < shortestSecret {
			continue
		}
		shown := CleanTo(secret, len(secret)+1)
		repeated := func(form string) bool { return strings.Contains(s, form) }
		if slices.ContainsFunc(forms(secret), repeated) || slices.ContainsFunc(cores(secret), repeated) ||
			len(shown) >= shortestSecret && strings.Contains(clean, shown) {
			return true
		}
	}
	return false
}

// Clean is CleanText, or [redacted] when s repeats a secret.
func (r Redactor) Clean(s string) string {
	if r.Holds(s) {
		return Redacted
	}
	return CleanText(s)
}

// IsVisible reports whether a text is made of the visible characters of ASCII alone, as what a
// header or a form carries for a token has to be.
func IsVisible(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}
