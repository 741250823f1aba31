package oauth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/secret"
	gojose "github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
)

func newECKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// keyText is a key as bare base64 of PKCS#8.
func keyText(t testing.TB, key *ecdsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// openJWT decodes header and claims.
func openJWT(t *testing.T, text string) (jwt *jose.JWT, header, claims map[string]any) {
	t.Helper()
	jwt, err := jose.ParseJWT(secret.New(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(json.Unmarshal(jwt.Header, &header), json.Unmarshal(jwt.Claims, &claims)); err != nil {
		t.Fatal(err)
	}
	return jwt, header, claims
}

func TestPrivateKeyJWT(t *testing.T) {
	t.Parallel()
	key := newECKey(t)
	auth := PrivateKeyJWT{
		ClientID: "demo-client", KeyID: "k1", Lifetime: 5 * time.Minute,
		Key: secretOf(keyText(t, key)),
	}
	var endpoint *url.URL
	got, err := ask(t, func(r *TokenRequest) { r.Auth, endpoint = auth, r.Endpoint })
	if err != nil {
		t.Fatal(err)
	}
	if got.Header["Authorization"] != nil || auth.Method() != "private_key_jwt" {
		t.Errorf("Authorization is %q, method %q", got.Header["Authorization"], auth.Method())
	}
	if got.Form.Has("client_id") || got.Form.Get("client_assertion_type") != assertionType {
		t.Errorf("form: %v", got.Form)
	}
	jwt, header, claims := openJWT(t, got.Form.Get("client_assertion"))
	public, err := json.Marshal(gojose.JSONWebKey{Key: key.Public(), KeyID: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := jose.ParseKeySet([]json.RawMessage{public}).Verify(jwt, "demo-client"); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]any{"alg": "ES256", "kid": "k1", "typ": "JWT"}, header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	jti, _ := claims["jti"].(string)
	if len(jti) != 36 {
		t.Errorf("jti is %q", jti)
	}
	want := map[string]any{
		"iss": "demo-client", "sub": "demo-client", "aud": endpoint.String(), "jti": jti,
		"iat": float64(noon.Unix() - 5), "exp": float64(noon.Unix() + 295),
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
}

func TestAssertionVariants(t *testing.T) {
	t.Parallel()
	key := secretOf(keyText(t, newECKey(t)))
	for _, c := range []struct {
		name     string
		auth     PrivateKeyJWT
		audience string
		lifetime float64
	}{
		{"default", PrivateKeyJWT{ClientID: "a", Key: key}, "", 60},
		{"capped", PrivateKeyJWT{ClientID: "a", Key: key, Lifetime: time.Hour}, "", 300},
		{"another audience", PrivateKeyJWT{ClientID: "a", Key: key, Audience: "https://issuer.example", Lifetime: 30 * time.Second}, "https://issuer.example", 30},
	} {
		got, err := ask(t, func(r *TokenRequest) {
			r.Auth = c.auth
			if c.audience == "" {
				c.audience = r.Endpoint.String()
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		_, header, claims := openJWT(t, got.Form.Get("client_assertion"))
		if _, has := header["kid"]; has || got.Form.Has("client_id") {
			t.Errorf("%s: kid or client_id is sent unasked", c.name)
		}
		if life := claims["exp"].(float64) - claims["iat"].(float64); life != c.lifetime || claims["aud"] != c.audience {
			t.Errorf("%s: lives %v s for %v", c.name, life, claims["aud"])
		}
	}
}
