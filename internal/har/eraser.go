package har

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/secret"
)

const (
	// telling is from how many bytes on a value that was found by its name is looked for elsewhere: a
	// shorter one is there by chance.
	telling = 8
	// mostFound is how many of them are remembered.
	mostFound = 1024
)

// eraser writes fingerprints in the place of secrets. Those of one run are equal where the secrets
// are, whatever they are written like; those of two runs have nothing in common.
type eraser struct {
	key []byte

	turn sync.Mutex
	// held are the secrets of the process, and found those that were met by their names.
	held, found secret.Redactor
	// mask is made of both, nil where it has to be made anew.
	mask *secret.Mask
}

func newEraser() *eraser {
	return &eraser{key: []byte(rand.Text())}
}

// word is what stands for a secret.
func (e *eraser) word(value string) string {
	mac := hmac.New(sha256.New, e.key)
	mac.Write([]byte(value))
	return "secret:" + hex.EncodeToString(mac.Sum(nil)[:4])
}

// hold has more secrets of the process be looked for.
func (e *eraser) hold(secrets ...string) {
	e.turn.Lock()
	defer e.turn.Unlock()
	for _, s := range secrets {
		if s != "" && !slices.Contains(e.held, s) {
			e.held, e.mask = append(e.held, s), nil
		}
	}
}

// find has a value that was met where secrets are be looked for elsewhere.
func (e *eraser) find(value string) {
	e.turn.Lock()
	defer e.turn.Unlock()
	if len(value) < telling || slices.Contains(e.held, value) || slices.Contains(e.found, value) {
		return
	}
	e.found, e.mask = append(e.found, value), nil
	if len(e.found) > mostFound {
		e.found = slices.Delete(e.found, 0, 1)
	}
}

// masked is a text without what is known to be secret, the text itself where that is all of it.
func (e *eraser) masked(text string) string {
	e.turn.Lock()
	defer e.turn.Unlock()
	if slices.Contains(e.held, text) {
		return e.word(text) // however short it is
	}
	if e.mask == nil {
		e.mask = slices.Concat(e.held, e.found).Mask(e.word)
	}
	return e.mask.Replace(text)
}

// number is how many secrets are held.
func (e *eraser) number() int {
	e.turn.Lock()
	defer e.turn.Unlock()
	return len(e.held) + len(e.found)
}

// value is what is shown of a value with a name.
func (e *eraser) value(name, text string, at place) string { return e.of(classOf(name, at), text) }

// of is what is shown of a value of a class.
func (e *eraser) of(class class, text string) string {
	switch class {
	case hidden:
		return e.hidden(text)
	case kept:
		return e.kept(text)
	case said:
		return e.sentence(text, false)
	}
	return e.guess(text)
}

// hidden is what is shown of a secret: of a JWT what it says, without what makes it one.
func (e *eraser) hidden(text string) string {
	if text == "" {
		return ""
	}
	if shown, ok := e.jwt(text); ok {
		return shown
	}
	// The same secret may be written in another way here.
	masked := e.masked(text)
	if isWord(masked) {
		return masked
	}
	e.find(text)
	return e.word(text)
}

// kept is what is shown of a value that is no secret. What has blanks may repeat one.
func (e *eraser) kept(text string) string {
	if shown, ok := e.jwt(text); ok {
		return shown
	}
	if strings.ContainsAny(text, " \t\n") {
		return e.sentence(text, false)
	}
	return e.masked(text)
}

// isWord reports whether a text is a fingerprint and nothing else.
func isWord(text string) bool {
	digits, ok := strings.CutPrefix(text, "secret:")
	return ok && len(digits) == 8 && strings.Trim(digits, "0123456789abcdef") == ""
}

// jwt is what is shown of a signed or an encrypted JWT; ok is false where the text is none.
func (e *eraser) jwt(text string) (shown string, ok bool) {
	if !strings.Contains(text, ".") {
		return "", false
	}
	token := secret.New(text)
	if header, ok := jose.ParseJWE(token); ok {
		e.find(text)
		return "jwe " + e.json(string(header)) + ", the rest " + e.word(text), true
	}
	signed, err := jose.ParseJWT(token)
	if err != nil {
		return "", false
	}
	e.find(text)
	return jose.Shown(e.json(string(signed.Header)), e.json(string(signed.Claims)), e.word(text)), true
}
