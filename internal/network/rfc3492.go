package network

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/authctl/authctl/internal/secret"
)

// isEncoded reports whether a label that begins with xn-- stands for one that cannot be
// written in ASCII (RFC 5890 §2.3.2.1), of characters that can be seen. What encodes
// nothing, and what some programs would show as another name, is no host's.
func isEncoded(label string) bool {
	text, ok := fromPunycode(strings.ToLower(label[len("xn--"):]))
	foreign := false
	for _, r := range text {
		foreign = foreign || r > '~'
		ok = ok && secret.ShownRune(r) == r
	}
	return ok && foreign
}

// The parameters of RFC 3492 §5.
const (
	punyBase  = 36
	punyMin   = 1
	punyMax   = 26
	punySkew  = 38
	punyDamp  = 700
	punyBias  = 72
	punyFirst = 128
)

// fromPunycode decodes text in small letters (RFC 3492 §6.2).
func fromPunycode(text string) (out []rune, ok bool) {
	if i := strings.LastIndexByte(text, '-'); i >= 0 {
		out, text = []rune(text[:i]), text[i+1:]
	}
	n, at, bias, damp := punyFirst, 0, punyBias, punyDamp
	for text != "" {
		delta, used := punyNumber(text, bias)
		if used == 0 {
			return nil, false
		}
		text, at = text[used:], at+delta
		size := len(out) + 1
		bias, damp = punyAdapt(delta/damp, size), 2
		n, at = n+at/size, at%size
		if n > utf8.MaxRune {
			return nil, false
		}
		r := rune(n) //nolint:gosec // it is from punyFirst to MaxRune
		if !utf8.ValidRune(r) {
			return nil, false
		}
		out = slices.Insert(out, at, r)
		at++
	}
	return out, true
}

// punyNumber reads one number and returns how long it is, 0 when there is none.
func punyNumber(text string, bias int) (number, used int) {
	weight := 1
	for i := range len(text) {
		digit := strings.IndexByte("abcdefghijklmnopqrstuvwxyz0123456789", text[i])
		if digit < 0 || weight > 1<<32 {
			return 0, 0
		}
		number += digit * weight
		limit := min(max(punyBase*(i+1)-bias, punyMin), punyMax)
		if digit < limit {
			return number, i + 1
		}
		weight *= punyBase - limit
	}
	return 0, 0
}

// punyAdapt returns the next bias (RFC 3492 §6.1); delta is damped already.
func punyAdapt(delta, size int) int {
	delta += delta / size
	k := 0
	for ; delta > (punyBase-punyMin)*punyMax/2; k += punyBase {
		delta /= punyBase - punyMin
	}
	return k + (punyBase-punyMin+1)*delta/(delta+punySkew)
}
