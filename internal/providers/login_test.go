package providers_test

import (
	"errors"
	"net/url"
	"testing"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
)

// TestIssuerOfTheAnswer: an answer that names its issuer (RFC 9207) is taken from the
// service that was asked only. Those that pass fail later, at the token endpoint.
func TestIssuerOfTheAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		authorize, issuer string
		foreign           bool
	}{
		{"https://acme.talkdeskid.com/oauth/authorize", "https://acme.talkdeskid.com", false},
		{"https://acme.talkdeskid.com/oauth/authorize", "https://www.talkdeskid.com", false},
		{"https://acme.talkdeskid.com/oauth/authorize", "http://www.talkdeskid.com", true},
		{"https://acme.talkdeskid.com/oauth/authorize", "https://www.talkdeskid.eu", true},
		{"https://acme.talkdeskid.com/oauth/authorize", "https://talkdeskid.com.evil.example", true},
		{"https://host.example/oauth/authorize", "https://other.example", true},
		{"http://127.0.0.1:1/oauth/authorize", "http://127.0.0.1:1", false},
		{"http://127.0.0.1:1/oauth/authorize", "https://9.0.0.1", true},
		{"https://acme.talkdeskid.com/oauth/authorize", "not a URL", true},
	} {
		authorize, err := url.Parse(c.authorize)
		if err != nil {
			t.Fatal(err)
		}
		flow := providers.CodeFlow{
			Token:     &providers.TokenEndpoint{Peer: providers.Peer{Service: "Fake", Client: &oauth.Client{}}},
			Authorize: authorize, ClientID: "c",
		}
		login := &providers.Login{RedirectURI: "http://127.0.0.1:2/callback", State: oauth.NewSecret("fake-state")}
		_, err = flow.Finish(t.Context(), login, url.Values{
			"state": {"fake-state"}, "code": {"fake-code"}, "iss": {c.issuer},
		})
		failure, ok := errors.AsType[*providers.Failure](err)
		if foreign := ok && failure.Reason == providers.ReasonProtocol; foreign != c.foreign {
			t.Errorf("%s, answered by %q: %v", c.authorize, c.issuer, err)
		}
	}
}
