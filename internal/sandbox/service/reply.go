package service

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Reply is what a service answers. Fields are the members of the body's object, nil when there is no body.
type Reply struct {
	Status int
	Header map[string]string
	Fields map[string]any
	// Token says that this is a successful token reply.
	Token bool
	// Form asks for form encoding instead of JSON.
	Form bool
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
	h := map[string]string{name: value}
	maps.Copy(h, r.Header)
	r.Header = h
	return r
}

// encode returns body and content type.
func (r Reply) encode() (body, contentType string) {
	switch {
	case r.Text != nil:
		return *r.Text, "application/json"
	case r.Fields == nil:
		return "", ""
	case r.Form:
		return formEncode(r.Fields), FormType
	}
	return string(must(json.Marshal(r.Fields))), "application/json"
}

// formEncode writes an object of scalars as parameters.
func formEncode(fields map[string]any) string {
	form := url.Values{}
	for name, value := range fields {
		text := fmt.Sprint(value)
		if raw, ok := value.(json.RawMessage); ok {
			text = strings.Trim(string(raw), `"`)
		}
		form.Set(name, text)
	}
	return form.Encode()
}

// Begin writes status and header, and returns the body that is to follow.
func (r Reply) Begin(w http.ResponseWriter) string {
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
