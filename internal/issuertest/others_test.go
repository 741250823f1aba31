package issuertest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/issuertest"
	"github.com/go-jose/go-jose/v4"
)

// TestServersDescribeThemselves: each server is there, and its own document (OpenID Connect Discovery 1.0 §4 or RFC 8414
// §3) names it and an endpoint that refuses a request without a grant.
func TestServersDescribeThemselves(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := jose.JSONWebKey{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}
	for name, start := range map[string]func(testing.TB) *issuertest.Server{
		"oidc-provider": func(t testing.TB) *issuertest.Server {
			return issuertest.StartOIDCProvider(t, issuertest.Config{Plain: true})
		},
		"oauth2-mock-server": issuertest.StartMock,
		"zitadel":            func(t testing.TB) *issuertest.Server { return issuertest.StartZitadel(t, public) },
		"fosite":             func(t testing.TB) *issuertest.Server { return issuertest.StartFosite(t, public) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			document := "/.well-known/openid-configuration"
			if path, ok := strings.CutPrefix(s.Issuer, s.URL); ok && path != "" {
				document = "/.well-known/oauth-authorization-server" + path
			}
			resp, err := http.Get(s.URL + document) //nolint:noctx // the server ends with the test
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var metadata struct {
				Issuer        string `json:"issuer"`
				TokenEndpoint string `json:"token_endpoint"`
			}
			if err := json.NewDecoder(resp.Body).Decode(&metadata); err != nil {
				t.Fatal(err)
			}
			if metadata.Issuer != s.Issuer {
				t.Errorf("the document is of %q, want %q", metadata.Issuer, s.Issuer)
			}
			got := post(t, metadata.TokenEndpoint, "", url.Values{"client_id": {"nobody"}})
			if got.Status < 400 || got.Status > 499 || got.Error == "" {
				t.Errorf("a request without a grant: status %d, error %q", got.Status, got.Error)
			}
			if n := s.TokenRequests("nobody"); n != 1 && name != "oauth2-mock-server" || s.TokenRequests() != 1 {
				t.Errorf("%d token requests of that client counted, want 1: %+v", n, s.Requests())
			}
		})
	}
}
