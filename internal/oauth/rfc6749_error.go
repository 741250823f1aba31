package oauth

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/oauth/challenge"
	"github.com/authctl/authctl/internal/secret"
)

// serviceError reads every shape of error that services and gateways are known
// to send: RFC 6749 §5.2, {code, message, description}, {status: {code,
// message}}, an errors list, {message}, and WWW-Authenticate alone. Text and
// HTML are never quoted.
func (r *Reply) serviceError(m members, now time.Time) *Error {
	secrets := withTokens(r.secrets, m)
	e := &Error{
		Endpoint: r.endpoint, StatusCode: r.StatusCode,
		Challenge:  challenge.In(r.Header, secrets),
		RetryAfter: retryAfter(r.Header, now), CertificateUnasked: r.certificate != nil && !r.certificate.wasAsked(),
	}
	code, description := m.errorWords()
	if kind := shapeName(r.Header.Get("x-amzn-ErrorType")); code == "" || throttles(kind) {
		code = cmp.Or(kind, code)
	}
	e.Code, e.Description = CleanCode(code, secrets), secrets.Clean(description)
	r.tellWhole(e, secrets, description)
	if e.Code == "" && e.Description == "" {
		e.Code, e.Description = e.Challenge.Error, e.Challenge.Description
	}
	if e.Code == "" && e.Description == "" {
		e.Page = strings.TrimPrefix(r.page(), "it is ")
	}
	if date, ok := network.ServiceTime(r.Header); ok {
		e.ClockAhead = date.Sub(now).Round(time.Second)
	}
	if e.RetryAfter > 0 {
		e.NotBefore = now.Add(e.RetryAfter)
	}
	return e
}

// CleanCode leaves the codes of RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1 and RFC 8628 §3.5 alone even where
// a secret is a part of one: they are known words, and decisions hang on them.
func CleanCode(code string, secrets secret.Redactor) string {
	switch code {
	case "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
		"invalid_scope", "invalid_token", "insufficient_scope", "access_denied", "server_error",
		"temporarily_unavailable", "slow_down", "authorization_pending", "expired_token":
		return code
	}
	return secrets.Clean(code)
}

// tellWhole gives the error's text away as a whole where it is cut for people.
func (r *Reply) tellWhole(e *Error, secrets secret.Redactor, description string) {
	const most = 16 << 10
	whole := secret.CleanTo(description, most)
	if r.tell != nil && len([]rune(whole)) > secret.MaxText && !secrets.Holds(description) {
		r.tell(e.Endpoint + " said: " + strconv.Quote(whole))
	}
}

// errorWords finds code and description, outermost first.
func (m members) errorWords() (code, description string) {
	first, text := m.firstError()
	for _, inner := range []members{
		m, m.object("error"), m.object("Error"), m.object("status"), first, first.object("status"),
	} {
		c, d := inner.ownWords()
		code, description = cmp.Or(code, c), cmp.Or(description, d)
	}
	return code, cmp.Or(description, text)
}

// ownWords are code and description among the members themselves.
func (m members) ownWords() (code, description string) {
	code = cmp.Or(m.scalar("error"), shapeName(m.scalar("__type")), m.scalar("code"), m.scalar("Code"))
	if code == "0" {
		code = ""
	}
	if throttles(code) {
		code = shapeName(code)
	}
	if d := m.scalar("error_description"); d != "" {
		return code, d
	}
	message, more := cmp.Or(m.scalar("message"), m.scalar("Message")), cmp.Or(m.scalar("description"), m.scalar("detail"))
	if message == "" || more == "" || message == more {
		return code, cmp.Or(message, more)
	}
	return code, message + ": " + more
}

// object returns a member that is an object, else nil.
func (m members) object(name string) members {
	var inner members
	if json.Unmarshal(m[name], &inner) != nil {
		return nil
	}
	return inner
}

// firstError returns the first entry of an errors list: an object, or its text.
func (m members) firstError() (members, string) {
	var list []json.RawMessage
	if json.Unmarshal(m["errors"], &list) != nil || len(list) == 0 {
		return nil, ""
	}
	first := members{"first": list[0]}
	return first.object("first"), first.scalar("first")
}

// hasError reports whether a success carries an error inside.
func (m members) hasError() bool {
	var list []json.RawMessage
	empty := json.Unmarshal(m["errors"], &list) == nil && len(list) == 0
	code := m.object("status").scalar("code")
	return code != "" && code != "0" || !slices.Contains([]string{"", "null", "false", `""`}, string(m["error"])) ||
		!empty && !slices.Contains([]string{"", "{}", "false", `""`}, string(m["errors"]))
}

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
	return ErrorBody{
		Code: secret.CleanText(code), Description: secret.CleanText(description), Scope: secret.CleanText(m.scalar("scope")),
	}, true
}

// shapeName returns the bare name of an error as AWS writes them, in __type and in the
// header x-amzn-ErrorType: "com.amazonaws.apigateway#TooManyRequestsException",
// "TooManyRequestsException:http://internal.amazon.com/coral/…"
// (https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html).
func shapeName(kind string) string {
	kind, _, _ = strings.Cut(kind, ":")
	return strings.TrimSpace(kind[strings.LastIndex(kind, "#")+1:])
}

// throttles reports whether an error's code says that the service is asked too often.
// Services write it in many ways, and some with the status 400 (the retryable codes of
// the AWS SDKs, RFC 8628 §3.5's slow_down): case, "_", "-" and blanks do not count.
func throttles(code string) bool {
	word := strings.Map(func(r rune) rune {
		if strings.ContainsRune("_-. ", r) {
			return -1
		}
		return r
	}, strings.ToLower(shapeName(code)))
	for _, part := range []string{
		"throttl", "toomanyrequests", "ratelimit", "rateexceeded", "slowdown", "requestlimitexceeded",
		"bandwidthlimitexceeded", "throughputexceeded", "limitexceededexception", "priorrequestnotcomplete",
	} {
		if strings.Contains(word, part) {
			return true
		}
	}
	return false
}

// throttlesInWords is throttles for an error's text, as API gateways write it.
func throttlesInWords(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "too many requests") || strings.Contains(text, "rate exceeded")
}
