package config

import (
	"errors"
	"strconv"
	"time"
)

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
