// Package authcode is the authorization code of RFC 6749 §4.1: where the browser is sent, and what
// comes back, with PKCE (RFC 7636). What the code is traded for is oauth's.
package authcode

import (
	"crypto/rand"
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
)

// NewState returns a state parameter of 128 random bits or more, which ties a
// redirect to the login it belongs to (RFC 6749 §10.12). Another one serves as a
// nonce (OpenID Connect Core §15.5.2).
func NewState() secret.Secret { return secret.New(rand.Text()) }

// Request is what the browser is sent to an authorization endpoint
// with (RFC 6749 §4.1.1).
type Request struct {
	// Endpoint is the authorization endpoint. It may have a query, which is kept (§3.1).
	Endpoint *url.URL
	// ClientID is required.
	ClientID string
	// RedirectURI is where the browser comes back to; required.
	RedirectURI string
	// Scope lists the scopes, none for the service's own choice.
	Scope []string
	// State is required; see NewState.
	State secret.Secret
	// Nonce comes back in the ID token (OpenID Connect Core §3.1.2.1); left out when zero.
	Nonce secret.Secret
	// Challenge is S256Challenge's result; left out when empty.
	Challenge string
	// Extra holds further parameters. It cannot replace those above.
	Extra url.Values
}

// URL returns the address for the browser, with response_type=code. Whoever sees
// it can see state and nonce, as the browser does: it is shown to the user and
// goes into no log. It returns
// a *oauth.RequestError when something required is missing or a parameter would be
// sent twice (RFC 6749 §3.1).
func (r Request) URL() (*url.URL, error) {
	if err := oauth.CheckAddress(r.Endpoint); err != nil {
		return nil, err
	}
	query, err := url.ParseQuery(r.Endpoint.RawQuery)
	if err != nil {
		return nil, &oauth.RequestError{Problem: "the query of the authorization endpoint is not readable"}
	}
	for name, values := range r.Extra {
		if query.Has(name) {
			return nil, &oauth.RequestError{Problem: "parameter " + name + " is set twice"}
		}
		query[name] = values
	}
	params := r.params()
	for _, name := range slices.Sorted(maps.Keys(params)) {
		value := params[name]
		switch {
		case value == "" && slices.Contains([]string{"client_id", "redirect_uri", "state"}, name):
			return nil, &oauth.RequestError{Problem: "no " + name + " is set"}
		case query.Has(name):
			return nil, &oauth.RequestError{Problem: "parameter " + name + " is set twice"}
		case value != "":
			query.Set(name, value)
		}
	}
	u := *r.Endpoint
	u.RawQuery = query.Encode()
	return &u, nil
}

// params are the parameters but for Extra; those that are empty are not sent.
func (r Request) params() map[string]string {
	params := map[string]string{
		"response_type": "code", "client_id": r.ClientID, "redirect_uri": r.RedirectURI, "scope": strings.Join(r.Scope, " "),
		"state": r.State.Reveal(), "nonce": r.Nonce.Reveal(), "code_challenge": r.Challenge, "code_challenge_method": "",
	}
	if r.Challenge != "" {
		params["code_challenge_method"] = "S256"
	}
	return params
}

// CallbackReason is why a redirect was not taken.
type CallbackReason string

// The reasons.
const (
	// CallbackForeign: state is missing, repeated or another. Whatever sent it
	// knows nothing of this login, which must go on waiting.
	CallbackForeign CallbackReason = "foreign"
	// CallbackRefused: the service says that there will be no code.
	CallbackRefused CallbackReason = "refused"
	// CallbackInvalid: state is right and the rest is no answer.
	CallbackInvalid CallbackReason = "invalid"
)

// CallbackError says why a redirect was not taken. Remote words in it went
// through CleanText.
type CallbackError struct {
	Reason CallbackReason
	// Code is the service's error code ("access_denied"), for CallbackRefused.
	Code string
	// Description is the service's error_description, empty when none came.
	Description string
	// Problem is a clause for the other reasons: "state is not the one that was sent".
	Problem string
	// Stateless says that it would be an answer, if it had a state.
	Stateless bool
}

