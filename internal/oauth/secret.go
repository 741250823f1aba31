package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"log/slog"
)

// redacted is what every way of printing a Secret shows.
const redacted = "[redacted]"

// Secret is a value that must not be printed by accident: a token, a client
// secret, a password, a private key. It holds a pointer, so that fmt, slog,
// encoding/json and a panic's dump show [redacted] (or an address) in every
// nesting, also where fmt meets it in an unexported field and cannot call its
// methods. The zero value is "no secret".
type Secret struct{ p *string }

// SecretFunc fetches a secret when it is needed and not before: a token served
// from the cache must not unlock a password manager. Implementations fetch once
// and remember the answer; errors name the reference, never the value.
type SecretFunc func(ctx context.Context) (Secret, error)

// NewSecret wraps s. An empty s gives the zero Secret.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{p: &s}
}

// Known returns a SecretFunc for a secret that is at hand.
func Known(s Secret) SecretFunc {
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

// sum is the SHA-256 of the value.
func (s Secret) sum() [sha256.Size]byte { return sha256.Sum256([]byte(s.Reveal())) }

// String returns [redacted]; see fmt.Stringer.
func (s Secret) String() string { return redacted }

// GoString returns [redacted]; see fmt.GoStringer.
func (s Secret) GoString() string { return redacted }

// Format prints [redacted] for every verb, %x and %q included; see fmt.Formatter.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText returns [redacted]; see encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns [redacted]; see slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
