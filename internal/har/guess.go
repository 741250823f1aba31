package har

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/authctl/authctl/internal/secret"
)

const (
	// longWord is from how many characters on a word of more than one kind of them is taken for a
	// secret.
	longWord = 20
	// longRun is the same for letters or digits alone.
	longRun = 24
)

// guess is what is shown of a value of which the name says nothing.
func (e *eraser) guess(text string) string {
	if shown, ok := e.jwt(text); ok {
		return shown
	}
	text = e.masked(text)
	trimmed := strings.TrimSpace(text)
	switch {
	case trimmed == "" || isWord(trimmed) || isTime(trimmed):
		return text
	case strings.IndexByte("{[", trimmed[0]) >= 0 && json.Valid([]byte(trimmed)):
		return e.json(trimmed)
	case isAddress(trimmed):
		return e.address(trimmed)
	case strings.ContainsAny(trimmed, " \t\n=&<\"'"):
		return e.sentence(text, true)
	case isOpaque(trimmed) || isUUID(trimmed):
		return e.word(text)
	}
	return e.sentence(text, true)
}

// isOpaque reports whether a word looks as if a machine had made it up. UUIDs do not count: they
// name things.
func isOpaque(word string) bool {
	if isUUID(word) || isTime(word) || isWord(word) {
		return false
	}
	var upper, small, digits, run, longest int
	for _, r := range word {
		run++
		switch {
		case unicode.IsUpper(r):
			upper++
		case unicode.IsLower(r):
			small++
		case unicode.IsDigit(r):
			digits++
		default:
			run = 0
		}
		longest = max(longest, run)
	}
	kinds := min(upper, 1) + min(small, 1) + min(digits, 1)
	return len(word) >= longWord && kinds > 1 || longest >= longRun || secret.MayBeToken(strings.Trim(word, "/"))
}

func isUUID(word string) bool {
	groups := strings.Split(word, "-")
	if len(word) != 36 || len(groups) != 5 {
		return false
	}
	for i, length := range []int{8, 4, 4, 4, 12} {
		if len(groups[i]) != length || strings.Trim(strings.ToLower(groups[i]), "0123456789abcdef") != "" {
			return false
		}
	}
	return true
}

func isTime(text string) bool {
	_, err := time.Parse(time.RFC3339, text)
	return err == nil
}

func isAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme != "" && u.Host != ""
}

// sentence is what is shown of a text that people read, or a program that is not understood here.
// Behind a secret's name and a sign that assigns stands a secret; where strict is set, also one that
// is a word as others.
func (e *eraser) sentence(text string, strict bool) string {
	if plain := unescapedJSON(text); e.masked(plain) != plain {
		text = plain
	}
	text = e.masked(text)
	var b strings.Builder
	before, field := "", ""
	for text != "" {
		between := strings.IndexFunc(text, inWord)
		if between < 0 {
			between = len(text)
		}
		signs, rest := text[:between], text[between:]
		end := strings.IndexFunc(rest, func(r rune) bool { return !inWord(r) })
		if end < 0 {
			end = len(rest)
		}
		word := rest[:end]
		assigned := assigns(before, signs)
		if assigned && before == "name" {
			field = word // of a form in a page
		}
		name := before
		if assigned && before == "value" && field != "" {
			name = field
		}
		switch {
		case word == "" || isScheme(word) || before == "secret" && isWord("secret:"+word):
			b.WriteString(signs + word)
		case assigned && classOf(name, inParams) == hidden && (strict || !isProse(word)):
			b.WriteString(signs + e.hidden(word))
		default:
			b.WriteString(signs + e.inSentence(word, strings.TrimSpace(signs) == "" && isScheme(before)))
		}
		before, text = word, rest[end:]
	}
	return b.String()
}

// assigns reports whether the signs behind a name say that its value follows.
func assigns(name, signs string) bool {
	signs = strings.TrimSpace(signs)
	return strings.ContainsAny(signs, "=:") || signs == ">" && !strings.HasPrefix(name, "/")
}

// unescapedJSON is a text without the escapes of JSON that a piece of it may be written with.
func unescapedJSON(text string) string {
	text = strings.ReplaceAll(text, `\/`, "/")
	before, after, found := strings.Cut(text, `\u`)
	var b strings.Builder
	for found {
		b.WriteString(before)
		code, err := strconv.ParseUint(after[:min(4, len(after))], 16, 16)
		if err == nil && len(after) >= 4 {
			b.WriteRune(rune(code))
			after = after[4:]
		} else {
			b.WriteString(`\u`)
		}
		before, after, found = strings.Cut(after, `\u`)
	}
	return b.String() + before
}

func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-.~+/%", r)
}

// inSentence is what is shown of a word by its looks; credentials says that a scheme stands before it.
func (e *eraser) inSentence(word string, credentials bool) string {
	if shown, ok := e.jwt(strings.Trim(word, ".")); ok {
		return shown
	}
	switch {
	case credentials && !isProse(word), strings.Contains(word, "eyJ"):
		return e.hidden(word)
	case strings.HasPrefix(word, "/"):
		return e.path(word)
	case isOpaque(word):
		return e.word(word)
	}
	return word
}

// isScheme reports whether credentials follow a word (RFC 9110 §11.1).
func isScheme(word string) bool {
	switch strings.ToLower(word) {
	case "bearer", "basic", "dpop", "negotiate":
		return true
	}
	return false
}

// isProse reports whether a word is one of a language: letters alone, none in capitals but the first.
func isProse(word string) bool {
	word = strings.Trim(word, ".")
	if len(word) == 0 || len(word) >= longWord {
		return false
	}
	return strings.Trim(word[1:], "abcdefghijklmnopqrstuvwxyz") == "" && unicode.IsLetter(rune(word[0]))
}
