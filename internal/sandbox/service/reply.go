package service

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Reply is what a service answers. Fields are the members of the body's object, nil when there is no body.
type Reply struct {
	Status int
	Header map[string]string
	Fields map[string]any
	Token  bool // it is a successful token reply
	Form   bool // it is to be form-encoded, and not JSON
	// Text, unless nil, is the body instead of Fields. ContentType goes before the usual.
	Text        *string
	ContentType string
}

// OK is a success with an object.
func OK(fields map[string]any) Reply { return Reply{Status: http.StatusOK, Fields: fields} }

// OAuthError is an error in the form of RFC 6749 §5.2.
func OAuthError(status int, code, description string) Reply {
	fields := map[string]any{"error": code}
	if description != "" {
		fields["error_description"] = description
	}
	return Reply{Status: status, Fields: fields}
}

// Redirect sends a browser elsewhere.
func Redirect(to string) Reply { return Reply{Status: http.StatusFound}.With("Location", to) }

// With adds a header.
func (r Reply) With(name, value string) Reply {
	if r.Header == nil {
		r.Header = map[string]string{}
	}
	r.Header[name] = value
	return r
}

// encode returns body and content type.
func (r Reply) encode() (body, contentType string) {
	switch {
	case r.Text != nil:
		return *r.Text, "application/json"
	case r.Fields == nil:
		return "", ""
	}
	object := must(json.Marshal(r.Fields))
	if !r.Form {
		return string(object), "application/json"
	}
	form, members := url.Values{}, map[string]json.RawMessage{}
	_ = must(0, json.Unmarshal(object, &members))
	for name, value := range members {
		form.Set(name, strings.Trim(string(value), `"`))
	}
	return form.Encode(), FormType
}

// begin writes status and header, and returns the body that is to follow.
func (r Reply) begin(w http.ResponseWriter) string {
	body, contentType := r.encode()
	h := w.Header()
	// RFC 6749 §5.1 asks for both.
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h["Content-Type"] = nil // else net/http guesses one
	if t := cmp.Or(r.ContentType, contentType); t != "" {
		h.Set("Content-Type", t)
	}
	for name, value := range r.Header {
		h.Set(name, value)
	}
	if r.Status != http.StatusNoContent { // RFC 9110 §8.6
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(r.Status)
	return body
}

// Problem is what an endpoint for clients has against a request: status, code and text, by default RFC 6749 §5.2's. In
// the text, %s is what it is about: a parameter, the scopes, the grant, or more words. The code - is none, where the
// status says it all; a status alone has no body.
type Problem string

// The problems.
const (
	NotForm      Problem = "415 - the Content-Type must be " + FormType
	Unreadable   Problem = "400 - the request body cannot be read"
	Repeated     Problem = "400 - duplicated parameter"
	Missing      Problem = "400 invalid_request missing parameter: %s"
	InQuery      Problem = "400 invalid_request parameters belong in the request body"
	OtherGrant   Problem = "400 unsupported_grant_type Unsupported grant type"
	ForbidGrant  Problem = "400 unauthorized_client Unauthorized grant type: %s"
	TwoWays      Problem = "400 invalid_request more than one way of client authentication"
	BadAssertion Problem = "401 invalid_client %s"
	BadScope     Problem = "400 invalid_scope the requested scope is invalid or unknown"
	BadCode      Problem = "400 invalid_grant %s"
	BadRefresh   Problem = "400 invalid_grant Invalid refresh token"
	BadPassword  Problem = "400 invalid_grant Bad credentials"
	BadClient    Problem = "401 invalid_client client authentication failed"

	// Services without words of their own for these tell them as BadClient.
	NoClient      Problem = "no client"
	UnknownClient Problem = "unknown client"
	OddBasic      Problem = "odd Basic"
)

// Refuse tells a problem in the service's words. Who is to authenticate is told how (RFC 6749 §5.2).
func (x *Exchange) Refuse(p Problem, about string) *Reply {
	said := cmp.Or(x.Words[p], p)
	if said == NoClient || said == UnknownClient || said == OddBasic {
		said = cmp.Or(x.Words[BadClient], BadClient)
	}
	status, words, _ := strings.Cut(string(said), " ")
	code, text, _ := strings.Cut(words, " ")
	rep := Reply{Status: must(strconv.Atoi(status))}
	if code != "" {
		rep = x.Host.Error(rep.Status, strings.Trim(code, "-"), strings.ReplaceAll(text, "%s", about))
	}
	if rep.Status == http.StatusUnauthorized {
		rep = rep.With("WWW-Authenticate", x.Challenge("Basic"))
	}
	return &rep
}

// Challenge is one of the service's realm (RFC 9110 §11.6.1), with more parameters, names and values by turns.
func (x *Exchange) Challenge(scheme string, more ...string) string {
	params := []string{fmt.Sprintf("%s realm=%q", scheme, cmp.Or(x.Realm, x.Name))}
	for pair := range slices.Chunk(more, 2) {
		params = append(params, fmt.Sprintf("%s=%q", pair[0], pair[1]))
	}
	return strings.Join(params, ", ")
}
