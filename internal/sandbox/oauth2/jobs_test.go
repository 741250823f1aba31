package oauth2_test

import (
	"testing"

	"github.com/authctl/authctl/internal/sandbox/oauth2"
	"github.com/authctl/authctl/internal/sandboxtest"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

func TestJobTokens(t *testing.T) {
	t.Parallel()
	w := start(t)
	const github, azure = "/openid/jobs/github?api-version=2.0", "/openid/jobs/azure?api-version=7.1&serviceConnectionId="
	right := "Bearer " + oauth2.RequestToken
	for name, row := range map[string]struct {
		call     sandboxtest.Call
		member   string
		audience string
	}{
		"github":          {sandboxtest.Get(github + "&audience=a%20b"), "value", "a b"},
		"github, default": {sandboxtest.Get(github), "value", "https://github.com/acme"},
		"azure":           {sandboxtest.Post(azure+oauth2.Connection, nil, nil), "oidcToken", oauth2.FederatedAudience},
	} {
		token := sandboxtest.Text(t, w.do(row.call.WithHeader("Authorization", right)).Fields(t)[row.member])
		signed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			t.Fatal(err)
		}
		var claims map[string]any
		if err := signed.Claims(w.keys("/openid/jobs/jwks"), &claims); err != nil || claims["aud"] != row.audience ||
			claims["iss"] != w.s.URL()+"/openid/jobs" {
			t.Errorf("%s: %v, %v", name, err, claims)
		}
	}
	document := w.do(sandboxtest.Get("/openid/jobs/.well-known/openid-configuration")).Fields(t)
	if document["issuer"] != w.s.URL()+"/openid/jobs" {
		t.Errorf("document %v", document)
	}
	for name, row := range map[string]struct {
		call   sandboxtest.Call
		status int
	}{
		"no right":           {sandboxtest.Get(github), 401},
		"wrong right":        {sandboxtest.Get(github).WithHeader("Authorization", "Bearer x"), 401},
		"no version":         {sandboxtest.Get("/openid/jobs/github").WithHeader("Authorization", right), 400},
		"no right at Azure":  {sandboxtest.Post(azure+oauth2.Connection, nil, nil), 401},
		"no such connection": {sandboxtest.Post(azure+"x", nil, nil).WithHeader("Authorization", right), 404},
		"GET at Azure":       {sandboxtest.Get(azure+oauth2.Connection).WithHeader("Authorization", right), 405},
	} {
		if got := w.do(row.call); got.Status != row.status {
			t.Errorf("%s: status %d, %s", name, got.Status, got.Body)
		}
	}
}
