package oauth

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

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
	// LifetimeProblem says in words why the reply gave no lifetime, empty otherwise.
	LifetimeProblem string
	// LifetimeAssumed says that Lifetime is the client's own word, because the reply gave none.
	LifetimeAssumed bool
	// IssuedTokenType is what RFC 8693 §2.2.1 calls the kind of AccessToken, a URN, cleaned;
	// empty when none came.
	IssuedTokenType string
}

// Expiry returns the moment the token ends, or the zero time when that is unknown.
func (t Token) Expiry() time.Time {
	if t.Lifetime <= 0 {
		return time.Time{}
	}
	return t.RequestedAt.Add(t.Lifetime)
}

// token reads a token reply (RFC 6749 §5.1), asked at one moment, read at another.
func (r *Reply) token(asked, now time.Time) (Token, error) {
	if r.StatusCode >= http.StatusBadRequest {
		return Token{}, r.serviceError(r.membersIfAny(), now)
	}
	if r.StatusCode < http.StatusOK || r.StatusCode >= http.StatusMultipleChoices {
		return Token{}, r.Unusable(r.redirectText())
	}
	if len(r.Body) > maxReply {
		return Token{}, r.Unusable("it is larger than 1 MiB")
	}
	m, problem := parseMembers(r.Header.Get("Content-Type"), r.Body)
	if problem != "" {
		return Token{}, r.Unusable(r.insteadOfJSON(problem))
	}
	if m.hasError() {
		return Token{}, r.serviceError(m, now)
	}
	t, problem := m.token(withTokens(r.secrets, m))
	if problem != "" {
		return Token{}, r.Unusable(problem)
	}
	t.RequestedAt = asked
	return t, nil
}

// token takes the members of RFC 6749 §5.1; the second result is the problem.
func (m members) token(secrets secret.Redactor) (t Token, problem string) {
	for _, f := range []struct {
		name     string
		required bool
		to       *secret.Secret
	}{
		{"access_token", true, &t.AccessToken},
		{"refresh_token", false, &t.RefreshToken},
		{"id_token", false, &t.IDToken},
	} {
		value, problem := m.tokenText(f.name)
		if problem != "" {
			return Token{}, problem
		}
		if value == "" && f.required {
			return Token{}, "it has no " + f.name
		}
		*f.to = secret.New(value)
	}
	if t.TokenType, problem = m.tokenType(secrets); problem != "" {
		return Token{}, problem
	}
	t.Scope, t.SessionID = m.scope(secrets), secrets.Clean(m.scalar("sid"))
	t.IssuedTokenType = secrets.Clean(m.scalar("issued_token_type"))
	t.Lifetime, t.LifetimeProblem = ParseLifetime(m["expires_in"])
	if t.LifetimeProblem != "" && (secrets.Holds(string(m["expires_in"])) || secrets.Holds(m.scalar("expires_in"))) {
		t.LifetimeProblem = "expires_in is not a number"
	}
	return t, ""
}

// tokenText reads a token and refuses what no header can carry.
func (m members) tokenText(name string) (value, problem string) {
	value, ok := m.text(name)
	if !ok {
		return "", name + " is not a string"
	}
	if len(value) > maxTokenSize {
		return "", name + " is larger than 64 KiB"
	}
	if !secret.IsVisible(value) {
		return "", name + " has blanks or bytes outside printable ASCII"
	}
	return value, ""
}

// tokenType accepts bearer in any case (RFC 6749 §5.1, §7.1).
func (m members) tokenType(secrets secret.Redactor) (value, problem string) {
	value, ok := m.text("token_type")
	switch {
	case !ok:
		return "", "token_type is not a string"
	case value == "":
		return "Bearer", ""
	case strings.EqualFold(value, "N_A") && m.has("issued_token_type"): // RFC 8693 §2.2.1
		kind := ShortTokenType(secrets.Clean(m.scalar("issued_token_type")))
		return "", "what came is no bearer token: token_type is N_A, issued_token_type is " + strconv.Quote(kind)
	case !strings.EqualFold(value, "bearer"):
		return "", fmt.Sprintf("token_type is %q, only bearer is supported", secrets.Clean(value))
	}
	return value, ""
}

