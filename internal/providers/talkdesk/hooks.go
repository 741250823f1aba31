package talkdesk

import (
	"net/url"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
)

// plainScope decodes the scope of a reply, which the vendor's page calls "URL
// encoded". What cannot be decoded stays as it came.
func plainScope(token oauth.Token) oauth.Token {
	joined := strings.Join(token.Scope, " ")
	if !strings.ContainsAny(joined, "%+") {
		return token
	}
	if decoded, err := url.QueryUnescape(joined); err == nil {
		token.Scope = oauth.SplitScope(decoded)
	}
	return token
}
