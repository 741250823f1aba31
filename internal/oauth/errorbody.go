package oauth

import "github.com/authctl/authctl/internal/secret"

// ErrorBody is what the body of an error reply says. All of it is remote text
// made fit to be shown.
type ErrorBody struct {
	// Code is the error code ("invalid_scope", "603"), empty when there is none.
	Code string
	// Description is the text for people, empty when there is none.
	Description string
	// Scope is the scope member (RFC 6750 §3), space-separated as it came.
	Scope string
}

// ParseErrorBody reads an error body by itself, as the errors of Call are read. It
// is false for what is no JSON object and no form-encoded error, such as HTML.
func ParseErrorBody(body []byte) (ErrorBody, bool) {
	m, problem := parseMembers("", body)
	if problem != "" {
		return ErrorBody{}, false
	}
	code, description := m.errorWords()
	return ErrorBody{Code: secret.CleanText(code), Description: secret.CleanText(description), Scope: secret.CleanText(m.scalar("scope"))}, true
}
