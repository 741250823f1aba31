package setting

import (
	"errors"
	"strconv"
	"time"
)

// maxLifetime is more than any access token lives, and what a reply may say of one.
const maxLifetime = 10 * 365 * 24 * time.Hour

// ParseDuration reads a duration of zero or more, as Go writes it (90s, 5m) or in
// whole seconds (300).
func ParseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if seconds, whole := strconv.ParseInt(text, 10, 32); whole == nil {
		d, err = time.Duration(seconds)*time.Second, nil
	}
	switch {
	case err != nil:
		return 0, errors.New("is not a duration: write 30s or 2m")
	case d < 0:
		return 0, errors.New("is negative: write 30s or 2m")
	}
	return d, nil
}

// AssumedLifetime is lifetime, for services whose replies have no expires_in.
func AssumedLifetime() Setting {
	return Setting{
		Name: "lifetime", Kind: Text, Seconds: true, Example: "30m",
		Help: "how long a token is good where the service does not say; what it says counts",
	}
}

// Lifetime returns AssumedLifetime's value, a second or more; 0 where there is none.
func (s Values) Lifetime() (time.Duration, error) {
	text := s.Text("lifetime")
	if text == "" {
		return 0, nil
	}
	d, err := ParseDuration(text)
	switch {
	case err != nil:
		return 0, s.Wrong("lifetime", "is not how long a token is good", "write it as 30m or 12h, or in seconds")
	case d < time.Second:
		return 0, s.Wrong("lifetime", "is less than a second", "leave it out if nobody knows how long a token is good")
	case d > maxLifetime:
		return 0, s.Wrong("lifetime", "is over ten years", "write it as 30m or 12h, or in seconds")
	}
	return d, nil
}
