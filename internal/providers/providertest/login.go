package providertest

import (
	"context"
	"net/url"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
)

// Answering is a person whose browser brings an answer to a login, with the login's own state.
func Answering(redirectURI string, answer url.Values) providers.Interaction {
	return WithBrowser(redirectURI, func(address *url.URL) url.Values {
		answer.Set("state", address.Query().Get("state"))
		return answer
	})
}

// WithBrowser is a person whose browser goes to an address, and returns the query it comes
// back with.
func WithBrowser(redirectURI string, browse func(address *url.URL) url.Values) providers.Interaction {
	var answer url.Values
	return providers.Interaction{
		RedirectURI: redirectURI,
		OpenURL: func(_ context.Context, address *url.URL) error {
			answer = browse(address)
			return nil
		},
		AwaitRedirect: func(ctx context.Context, redeem func(context.Context, url.Values) (oauth.Token, error)) error {
			_, err := redeem(ctx, answer)
			return err
		},
	}
}
