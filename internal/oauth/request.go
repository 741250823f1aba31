package oauth

import (
	"net/http"
	"net/url"
	"time"

	"github.com/authctl/authctl/internal/secret"
)

// TokenRequest is what is asked of a token endpoint (RFC 6749 §3.2).
type TokenRequest struct {
	// Endpoint is the token URL; see CheckEndpoint for what is accepted.
	Endpoint *url.URL
	// Auth is how the client authenticates, None for a public client.
	Auth ClientAuth
	// Params are form parameters that are no secret (grant_type, scope).
	// Empty values are not sent (RFC 6749 §3.2).
	Params url.Values
	// Secrets are the secret form parameters (password, refresh_token, code).
	// They are fetched when the request is built; a nil function is not sent,
	// an empty secret is a *RequestError.
	Secrets map[string]secret.Func
	// Assertion is the grant itself (RFC 7523 §2.1), signed when the request is built; nil
	// means none.
	Assertion *Assertion
	// Header holds further request headers.
	Header http.Header
	// SecretHeader holds further headers whose values are secret (x-api-key),
	// fetched like Secrets.
	SecretHeader map[string]secret.Func
	// Accept is the Accept header, "application/json" when empty.
	Accept string
	// Repeatable allows one more try after 429 or 503. Only a grant that spends
	// nothing may set it: client_credentials.
	Repeatable bool
	// MinRetryWait is the shortest pause before that second try.
	MinRetryWait time.Duration
	// AssumedLifetime is the token's where the reply gives no usable expires_in; 0 for none.
	AssumedLifetime time.Duration
}

// call is the request as any other, once what it has to be is checked.
func (r TokenRequest) call() (CallRequest, error) {
	if err := CheckEndpoint(r.Endpoint); err != nil {
		return CallRequest{}, err
	}
	if r.Auth == nil {
		return CallRequest{}, &RequestError{Problem: "no client authentication is set"}
	}
	return CallRequest{
		Method: http.MethodPost, URL: r.Endpoint, Auth: r.Auth, Params: r.Params, Secrets: r.Secrets,
		Assertion: r.Assertion, Header: r.Header, SecretHeader: r.SecretHeader, Accept: r.Accept,
		Idempotent: r.Repeatable, MinRetryWait: r.MinRetryWait,
	}, nil
}

// CallRequest is one request to an endpoint that is no token endpoint: one that
// takes an access token (RFC 6750 §2.1), one that takes the client's own
// credentials (RFC 7009, RFC 7662), or one that takes neither.
type CallRequest struct {
	// Method is the HTTP method, GET when empty.
	Method string
	// URL is checked like CheckEndpoint, but may have a query. The query is no
	// place for secrets.
	URL *url.URL
	// Auth is how the client authenticates; nil means not at all.
	Auth ClientAuth
	// Bearer fetches the access token for the Authorization header; nil means none.
	Bearer secret.Func
	// Scheme is written before the token, "Bearer" when empty. It is compared
	// without case (RFC 9110 §11.1), but not every service does so.
	Scheme string
	// Params are form parameters that are no secret; empty values are not sent.
	Params url.Values
	// Secrets are the secret form parameters; see TokenRequest.Secrets.
	Secrets map[string]secret.Func
	// Assertion is the form parameter assertion; see TokenRequest.Assertion.
	Assertion *Assertion
	// JSON is the body in the form's place, sent when it is not nil. Members are
	// string, bool, int, nil, a map like this one, and secret.Secret or secret.Func for
	// what is secret, which is revealed in the request alone; nil functions are
	// left out. Anything else is a *RequestError.
	JSON map[string]any
	// Header holds further request headers.
	Header http.Header
	// SecretHeader holds further headers whose values are secret.
	SecretHeader map[string]secret.Func
	// Accept is the Accept header, "application/json" when empty.
	Accept string
	// Success is what the reply has to look like.
	Success Success
	// RedirectTo is the one address that 301, 302, 303, 307 and 308 may lead to and be a
	// success, which is not followed; with the empty one they never are.
	RedirectTo string
	// Idempotent allows one more try after 429 (or what means it) and 503.
	Idempotent bool
	// MinRetryWait is the shortest pause before that second try.
	MinRetryWait time.Duration
}
