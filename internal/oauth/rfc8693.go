package oauth

import (
	"net/url"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/secret"
)

// tokenTypes is what the token types of RFC 8693 §3 begin with.
const tokenTypes = "urn:ietf:params:oauth:token-type:"

// TokenTypes are the short names of the token types of RFC 8693 §3: the last word of each URN.
func TokenTypes() []string {
	return []string{"access_token", "refresh_token", "id_token", "saml1", "saml2", "jwt"}
}

// TokenType returns the URI of a token type (RFC 8693 §3): of one of TokenTypes, or the URI that
// it is already; empty stays empty. The error is a *RequestError.
func TokenType(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	if slices.Contains(TokenTypes(), name) {
		return tokenTypes + name, nil
	}
	if u, err := url.Parse(name); err != nil || u.Scheme == "" || u.Opaque+u.Host+u.Path == "" || !secret.IsVisible(name) {
		return "", &RequestError{
			Problem: "the token type is no URI",
			Hint:    "write one of " + strings.Join(TokenTypes(), ", ") + ", or a URI as the service documents it",
		}
	}
	return name, nil
}

// ShortTokenType returns a token type as one of TokenTypes where it is one, else as it is.
func ShortTokenType(uri string) string {
	if short, ok := strings.CutPrefix(uri, tokenTypes); ok && slices.Contains(TokenTypes(), short) {
		return short
	}
	return uri
}
