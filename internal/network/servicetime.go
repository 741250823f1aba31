package network

import (
	"net/http"
	"strconv"
	"time"
)

// ServiceTime returns the time at a service that answered, to the half second, for the
// Date header (RFC 9110 §6.6.1) has whole ones; false when it does not tell.
func ServiceTime(header http.Header) (time.Time, bool) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return time.Time{}, false
	}
	// A cache on the way tells how old its answer is (RFC 9111 §5.1).
	if age, err := strconv.Atoi(header.Get("Age")); err == nil && age > 0 {
		date = date.Add(time.Duration(age) * time.Second)
	}
	return date.Add(time.Second / 2), true
}
