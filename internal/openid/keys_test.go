package openid

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/oauth"
	gojose "github.com/go-jose/go-jose/v4"
)

func newECKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// serveKeys answers with a body, and returns where.
func serveKeys(t *testing.T, contentType, body string) *url.URL {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return mustURL(t, server.URL+"/certs")
}

func TestKeys(t *testing.T) {
	t.Parallel()
	key, err := json.Marshal(gojose.JSONWebKey{Key: newECKey(t).Public(), KeyID: "k1", Use: "sig"})
	if err != nil {
		t.Fatal(err)
	}
	good := `{"keys":[` + string(key)
	for name, body := range map[string]string{"one": good + "]}", "with others": good + `,5,{"kty":"new"}]}`} {
		if set, err := Keys(t.Context(), &oauth.Client{}, serveKeys(t, "application/jwk-set+json", body)); err != nil || set.Empty() {
			t.Errorf("%s: %+v, %v", name, set, err)
		}
	}
	for name, c := range map[string]struct{ body, want string }{
		"empty":         {"", "it is empty"},
		"no keys":       {"{}", "it is not a JWK set"},
		"of a kind":     {`{"keys":{}}`, "it is not a JWK set"},
		"list":          {"[]", "it is not a JSON object"},
		"page":          {"<html>", "it is a page (application/json), not a JSON object"},
		"huge":          {good + `],"x":"` + strings.Repeat("x", 1<<20) + `"}`, "it is larger than 1 MiB"},
		"none":          {`{"keys":[]}`, "it has no key that can be used here"},
		"unknown kinds": {`{"keys":[{"kty":"AKP","kid":"k1"},{"kty":5},{}]}`, "it has no key that can be used here"},
	} {
		_, err := Keys(t.Context(), &oauth.Client{}, serveKeys(t, "application/json", c.body))
		if _, ok := errors.AsType[*oauth.ReplyError](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %T %v", name, err, err)
		}
	}
}