// Foreign reports that the redirect does not belong to this login, so that the
// wait for the right one goes on.
func (e *CallbackError) Foreign() bool { return e.Reason == CallbackForeign }

// Error returns the whole sentence, remote words quoted.
func (e *CallbackError) Error() string {
	if e.Reason != CallbackRefused {
		return "the redirect cannot be used: " + e.Problem
	}
	text := "the service refused the login"
	if e.Code != "" {
		text += ": " + oauth.WordText(e.Code)
	}
	if e.Description != "" {
		text += " " + strconv.Quote(e.Description)
	}
	return text
}

// Callback is what the redirect of one login has to match.
type Callback struct {
	// State is the one that was sent. With the zero Secret nothing matches.
	State secret.Secret
	// Optional takes an answer without state too, from services that send none. What ties
	// it to this login is PKCE alone then.
	Optional bool
}

// Parse reads the query of a redirect and returns the code, which is good once and
// for minutes only (RFC 6749 §4.1.2). State is looked at first, and in constant
// time; then error, then code (RFC 6749 §4.1.2). The error is a *CallbackError. A
// known parameter that is repeated is refused.
func (c Callback) Parse(query url.Values) (secret.Secret, error) {
	answers := query.Get("code") != "" || query.Get("error") != ""
	problem := c.stateProblem(query["state"])
	if problem == noState && answers && c.Optional && !c.State.IsZero() {
		problem = ""
	}
	if problem != "" {
		return secret.Secret{}, &CallbackError{
			Reason: CallbackForeign, Problem: problem, Stateless: problem == noState && answers,
		}
	}
	for _, name := range []string{"iss", "error", "error_description", "code"} {
		if len(query[name]) > 1 {
			problem = "parameter " + name + " is repeated"
		}
	}
	code := query.Get("code")
	switch {
	case problem != "":
	case query.Get("error") != "":
		return secret.Secret{}, c.refusal(query)
	case code == "":
		problem = "it has neither code nor error"
	case strings.ContainsFunc(code, func(r rune) bool { return r < ' ' || r > '~' }):
		problem = "code has bytes outside printable ASCII"
	default:
		return secret.New(code), nil
	}
	return secret.Secret{}, &CallbackError{Reason: CallbackInvalid, Problem: problem}
}

// refusal is the error of RFC 6749 §4.1.2.1.
func (c Callback) refusal(query url.Values) *CallbackError {
	secrets := secret.Redactor{c.State.Reveal(), query.Get("code")}
	return &CallbackError{
		Reason:      CallbackRefused,
		Code:        oauth.CleanCode(query.Get("error"), secrets),
		Description: secrets.Clean(query.Get("error_description")),
	}
}

// noState is what is wrong with an answer that names no login.
const noState = "it has no state"

func (c Callback) stateProblem(got []string) string {
	switch {
	case len(got) == 0, len(got) == 1 && got[0] == "": // RFC 6749 §3.1
		return noState
	case len(got) > 1:
		return "parameter state is repeated"
	case c.State.IsZero() || !c.State.Equal(secret.New(got[0])):
		return "state is not the one that was sent"
	}
	return ""
}

// NewVerifier returns a code_verifier of 43 characters out of 256 random bits,
// as RFC 7636 §4.1 recommends. A new one is made for each login.
func NewVerifier() secret.Secret {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails; see crypto/rand
	return secret.New(base64.RawURLEncoding.EncodeToString(b[:]))
}

// S256Challenge returns the code_challenge of a verifier for the method S256
// (RFC 7636 §4.2). It is sent through the browser and gives nothing away.
func S256Challenge(verifier secret.Secret) string {
	sum := verifier.Sum()
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
