package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newECKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func pkcs8DER(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func pemText(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

// openJWT splits a JWS and decodes its parts.
func openJWT(t *testing.T, jwt string) (header, claims map[string]any, signed, signature []byte) {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts in %q", len(parts), jwt)
	}
	for i, to := range []*map[string]any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, to); err != nil {
			t.Fatal(err)
		}
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	return header, claims, []byte(parts[0] + "." + parts[1]), signature
}

// verifyES256 checks a signature by RFC 7518 §3.4: r and s, 32 bytes each.
func verifyES256(t *testing.T, key *ecdsa.PublicKey, signed, signature []byte) {
	t.Helper()
	if len(signature) != 64 {
		t.Fatalf("the signature has %d bytes, want 64", len(signature))
	}
	digest := sha256.Sum256(signed)
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if !ecdsa.Verify(key, digest[:], r, s) {
		t.Error("the signature does not verify")
	}
}

func TestPrivateKeyJWT(t *testing.T) {
	t.Parallel()
	key := newECKey(t, elliptic.P256())
	auth := PrivateKeyJWT{
		ClientID: "demo-client", KeyID: "k1", Lifetime: 5 * time.Minute,
		Key: secretOf(base64.StdEncoding.EncodeToString(pkcs8DER(t, key))),
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
	header, claims, signed, signature := openJWT(t, got.Form.Get("client_assertion"))
	verifyES256(t, &key.PublicKey, signed, signature)
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
	key := secretOf(pemText("PRIVATE KEY", pkcs8DER(t, newECKey(t, elliptic.P256()))))
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
		header, claims, _, _ := openJWT(t, got.Form.Get("client_assertion"))
		if _, has := header["kid"]; has || got.Form.Has("client_id") {
			t.Errorf("%s: kid or client_id is sent unasked", c.name)
		}
		if life := claims["exp"].(float64) - claims["iat"].(float64); life != c.lifetime || claims["aud"] != c.audience {
			t.Errorf("%s: lives %v s for %v", c.name, life, claims["aud"])
		}
	}
}

// TestLeadingZeros looks for a signature whose r or s begins with a zero byte,
// which a signer that drops it would get wrong once in about 128 times.
func TestLeadingZeros(t *testing.T) {
	t.Parallel()
	key := newECKey(t, elliptic.P256())
	text := base64.StdEncoding.EncodeToString(pkcs8DER(t, key))
	for range 20_000 {
		jwt, err := (PrivateKeyJWT{ClientID: "a"}).sign(text, assertionClaims{ID: newID()})
		if err != nil {
			t.Fatal(err)
		}
		_, _, signed, signature := openJWT(t, jwt)
		if len(signature) == 64 && signature[0] != 0 && signature[32] != 0 {
			continue
		}
		verifyES256(t, &key.PublicKey, signed, signature)
		return
	}
	t.Error("no r or s with a leading zero byte was met")
}

func TestSignatureAlgorithms(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		key        crypto.Signer
		wanted, is string
	}{
		{newECKey(t, elliptic.P256()), "", "ES256"},
		{newECKey(t, elliptic.P384()), "", "ES384"},
		{newECKey(t, elliptic.P521()), "", "ES512"},
		{rsaKey, "", "RS256"},
		{rsaKey, "PS256", "PS256"},
		{edKey, "", "EdDSA"},
		{rsaKey, "ES256", ""},
		{edKey, "none", ""},
		{newECKey(t, elliptic.P256()), "HS256", ""},
	} {
		p := PrivateKeyJWT{ClientID: "a", Algorithm: c.wanted}
		jwt, err := p.sign(pemText("PRIVATE KEY", pkcs8DER(t, c.key)), assertionClaims{})
		if c.is == "" {
			if _, typed := errors.AsType[*KeyError](err); !typed {
				t.Errorf("%T with %s: %v", c.key, c.wanted, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.is, err)
			continue
		}
		header, _, signed, signature := openJWT(t, jwt)
		if header["alg"] != c.is {
			t.Errorf("alg is %v, want %s", header["alg"], c.is)
		}
		digest := sha256.Sum256(signed)
		if c.is == "RS256" && rsa.VerifyPKCS1v15(&rsaKey.PublicKey, crypto.SHA256, digest[:], signature) != nil {
			t.Error("the RS256 signature does not verify")
		}
	}
}
