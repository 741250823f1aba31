package secret

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
)

// forms are the ways in which a text may repeat a secret: as it is, as a part of a URL or a form,
// once and twice, in JSON and in HTML.
func forms(secret string) []string {
	inJSON, _ := JSON(secret) // of a string nothing fails
	escaped := url.QueryEscape(secret)
	all := []string{
		secret, escaped, url.PathEscape(secret), url.QueryEscape(escaped), strings.ReplaceAll(escaped, "+", "%20"),
		strings.Trim(inJSON, `"`), strings.ReplaceAll(strings.Trim(inJSON, `"`), "/", `\/`), inHTML(secret),
	}
	for _, form := range all[1:5] {
		all = append(all, smallHex(form))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// inHTML is a text as a page shows it.
func inHTML(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace(text)
}

// smallHex writes the escapes of a URL with small letters.
func smallHex(text string) string {
	b := []byte(text)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], strings.ToLower(text[i+1:i+3]))
		}
	}
	return string(b)
}

// cores are what is in the base64 of every text with the secret in it, wherever it stands there: the
// characters that depend on nothing else (RFC 4648 §4 and §5).
func cores(secret string) []string {
	if len(secret) < tellingSecret {
		return nil
	}
	var all []string
	for before := range 3 {
		text := make([]byte, before, before+len(secret))
		text = append(text, secret...)
		first := (before*8 + 5) / 6
		last := len(text) * 8 / 6
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			all = append(all, encoding.EncodeToString(text)[first:last])
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Mask writes words in the place of secrets.
type Mask struct {
	words *strings.Replacer
	// cores are those of the secrets, with the word for each.
	cores [][2]string
}

// Mask returns what replaces the secrets in a text, whichever way it repeats them, with words for
// them: also the whole of a base64 that holds one. Very short secrets are not looked for.
func (r Redactor) Mask(words func(secret string) string) *Mask {
	var m Mask
	var pairs [][2]string
	for _, secret := range r {
		if len(secret) < shortestSecret {
			continue
		}
		word := words(secret)
		for _, form := range append(forms(secret), CleanTo(secret, len(secret)+1)) {
			if len(form) >= shortestSecret {
				pairs = append(pairs, [2]string{form, word})
			}
		}
		for _, core := range cores(secret) {
			m.cores = append(m.cores, [2]string{core, word})
		}
	}
	// Of two secrets of which one begins like the other, the longer one is meant.
	slices.SortStableFunc(pairs, func(a, b [2]string) int { return cmp.Compare(len(b[0]), len(a[0])) })
	flat := make([]string, 0, 2*len(pairs))
	for _, pair := range pairs {
		flat = append(flat, pair[0], pair[1])
	}
	m.words = strings.NewReplacer(flat...)
	return &m
}

// Replace returns the text without the secrets.
func (m *Mask) Replace(text string) string {
	for _, core := range m.cores {
		text = replaceBase64(text, core[0], core[1])
	}
	return m.words.Replace(text)
}

// replaceBase64 puts a word in the place of each base64 that has the core in it.
func replaceBase64(text, core, word string) string {
	before, _, found := strings.Cut(text, core)
	if !found {
		return text
	}
	var b strings.Builder
	for found {
		rest := strings.TrimLeftFunc(text[len(before)+len(core):], isBase64)
		b.WriteString(strings.TrimRightFunc(before, isBase64) + word)
		text = rest
		before, _, found = strings.Cut(text, core)
	}
	return b.String() + text
}

func isBase64(r rune) bool {
	return isAlphanumeric(r) || r >= 'A' && r <= 'Z' || strings.ContainsRune("+/-_=", r)
}
