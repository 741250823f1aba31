package token

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/secret"
)

// inspected is what `token inspect -o json` prints.
type inspected struct {
	Profile  string `json:"profile,omitempty"`
	Provider string `json:"provider,omitempty"`
	// Kind is jwt, jwe or opaque.
	Kind string `json:"kind"`
	// Verdict says whether it can be used now: "valid for 5m", "expired 3d ago"; absent
	// where nobody knows.
	Verdict string `json:"verdict,omitempty"`
	// Verified says that the signature was checked with the service's keys;
	// Verification says with what result, or why not.
	Verified     bool            `json:"verified"`
	Verification string          `json:"verification"`
	Header       json.RawMessage `json:"header,omitempty"`
	Claims       json.RawMessage `json:"claims,omitempty"`
	ExpiresAt    *string         `json:"expires_at,omitempty"`
	// LifetimeAssumed says that ExpiresAt follows from the profile's lifetime.
	LifetimeAssumed bool `json:"lifetime_assumed,omitempty"`
	// ends is ExpiresAt for people.
	ends string
	// IssuedTokenType is what a token exchange gave (RFC 8693 §2.2.1).
	IssuedTokenType string   `json:"issued_token_type,omitempty"`
	Requested       []string `json:"scopes_requested,omitempty"`
	Granted         []string `json:"scopes_granted,omitempty"`
	// SessionID and IDToken, its claims, are there when the profile keeps them.
	SessionID string          `json:"sid,omitempty"`
	IDToken   json.RawMessage `json:"id_token_claims,omitempty"`
}

// decoded reads a token without asking anybody.
func decoded(token secret.Secret) inspected {
	if header, ok := jose.ParseJWE(token); ok {
		return inspected{
			Kind: "jwe", Header: header, Verification: "none: it is encrypted, and only whom it is for can read it",
		}
	}
	jwt, err := jose.ParseJWT(token)
	if err != nil {
		return inspected{Kind: "opaque", Verification: "an opaque token says nothing by itself"}
	}
	return inspected{
		Kind: "jwt", Header: jwt.Header, Claims: jwt.Claims,
		Verification: "unverified: nobody checked the signature",
	}
}

// judge says whether the token can be used: by its claims, else by the end that somebody
// else told.
func (t *inspected) judge(expiry, now time.Time) {
	var header struct {
		Algorithm string `json:"alg"`
	}
	var claims struct {
		Expires   float64 `json:"exp"`
		NotBefore float64 `json:"nbf"`
	}
	// What is no number is no moment either.
	_, _ = json.Unmarshal(t.Header, &header), json.Unmarshal(t.Claims, &claims)
	at := func(seconds float64) time.Time { return time.Unix(int64(seconds), 0) }
	if claims.Expires > 0 && claims.Expires < 1e11 {
		expiry = at(claims.Expires)
	}
	var words []string
	switch {
	case !expiry.IsZero() && !expiry.After(now):
		words = append(words, "expired "+moment.Away(expiry.Sub(now)))
	case claims.NotBefore < 1e11 && at(claims.NotBefore).After(now):
		words = append(words, "not yet valid, "+moment.Away(at(claims.NotBefore).Sub(now)))
	case !expiry.IsZero():
		words = append(words, "valid for "+moment.Lasting(expiry.Sub(now).Truncate(time.Second)))
	case t.Kind == "jwt":
		words = append(words, "it has no end (exp)")
	}
	if strings.EqualFold(header.Algorithm, "none") {
		words = append(words, "alg: none, so nobody signed it and anybody may have made it")
	}
	t.Verdict = strings.Join(words, "; ")
}
