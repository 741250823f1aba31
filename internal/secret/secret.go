// Package secret holds what must not be printed by accident: the type of a secret, what
// withholds one that somebody else repeats, and what makes a text from outside fit to be
// shown. It is below everything.
package secret

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"log/slog"
)

// Redacted is what every way of printing a Secret shows.
const Redacted = "[redacted]"

// Secret is a value that must not be printed by accident: a token, a client
// secret, a password, a private key. It holds a pointer, so that fmt, slog,
// encoding/json and a panic's dump show [redacted] (or an address) in every
// nesting, also where fmt meets it in an unexported field and cannot call its
// methods. The zero value is "no secret".
type Secret struct{ p *string }

// Func fetches a secret when it is needed and not before: a token served
// from the cache must not unlock a password manager. Implementations fetch once
// and remember the answer; errors name the reference, never the value.
type Func func(ctx context.Context) (Secret, error)

// New wraps s. An empty s gives the zero Secret.
func New(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{p: &s}
}

// Known returns a Func for a secret that is at hand.
func Known(s Secret) Func {
	return func(context.Context) (Secret, error) { return s, nil }
}

// Reveal returns the value in plain text, empty for the zero Secret. It is
// called where the value leaves on purpose and nowhere else: in a request, in a
// stored record, and where a token is printed. A test counts the callers.
func (s Secret) Reveal() string {
	if s.p == nil {
		return ""
	}
	return *s.p
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.p == nil }

// Equal compares two secrets in constant time.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// Tag returns a 16-bit salted digest of the value in hex. It is too short to
// find the value by and long enough to notice that a secret was replaced; it is
// the only thing derived from a secret that may be written to disk in plain.
func (s Secret) Tag(salt string) string {
	sum := sha256.Sum256([]byte(salt + "\x00" + s.Reveal()))
	return hex.EncodeToString(sum[:2])
}

// Sum is the SHA-256 of the value.
func (s Secret) Sum() [sha256.Size]byte { return sha256.Sum256([]byte(s.Reveal())) }

// String returns [redacted]; see fmt.Stringer.
func (s Secret) String() string { return Redacted }

// GoString returns [redacted]; see fmt.GoStringer.
func (s Secret) GoString() string { return Redacted }

// Format prints [redacted] for every verb, %x and %q included; see fmt.Formatter.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Redacted)) }

// MarshalText returns [redacted]; see encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// LogValue returns [redacted]; see slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }
