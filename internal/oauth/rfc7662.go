package oauth

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// IntrospectionRequest asks a service what it knows of a token (RFC 7662 §2.1).
type IntrospectionRequest struct {
	// Endpoint is the introspection endpoint; see CheckEndpoint.
	Endpoint *url.URL
	// Auth is how the client authenticates.
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

// Introspect returns the reply, a JSON object as it came, and its active member
// (RFC 7662 §2.2). The strings in the object are remote text. The errors are
// those of Call, and *ReplyError when active is missing or no boolean.
func (c *Client) Introspect(ctx context.Context, r IntrospectionRequest) (json.RawMessage, bool, error) {
	reply, err := c.tokenCall(ctx, RevocationRequest(r))
	if err != nil {
		return nil, false, err
	}
	body, err := reply.Object()
	if err != nil {
		return nil, false, err
	}
	m, _ := parseObject(body)
	switch string(m["active"]) {
	case "true":
		return body, true, nil
	case "false":
		return body, false, nil
	}
	return nil, false, reply.unusable("it does not say if the token is active")
}
