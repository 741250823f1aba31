package service

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Fault is one way to misbehave, as POST /_sandbox/faults takes it; docs/sandbox.md has the fields. Of the faults added
// the first that matches a request applies, and only that one. One with Status from 300, Body or Redirect answers
// instead of the service; all others change what the service did and said.
type Fault struct {
	Service string `json:"service,omitzero"`
	Path    string `json:"path,omitzero"`
	Times   int    `json:"times,omitzero"`
	// Status without Body is sent with the service's usual error body for it.
	Status      int     `json:"status,omitzero"`
	Body        *string `json:"body,omitzero"`
	ContentType string  `json:"content_type,omitzero"`
	// Error is an OAuth error code, sent in the service's form, with 400 unless Status says otherwise.
	Error      string `json:"error,omitzero"`
	RetryAfter string `json:"retry_after,omitzero"`
	Redirect   string `json:"redirect,omitzero"`
	// DelayMS is in milliseconds; the service has done its work before, as it has with Truncate and Drop.
	DelayMS  int  `json:"delay_ms,omitzero"`
	Truncate *int `json:"truncate,omitzero"`
	Drop     bool `json:"drop,omitzero"`
	// ExpiresIn is written as it is. A whole number of seconds up to a day is also the lifetime the token then really has.
	ExpiresIn json.RawMessage `json:"expires_in,omitzero"`
	// Interval is the same for the polls of a device.
	Interval     json.RawMessage `json:"interval,omitzero"`
	TokenType    *string         `json:"token_type,omitzero"`
	ScopeEncoded bool            `json:"scope_encoded,omitzero"`
	RefreshToken bool            `json:"refresh_token,omitzero"`
	// ClientScopes do not touch the standard scopes of Pexip's realm, nor a refresh, which keeps what was granted.
	ScopePending []string `json:"scope_pending,omitzero"`
	ClientScopes []string `json:"client_scopes,omitzero"`
	Narrow       bool     `json:"narrow,omitzero"`
	// Omit may name headers too. A refresh that omits the refresh token does not spend the old one.
	Omit  []string                   `json:"omit,omitzero"`
	Extra map[string]json.RawMessage `json:"extra,omitzero"`
	// Claims are what JWTs say instead, null for nothing; Algorithm is how they are signed: none, or HS256 with the public
	// key as the secret.
	Claims    map[string]json.RawMessage `json:"claims,omitzero"`
	Algorithm string                     `json:"algorithm,omitzero"`
	// Callback is for the POST of a sign-in page: /auth/v3/sign-in or /oauth/sign-in.
	Callback map[string]string `json:"callback,omitzero"`
}

// Check returns what is wrong with a fault, nil when it can be used.
func (f Fault) Check() error {
	switch {
	case !f.HasEffect():
		return errors.New("the fault does nothing")
	case f.Path != "" && !strings.HasPrefix(f.Path, "/"):
		return fmt.Errorf("path: %q has no slash before it", f.Path)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status: %d is not between 200 and 599", f.Status)
	case !slices.Contains([]string{"", "none", "HS256"}, f.Algorithm):
		return fmt.Errorf("algorithm: %q is neither none nor HS256", f.Algorithm)
	case f.Redirect != "" && f.Status != 0 && f.Status/100 != 3:
		return fmt.Errorf("redirect: status %d is no redirect's", f.Status)
	case f.Times < 0, f.DelayMS < 0, f.Truncate != nil && *f.Truncate < 0:
		return errors.New("a number is below zero")
	}
	return nil
}

// HasEffect reports whether a fault does anything.
func (f Fault) HasEffect() bool {
	f.Service, f.Path, f.Times = "", "", 0
	return !reflect.ValueOf(f).IsZero()
}

// Lifetime is what a token or a device code really lives instead of the usual.
func (f Fault) Lifetime(usual time.Duration) time.Duration { return seconds(f.ExpiresIn, usual) }

// Between is what really has to pass between two polls of a device.
func (f Fault) Between(usual time.Duration) time.Duration { return seconds(f.Interval, usual) }

func seconds(said json.RawMessage, usual time.Duration) time.Duration {
	if n, err := strconv.Atoi(string(said)); err == nil && n > 0 && n <= 86400 {
		return time.Duration(n) * time.Second
	}
	return usual
}