// scope reads the space-separated string of RFC 6749 §3.3, or a JSON list of
// strings; nil when there is neither, and empty, not nil, when one says that none was
// granted. A scope with bytes that §3.3 does not allow is cleaned, and one that repeats
// a secret is withheld, because scopes are shown.
func (m members) scope(secrets secret.Redactor) []string {
	if raw := m["scope"]; len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	text, ok := m.text("scope")
	if !ok {
		var list []string
		if json.Unmarshal(m["scope"], &list) != nil {
			return nil
		}
		text = strings.Join(list, " ")
	}
	scopes := SplitScope(text)
	for i, s := range scopes {
		if !secret.IsVisible(s) {
			scopes[i] = secret.CleanName(s)
		}
		if secrets.Telling().Holds(s) {
			scopes[i] = secret.Redacted
		}
	}
	return scopes
}

// SplitScope parts the scope of a reply: by blanks, as RFC 6749 §3.3 has it, and by commas,
// as some services write it. It is empty, not nil, when there is none.
func SplitScope(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// withTokens adds the tokens of a reply to what must not be shown.
func withTokens(secrets secret.Redactor, m members) secret.Redactor {
	all := append(secret.Redactor(nil), secrets...)
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		if s, ok := m.text(name); ok && s != "" {
			all = append(all, s)
		}
	}
	return all
}

const (
	// maxLifetime is more than any access token lives; beyond it expires_in is a mistake, such as
	// milliseconds or a date. maxNumber is how much of a number is shown.
	maxLifetime = 10 * 365 * 24 * time.Hour
	maxNumber   = 40
)

// ParseLifetime reads expires_in (RFC 6749 §5.1): seconds, as a number or as a
// numeric string, a fraction is cut off. What is no usable lifetime gives 0 and
// the reason in words; nothing is assumed in its place.
func ParseLifetime(raw json.RawMessage) (time.Duration, string) {
	if len(raw) == 0 {
		return 0, "the reply has no expires_in"
	}
	text := string(raw)
	switch raw[0] {
	case '{':
		return 0, "expires_in is an object"
	case '[':
		return 0, "expires_in is a list"
	case 'n', 't', 'f':
		return 0, "expires_in is " + secret.CleanTo(text, 10)
	case '"':
		if err := json.Unmarshal(raw, &text); err != nil {
			return 0, "expires_in is not readable"
		}
	}
	return lifetimeOf(strings.TrimSpace(text))
}

// ParseNumber reads a member that is a decimal number, not negative; what is beyond a float is
// infinite.
func ParseNumber(name, text string) (float64, string) {
	value, err := strconv.ParseFloat(text, 64)
	switch {
	// ParseFloat alone would also take "NaN", "Infinity" and hexadecimal.
	case strings.Trim(text, "0123456789.eE+-") != "", err != nil && !math.IsInf(value, 0):
		return 0, name + " is " + strconv.Quote(secret.CleanTo(text, maxNumber))
	case value < 0:
		return 0, name + " is negative"
	}
	return value, ""
}

// lifetimeOf reads a decimal number of seconds.
func lifetimeOf(text string) (time.Duration, string) {
	seconds, problem := ParseNumber("expires_in", text)
	switch {
	case problem != "":
		return 0, problem
	case seconds > maxLifetime.Seconds():
		return 0, fmt.Sprintf("expires_in is %s, which is over ten years", secret.CleanTo(text, maxNumber))
	case seconds == 0:
		return 0, "expires_in is 0"
	case seconds < 1:
		return 0, "expires_in is less than a second"
	}
	return time.Duration(int64(seconds)) * time.Second, ""
}
