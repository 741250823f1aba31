package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/tokenkey"
)

// Label says for people whose a token is.
type Label struct {
	// Profile is the profile that fetched it last.
	Profile string `json:"profile,omitempty"`
	// Account and Environment are that profile's, empty where it has none.
	Account     string `json:"account,omitempty"`
	Environment string `json:"environment,omitempty"`
}

// Record is a stored token and what it was issued for.
type Record struct {
	Key tokenkey.Key
	Label
	Token oauth.Token
	// Subject is a digest of whom it was issued for, where the key leaves that open; else empty.
	Subject string
}

// Entry is what a listing shows of a record: no secret.
type Entry struct {
	Key tokenkey.Key
	Label
	// Scope is what was granted, nil when the service did not say.
	Scope    []string
	IssuedAt time.Time
	// Expiry is zero when nobody knows it.
	Expiry time.Time
	// LifetimeAssumed says that Expiry is not the service's word.
	LifetimeAssumed bool
	// Refreshable says that a refresh token is stored beside the access token.
	Refreshable bool
	// Store is the name of the store.
	Store string
}

// Scopes are what was granted or, where the service did not say, what was asked for
// (RFC 6749 §5.1); never nil.
func (e Entry) Scopes() []string {
	if e.Scope != nil {
		return e.Scope
	}
	return append([]string{}, e.Key.Scopes...)
}

const (
	// recordVersion is the version of the stored form. A record of any other
	// version counts as none.
	recordVersion = 1
	// maxStored is the most that is read as one record, in bytes.
	maxStored = 1 << 20
	// maxLifetime is beyond what any service means: a longer one is damage.
	maxLifetime = 10 * 366 * 24 * time.Hour
)

// storedRecord is the stored form, kept small because Windows and macOS hold
// little in one keyring entry.
type storedRecord struct {
	Version int          `json:"v"`
	Key     tokenkey.Key `json:"key"`
	Label
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	SessionID    string `json:"sid,omitempty"`
	// Scope keeps nil (the service named none) apart from an empty list.
	Scope []string `json:"scope,omitzero"`
	// RequestedMS is in milliseconds since 1970, LifetimeMS in milliseconds, 0 when
	// nobody knows it.
	RequestedMS int64 `json:"requested_ms"`
	LifetimeMS  int64 `json:"lifetime_ms"`
	// LifetimeAssumed says that the lifetime is not the service's word.
	LifetimeAssumed bool   `json:"lifetime_assumed,omitempty"`
	IssuedTokenType string `json:"issued_token_type,omitempty"`
	Subject         string `json:"subject,omitempty"`
}

// EncodeRecord returns the stored form of r, in plain text: what every store keeps. Errors wrap
// ErrUncacheable, say why, and contain nothing of r.
func EncodeRecord(r *Record) ([]byte, error) {
	stored := storedRecord{
		Version:      recordVersion,
		Key:          r.Key,
		Label:        r.Label,
		AccessToken:  r.Token.AccessToken.Reveal(),
		TokenType:    r.Token.TokenType,
		RefreshToken: r.Token.RefreshToken.Reveal(),
		IDToken:      r.Token.IDToken.Reveal(),
		SessionID:    r.Token.SessionID,
		Scope:        r.Token.Scope,
		RequestedMS:  r.Token.RequestedAt.UnixMilli(),
		LifetimeMS:   r.Token.Lifetime.Milliseconds(),

		LifetimeAssumed: r.Token.LifetimeAssumed,
		IssuedTokenType: r.Token.IssuedTokenType,
		Subject:         r.Subject,
	}
	if err := stored.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUncacheable, err)
	}
	if !utf8.ValidString(r.Key.Text()) {
		return nil, fmt.Errorf("%w: the key holds bytes that are not UTF-8", ErrUncacheable)
	}
	text, err := secret.JSON(stored)
	if err != nil {
		return nil, fmt.Errorf("%w: it has no JSON form", ErrUncacheable)
	}
	if len(text) >= maxStored {
		return nil, fmt.Errorf("%w: it is bigger than %d bytes", ErrUncacheable, maxStored)
	}
	return []byte(text), nil
}

// decodeRecord reads the stored form of the record whose key has this digest, as DecodeRecord does.
func decodeRecord(data []byte, digest string) (*Record, error) {
	return DecodeRecord(data, func(key tokenkey.Key) bool { return key.Digest() == digest })
}

// DecodeRecord reads the stored form of a record whose key is the one looked for.
// Whatever else it finds counts as none: the error then wraps ErrNotFound and
// says why, without a byte of what was read.
func DecodeRecord(data []byte, is func(tokenkey.Key) bool) (*Record, error) {
	if len(data) > maxStored {
		return nil, notFound("the record is damaged: too big")
	}
	var stored storedRecord
	if err := json.Unmarshal(data, &stored); err != nil {
		return nil, notFound("the record is damaged: not JSON")
	}
	if stored.Version != recordVersion {
		return nil, notFound(fmt.Sprintf("the record has version %d, not %d", stored.Version, recordVersion))
	}
	if !is(stored.Key) {
		return nil, notFound("the record is damaged: it belongs to another key")
	}
	if err := stored.check(); err != nil {
		return nil, notFound("the record is damaged: " + err.Error())
	}
	return stored.record(), nil
}

// check tells what makes a record useless, also one that was tampered with: a
// line break in a token would end a header.
func (s storedRecord) check() error {
	switch {
	case s.AccessToken == "":
		return errors.New("no access token")
	case !visible(s.AccessToken, 0x21):
		return errors.New("the access token holds bytes outside 0x21-0x7E")
	case !visible(s.RefreshToken, 0x20):
		return errors.New("the refresh token holds bytes outside 0x20-0x7E")
	case !visible(s.IDToken, 0x21):
		return errors.New("the ID token holds bytes outside 0x21-0x7E")
	case s.LifetimeMS < 0:
		return errors.New("a negative lifetime")
	case s.LifetimeMS == 0 && s.RefreshToken == "":
		return errors.New("neither a lifetime nor a refresh token")
	case s.LifetimeMS > maxLifetime.Milliseconds():
		return errors.New("a lifetime of more than ten years")
	case s.RequestedMS <= 0 || s.RequestedMS > maxRequestedMS:
		return errors.New("no usable time of request")
	}
	return nil
}

// maxRequestedMS is the end of the year 9999, the last that RFC 3339 can write.
const maxRequestedMS = 253402300799999

func (s storedRecord) record() *Record {
	return &Record{
		Key:     s.Key,
		Label:   s.Label,
		Subject: s.Subject,
		Token: oauth.Token{
			AccessToken:  secret.New(s.AccessToken),
			TokenType:    s.TokenType,
			RefreshToken: secret.New(s.RefreshToken),
			IDToken:      secret.New(s.IDToken),
			SessionID:    s.SessionID,
			Scope:        s.Scope,
			RequestedAt:  time.UnixMilli(s.RequestedMS).UTC(),
			Lifetime:     time.Duration(s.LifetimeMS) * time.Millisecond,

			LifetimeAssumed: s.LifetimeAssumed,
			IssuedTokenType: s.IssuedTokenType,
		},
	}
}

// visible reports whether every byte of s lies between low and 0x7E, the
// alphabet of tokens in RFC 6749 appendix A.12 and A.17.
func visible(s string, low byte) bool {
	for i := range len(s) {
		if s[i] < low || s[i] > 0x7E {
			return false
		}
	}
	return true
}
