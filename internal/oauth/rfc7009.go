package oauth

import (
	"net/http"
	"net/url"

	"github.com/authctl/authctl/internal/secret"
)

// TokenForm is the request, but for its URL, that tells a revocation endpoint to
// make a token invalid (RFC 7009 §2.1), or asks an introspection endpoint what it
// knows of one (RFC 7662 §2.1): both take the same form. The hint is
// token_type_hint, "access_token" or "refresh_token", left out when empty. An empty
// token is Call's *RequestError.
//
// A token that was not valid is a success for RFC 7009 §2.2, but an *Error where
// the service puts one into its 200. Asking twice does no harm, so that Call repeats
// it once after 429 and 503 (§2.2.1).
func TokenForm(auth ClientAuth, token secret.Secret, hint string) CallRequest {
	return CallRequest{
		Method: http.MethodPost, Auth: auth, Idempotent: true,
		Params:  url.Values{"token_type_hint": {hint}},
		Secrets: map[string]secret.Func{"token": secret.Known(token)},
	}
}

// Revoked is the reply of RFC 7009 §2.2 as services give it: 200 or 204, and nothing in it.
func Revoked() Success {
	return Success{Status: []int{http.StatusOK, http.StatusNoContent}, Body: BodyNothing}
}

// Introspected is what RFC 7662 §2.2 wants of a reply: it says if the token is active.
func Introspected() Success {
	return Success{Values: map[string][]string{"active": {"true", "false"}}}
}
