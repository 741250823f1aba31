package oauth

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/secret"
)

// maxLifetime is more than any access token lives; beyond it expires_in is a
// mistake, such as milliseconds or a date.
const maxLifetime = 10 * 365 * 24 * time.Hour

// parseLifetime reads expires_in (RFC 6749 §5.1): seconds, as a number or as a
// numeric string, a fraction is cut off. What is no usable lifetime gives 0 and
// the reason in words; nothing is assumed in its place.
func parseLifetime(raw json.RawMessage) (time.Duration, string) {
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

// lifetimeOf reads a decimal number of seconds.
func lifetimeOf(text string) (time.Duration, string) {
	const shown = 40
	// ParseFloat alone would also take "NaN", "Infinity" and hexadecimal.
	if text == "" || strings.Trim(text, "0123456789.eE+-") != "" {
		return 0, "expires_in is " + strconv.Quote(secret.CleanTo(text, shown))
	}
	seconds, err := strconv.ParseFloat(text, 64)
	switch {
	case seconds < 0:
		return 0, "expires_in is negative"
	case seconds > maxLifetime.Seconds():
		return 0, fmt.Sprintf("expires_in is %s, which is over ten years", secret.CleanTo(text, shown))
	case err != nil:
		return 0, "expires_in is " + strconv.Quote(secret.CleanTo(text, shown))
	case seconds == 0:
		return 0, "expires_in is 0"
	case seconds < 1:
		return 0, "expires_in is less than a second"
	}
	return time.Duration(int64(seconds)) * time.Second, ""
}
