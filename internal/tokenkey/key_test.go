package tokenkey_test

import (
	"testing"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/tokenkey"
)

// TestTextOfAKey holds the text whose digest names what is stored already: a key of before
// must stay what it is.
func TestTextOfAKey(t *testing.T) {
	t.Parallel()
	key := tokenkey.Key{
		Provider: "qmatic", TokenURL: "https://api.eu-west-1.qmatic.io/oauth2/token", Account: "mybankab", ClientID: "c",
		Grant: oauth.ClientCredentials, AuthMethod: "client_secret_basic", Scopes: []string{"b", "a", "b"},
	}
	const want = "authctl-key-v1\naccount 8 mybankab\naudience 0 \nauth_method 19 client_secret_basic\nclient_id 1 c\n" +
		"grant 18 client_credentials\nprovider 6 qmatic\nscope 1 a\nscope 1 b\n" +
		"token_url 44 https://api.eu-west-1.qmatic.io/oauth2/token\nuser 0 \n"
	if got := key.Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	other := key
	other.Issuer = "https://id.example"
	if key.Equal(other) {
		t.Error("an issuer makes no other key")
	}
	other = key
	other.Scopes = []string{"a", "b"}
	if !key.Equal(other) {
		t.Error("the order of the scopes makes another key")
	}
}
