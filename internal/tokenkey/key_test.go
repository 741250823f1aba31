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

// Scopes, parameters and the way a client shows who it is do not make another client.
func TestSameClient(t *testing.T) {
	t.Parallel()
	key := tokenkey.Key{
		Provider: "p", TokenURL: "u", Issuer: "i", Account: "a", ClientID: "c", Grant: "g", User: "x", Scopes: []string{"s"},
	}
	for name, row := range map[string]struct {
		change func(*tokenkey.Key)
		want   bool
	}{
		"itself":         {func(*tokenkey.Key) {}, true},
		"scopes":         {func(k *tokenkey.Key) { k.Scopes = nil }, true},
		"grant":          {func(k *tokenkey.Key) { k.Grant = "h" }, true},
		"provider":       {func(k *tokenkey.Key) { k.Provider = "q" }, false},
		"token endpoint": {func(k *tokenkey.Key) { k.TokenURL = "v" }, false},
		"issuer":         {func(k *tokenkey.Key) { k.Issuer = "j" }, false},
		"account":        {func(k *tokenkey.Key) { k.Account = "b" }, false},
		"client":         {func(k *tokenkey.Key) { k.ClientID = "d" }, false},
		"user":           {func(k *tokenkey.Key) { k.User = "y" }, false},
	} {
		other := key
		row.change(&other)
		if got := key.SameClient(other); got != row.want {
			t.Errorf("%s: %v, want %v", name, got, row.want)
		}
	}
}
