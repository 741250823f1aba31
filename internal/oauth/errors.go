package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/oauth/challenge"
	"github.com/authctl/authctl/internal/secret"
)

// Error says that the service answered with an error: RFC 6749 §5.2, or one of
// the other shapes that services and the gateways before them use. All remote
// words in it went through CleanText, and are [redacted] where they repeat a
// secret that was sent.
type Error struct {
	// Endpoint is scheme, host and path of what was asked.
	Endpoint string
	// StatusCode is the HTTP status; 200 when the reply carried an error inside.
	StatusCode int
	// Code is the error code ("invalid_client", "603"), empty when none came. It
	// is the Challenge's where the body had none.
	Code string
	// Description is the error's text for people, empty when none came.
	Description string
	// Challenge is what WWW-Authenticate said, zero when absent.
	Challenge challenge.Challenge
	// RetryAfter is how long the service asks to wait (RFC 9110 §10.2.3), at
	// most a day; 0 when it did not say.
	RetryAfter time.Duration
	// NotBefore is RetryAfter as a moment, zero when the service did not say.
	NotBefore time.Time
	// Page says what came where an error should be, when it is a page for people: "a
	// page (text/html) titled \"Forbidden\"". Empty when it is none.
	Page string
	// CertificateUnasked says that the client had a certificate to show, and the service did not
	// ask for one.
	CertificateUnasked bool
	// ClockAhead is how far the service's clock is ahead of ours, negative when it is
	// behind, to the second; 0 when it did not tell the time.
	ClockAhead time.Duration
}

// Error gives endpoint, status, code and the quoted description:
// `https://h/p answered 401 invalid_client "no such client"`.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s answered %d", e.Endpoint, e.StatusCode)
	if e.StatusCode < http.StatusBadRequest {
		b.WriteString(" with an error inside")
	}
	switch {
	case e.Code != "" && e.Code != strconv.Itoa(e.StatusCode):
		b.WriteString(" " + WordText(e.Code))
	case e.Page != "":
		b.WriteString(" with " + e.Page)
	case e.Code == "" && e.Description == "":
		b.WriteString(" without a usable error text")
	}
	if e.Description != "" {
		b.WriteString(" " + strconv.Quote(e.Description))
	}
	return b.String()
}

// Ambiguous reports whether the request may have been carried out all the same:
// a gateway's 500, 502 or 504, or 408. 429 and 503 are refusals.
func (e *Error) Ambiguous() bool {
	return e.StatusCode == http.StatusRequestTimeout ||
		e.StatusCode >= http.StatusInternalServerError && e.StatusCode != http.StatusServiceUnavailable
}

// Throttled reports whether the service wants to be asked less often: 429, a code that
// says so under whatever status, or a gateway's words under 400 and 403.
func (e *Error) Throttled() bool {
	refused := e.StatusCode == http.StatusBadRequest || e.StatusCode == http.StatusForbidden
	return e.StatusCode == http.StatusTooManyRequests || throttles(e.Code) || refused && throttlesInWords(e.Description)
}

// WordText is s as it is when it is one plain word, else quoted.
func WordText(s string) string {
	if secret.IsVisible(s) && !strings.ContainsAny(s, `"\`) {
		return s
	}
	return strconv.Quote(s)
}

// ReplyError says that a reply came and cannot be used: no valid HTTP, a redirect, too
// large, neither JSON nor form-encoded, without a token, or with a token that no
// header could carry.
type ReplyError struct {
	// Endpoint is scheme, host and path of what was asked.
	Endpoint string
	// StatusCode is the HTTP status, 0 when none could be read.
	StatusCode int
	// Problem is a clause: "it has no access_token", "access_token is not a string".
	Problem string
}

// Error names endpoint, status and problem.
func (e *ReplyError) Error() string {
	status := ""
	if e.StatusCode != 0 {
		status = fmt.Sprintf(" (status %d)", e.StatusCode)
	}
	return fmt.Sprintf("the reply of %s%s cannot be used: %s", e.Endpoint, status, e.Problem)
}

// Ambiguous reports whether the request may have been carried out: yes for a
// success that cannot be read, no for a redirect.
func (e *ReplyError) Ambiguous() bool { return e.StatusCode < http.StatusMultipleChoices }

// Ambiguous reports whether err leaves open if the service carried the request
// out. What spends something (a refresh token, a code) must then not be sent a
// second time.
func Ambiguous(err error) bool {
	e, ok := errors.AsType[interface {
		error
		Ambiguous() bool
	}](err)
	return ok && e.Ambiguous()
}
