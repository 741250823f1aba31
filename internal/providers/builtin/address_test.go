package builtin_test

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAddresses is what people paste where a name is asked for.
func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		service, address string
		want             map[string]string
	}{
		{"talkdesk", "https://acme.talkdeskid.com/oauth/token", map[string]string{"account": "acme", "region": "us"}},
		{"talkdesk", "https://ACME.talkdeskid.eu", map[string]string{"account": "acme", "region": "eu"}},
		{"talkdesk", "https://acme.talkdeskidca.com/login?x", map[string]string{"account": "acme", "region": "ca"}},
		{"talkdesk", "https://acme.talkdeskid.au:443/", map[string]string{"account": "acme", "region": "au"}},
		{"talkdesk", "https://a.acme.talkdeskid.eu", nil},
		{"talkdesk", "https://talkdeskid.eu", nil},
		{"talkdesk", "https://acme.talkdeskid.eu.evil.example", nil},
		{
			"pexip", "https://auth.development.pexipengage.com/realms/acme/protocol/openid-connect/token",
			map[string]string{"account": "acme", "environment": "development"},
		},
		{"pexip", "https://auth.pexipengage.com/realms/acme", map[string]string{"account": "acme", "environment": "production"}},
		{"pexip", "https://auth.pexipengage.com/", nil},
		{"pexip", "https://acme.pexipengage.com/realms/acme", nil},
		{"qmatic", "https://api.eu-west-1.qmatic.io/oauth2/token", map[string]string{"region": "eu-west-1"}},
		{"qmatic", "https://www.qmatic.io", nil},
	} {
		u, err := url.Parse(tt.address)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, service(t, tt.service).AtAddress(u)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.address, diff)
		}
	}
}
