package oauth

import (
	"time"

	"github.com/authctl/authctl/internal/secret"
)

// Token is what a token endpoint issued (RFC 6749 §5.1).
type Token struct {
	// AccessToken holds bytes 0x21–0x7E only.
	AccessToken secret.Secret
	// TokenType is as the service wrote it ("Bearer", "bearer"); compare it
	// without case (RFC 6749 §7.1). Empty in a reply means "Bearer".
	TokenType string
	// RefreshToken is zero when none came.
	RefreshToken secret.Secret
	// IDToken is the OpenID Connect ID token, zero when none came.
	IDToken secret.Secret
	// SessionID is the member sid that some services add for the session of a login,
	// cleaned; empty when none came.
	SessionID string
	// Scope lists what was granted. Nil means that the reply named no scope,
	// which RFC 6749 §5.1 defines as "as requested".
	Scope []string
	// RequestedAt is the moment before the request was sent. Lifetimes count
	// from it, so that a slow reply never makes a token look younger than it is.
	RequestedAt time.Time
	// Lifetime is how long the token is good from RequestedAt; 0 when the reply
	// gave no usable expires_in, in which case the token must not be served from a cache.
	Lifetime time.Duration
	// LifetimeProblem says in words why Lifetime is 0, empty otherwise.
	LifetimeProblem string
}

// Expiry returns the moment the token ends, or the zero time when that is unknown.
func (t Token) Expiry() time.Time {
	if t.Lifetime <= 0 {
		return time.Time{}
	}
	return t.RequestedAt.Add(t.Lifetime)
}
