package curl

import (
	"io"
	"strings"
)

// redacted stands for a secret.
const redacted = "[redacted]"

// tellingPrefix is how many bytes of a secret's beginning are no longer shown: curl cuts
// long lines of -v, and what is left of a token is not to be read either.
const tellingPrefix = 16

// redactor writes what passes through it without secrets and their longer prefixes.
type redactor struct {
	to      io.Writer
	secrets []string
	// held may be the beginning of a secret.
	held string
}

// Write holds back what may be the beginning of a secret; see io.Writer.
func (r *redactor) Write(p []byte) (int, error) {
	var shown strings.Builder
	text := r.held + string(p)
	// end is where the last that was hidden ends: secrets may begin in each other.
	i, end := 0, 0
	for ; i < len(text); i++ {
		hidden, open := r.hides(text[i:])
		if open && end < len(text) {
			break
		}
		switch {
		case hidden > 0 && i+hidden > end:
			shown.WriteString(redacted)
			end = i + hidden
		case i >= end:
			shown.WriteByte(text[i])
		}
	}
	r.held = text[i:]
	if _, err := io.WriteString(r.to, shown.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// hides returns how many bytes of a text's beginning are not to be shown, and whether that
// is open: a secret may go on where the text ends.
func (r *redactor) hides(text string) (n int, open bool) {
	for _, secret := range r.secrets {
		same := 0
		for same < min(len(text), len(secret)) && text[same] == secret[same] {
			same++
		}
		open = open || same == len(text) && same < len(secret)
		if same >= min(tellingPrefix, len(secret)) {
			n = max(n, same)
		}
	}
	return n, open
}

// Close writes what was held back.
func (r *redactor) Close() error {
	last := r.held
	if len(last) >= tellingPrefix {
		last = redacted
	}
	r.held = ""
	_, err := io.WriteString(r.to, last)
	return err
}
