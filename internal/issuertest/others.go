package issuertest

import "testing"

// StartMock runs npm's oauth2-mock-server, which believes everybody but those of test/oauth2-mock-server/server.mjs.
func StartMock(t testing.TB) *Server {
	t.Helper()
	return startNode(t, "oauth2-mock-server", struct{}{})
}

// StartZitadel runs the example of github.com/zitadel/oidc; test/zitadel/main.go says whom it knows. The key is the
// one of the client "service", marshalled as a JWK (RFC 7517 §4).
func StartZitadel(t testing.TB, key any) *Server {
	t.Helper()
	return startBuilt(t, "zitadel-server", map[string]any{"key": key})
}

// StartFosite runs a server on github.com/ory/fosite; test/fosite/main.go says whom it knows. The key is the public one
// the client "signer" and of https://issuer.example, marshalled as a JWK (RFC 7517 §4).
func StartFosite(t testing.TB, key any) *Server {
	t.Helper()
	return startBuilt(t, "fosite-server", map[string]any{"key": key})
}