// forge signs a JWT as the fault says, or as the signer does: without the library, which refuses to do such things.
func (f Fault) forge(by Signer, kind jose.ContentType, claims map[string]any) string {
	for name, value := range f.Claims {
		claims[name] = value
		if string(value) == "null" {
			delete(claims, name)
		}
	}
	if f.Algorithm == "" {
		return by.SignTyped(kind, claims)
	}
	header := must(json.Marshal(map[string]any{"alg": f.Algorithm, "kid": by.KeyID, "typ": kind}))
	encode := base64.RawURLEncoding.EncodeToString
	text := encode(header) + "." + encode(must(json.Marshal(claims))) + "."
	if f.Algorithm == "none" {
		return text
	}
	der := must(x509.MarshalPKIXPublicKey(by.Key.Public()))
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write([]byte(strings.TrimSuffix(text, ".")))
	return text + encode(mac.Sum(nil))
}

// keepsRefresh says that there are no refresh tokens in replies; then the old one stays good, else nobody could go on.
func (f Fault) keepsRefresh() bool { return slices.Contains(f.Omit, "refresh_token") }

// Answer asks the service, unless the fault answers in its place.
func (x *Exchange) Answer() Reply {
	f := x.Fault
	switch {
	case f.Redirect != "":
		return f.change(Reply{Status: cmp.Or(f.Status, http.StatusFound)}.With("Location", f.Redirect))
	case f.Body != nil:
		return f.change(Reply{Status: cmp.Or(f.Status, http.StatusOK), Text: f.Body})
	case f.Error != "":
		return f.change(x.Host.Error(cmp.Or(f.Status, http.StatusBadRequest), f.Error, "a fault of the sandbox"))
	case f.Status >= http.StatusMultipleChoices:
		return f.change(x.Host.Error(f.Status, "", http.StatusText(f.Status)))
	}
	return f.change(x.Host.answer(x))
}

// change changes a reply as the fault says.
func (f Fault) change(rep Reply) Reply {
	rep.ContentType = cmp.Or(f.ContentType, rep.ContentType)
	if f.RetryAfter != "" {
		rep = rep.With("Retry-After", f.RetryAfter)
	}
	if rep.Status >= http.StatusMultipleChoices {
		return rep
	}
	rep.Status = cmp.Or(f.Status, rep.Status)
	if rep.Token {
		f.changeToken(rep.Fields)
	}
	if rep.Fields["interval"] != nil && f.Interval != nil {
		rep.Fields["interval"] = f.Interval
	}
	for _, name := range f.Omit {
		delete(rep.Fields, name)
		delete(rep.Header, http.CanonicalHeaderKey(name))
	}
	for name, value := range f.Extra {
		if rep.Fields != nil {
			rep.Fields[name] = value
		}
	}
	return rep
}

// changeToken changes the fields that only token replies have.
func (f Fault) changeToken(fields map[string]any) {
	if f.ExpiresIn != nil {
		fields["expires_in"] = f.ExpiresIn
	}
	if string(f.ExpiresIn) == `"missing"` {
		delete(fields, "expires_in")
	}
	if f.TokenType != nil {
		fields["token_type"] = *f.TokenType
	}
	if scope, ok := fields["scope"].(string); ok && f.ScopeEncoded {
		fields["scope"] = strings.ReplaceAll(url.QueryEscape(scope), "+", "%20")
	}
}

// Wait sleeps through the delay and ends the connection that is to be dropped. The service has done its work by then:
// a client that hangs up has spent its refresh token.
func (f Fault) Wait(ctx context.Context) {
	select {
	case <-time.After(time.Duration(f.DelayMS) * time.Millisecond):
	case <-ctx.Done():
		f.Drop = true
	}
	if f.Drop {
		panic(http.ErrAbortHandler)
	}
}

// Send writes a reply, or what the fault leaves of it.
func (f Fault) Send(w http.ResponseWriter, rep Reply) {
	body := rep.begin(w)
	if f.Truncate == nil || *f.Truncate >= len(body) {
		_, _ = io.WriteString(w, body)
		return
	}
	_, _ = io.WriteString(w, body[:*f.Truncate])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}
