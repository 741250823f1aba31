package moment

import "time"

// Fields returns an expiry as RFC 3339 in UTC, as epoch seconds and as the seconds
// left; all nil for the zero time.
func Fields(expiry, now time.Time) (at *string, on, in *int64) {
	if expiry.IsZero() {
		return nil, nil, nil
	}
	text, epoch, left := UTC(expiry), expiry.Unix(), int64(expiry.Sub(now).Seconds())
	return &text, &epoch, &left
}

// Left says for people when a token ends.
func Left(expiry, now time.Time) string {
	left := expiry.Sub(now)
	switch {
	case expiry.IsZero():
		return "unknown"
	case left <= 0:
		return "expired"
	}
	return Away(left)
}

// End is when a token ends, for people.
func End(expiry time.Time) string {
	if expiry.IsZero() {
		return "a time that the service did not tell"
	}
	return Text(expiry)
}
