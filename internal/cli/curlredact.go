package cli

import (
	"io"
	"strings"
)

// redacted stands for a secret.
const redacted = "[redacted]"

// tellingPrefix is how many bytes of a secret's beginning are no longer shown: curl cuts
// long lines of -v, and what is left of a token is not to be read either.
const tellingPrefix = 16

// redactor writes what passes through it without a secret and its longer prefixes.
type redactor struct {
	to     io.Writer
	secret string
	// held may be the beginning of the secret.
	held string
}

// Write holds back what may be the beginning of the secret; see io.Writer.
func (r *redactor) Write(p []byte) (int, error) {
	shown, rest := r.redact(r.held + string(p))
	r.held = rest
	if _, err := io.WriteString(r.to, shown); err != nil {
		return 0, err
	}
	return len(p), nil
}

// redact returns what of text can be shown, and its end that may go on as the secret.
func (r *redactor) redact(text string) (shown, rest string) {
	if r.secret == "" {
		return text, ""
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, r.secret)
		if !found {
			break
		}
		r.show(&b, before)
		b.WriteString(redacted)
		text = after
	}
	keep := min(len(text), len(r.secret)-1)
	for keep > 0 && !strings.HasPrefix(r.secret, text[len(text)-keep:]) {
		keep--
	}
	r.show(&b, text[:len(text)-keep])
	return b.String(), text[len(text)-keep:]
}

// show writes text without what is the beginning of the secret.
func (r *redactor) show(b *strings.Builder, text string) {
	for {
		at := strings.IndexByte(text, r.secret[0])
		if at < 0 {
			break
		}
		b.WriteString(text[:at])
		text = text[at:]
		n := commonPrefix(text, r.secret)
		if n >= tellingPrefix {
			b.WriteString(redacted)
		} else {
			n = 1
			b.WriteByte(text[0])
		}
		text = text[n:]
	}
	b.WriteString(text)
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

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
