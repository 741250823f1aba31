package oauth

import (
	"context"
	"net/http"
	"net/url"
)

// RevocationRequest asks a service to make a token invalid (RFC 7009 §2.1).
type RevocationRequest struct {
	// Endpoint is the revocation endpoint; see CheckEndpoint.
	Endpoint *url.URL
	// Auth is how the client authenticates, None for a public client.
	Auth ClientAuth
	// Token fetches the access token or refresh token.
	Token SecretFunc
	// Hint is token_type_hint, "access_token" or "refresh_token"; left out when empty.
	Hint string
	// Header holds further request headers.
	Header http.Header
	// SecretHeader holds further headers whose values are secret.
	SecretHeader map[string]SecretFunc
}

// Revoke makes a token invalid. A token that was not valid is a success for
// RFC 7009 §2.2, but an *Error where the service puts one into its 200. The
// errors are those of Call; an error leaves the token as it was, unless
// Ambiguous says otherwise. Asking twice does no harm, so that it repeats once
// after 429 and 503 (§2.2.1).
func (c *Client) Revoke(ctx context.Context, r RevocationRequest) error {
	_, err := c.tokenCall(ctx, r)
	return err
}

// tokenCall sends a token in a form, as revocation and introspection do.
func (c *Client) tokenCall(ctx context.Context, r RevocationRequest) (*Reply, error) {
	if err := CheckEndpoint(r.Endpoint); err != nil {
		return nil, err
	}
	switch {
	case r.Auth == nil:
		return nil, &RequestError{Problem: "no client authentication is set"}
	case r.Token == nil:
		return nil, &RequestError{Problem: "no token is set"}
	}
	return c.Call(ctx, CallRequest{
		Method: http.MethodPost, URL: r.Endpoint, Auth: r.Auth,
		Params:  url.Values{"token_type_hint": {r.Hint}},
		Secrets: map[string]SecretFunc{"token": r.Token},
		Header:  r.Header, SecretHeader: r.SecretHeader, Idempotent: true,
	})
}
