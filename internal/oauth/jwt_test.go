package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/secret"
	"github.com/go-jose/go-jose/v4"
)

// unsigned is a token with these parts and a signature of no worth.
func unsigned(header, claims string) string {
	e := base64.RawURLEncoding.EncodeToString
	return e([]byte(header)) + "." + e([]byte(claims)) + "." + e([]byte("fake-signature"))
}

// sign makes a token with the algorithm and kid given.
func sign(t testing.TB, alg jose.SignatureAlgorithm, key any, kid, claims string) string {
	t.Helper()
	options := &jose.SignerOptions{}
	if kid != "" {
		options.WithHeader("kid", kid)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign([]byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func mustJWT(t testing.TB, text string) *JWT {
	t.Helper()
	j, err := ParseJWT(secret.New(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return j
}

func TestParseJWT(t *testing.T) {
	t.Parallel()
	const header, claims = `{"kid":"k1","alg":"ES256"}`, `{"z":1,"iss":"https://id.example","aud":"a","exp":1933156800,"iat":1.5e3,"nbf":"5","sub":7}`
	j := mustJWT(t, unsigned(header, claims)+"\n")
	if string(j.Header) != header || string(j.Claims) != claims || j.Algorithm() != "ES256" || j.KeyID() != "k1" || j.Text("iss") != "https://id.example" || j.Text("sub") != "" {
		t.Errorf("%s %s", j.Header, j.Claims)
	}
	if text := fmt.Sprintf("%v %+v", j, *j); strings.Contains(text, "fake-signature") || strings.Contains(text, base64.RawURLEncoding.EncodeToString([]byte("fake-signature"))) {
		t.Errorf("the token is shown: %s", text)
	}
}

func TestNotJWT(t *testing.T) {
	t.Parallel()
	good := unsigned(`{"alg":"ES256"}`, `{}`)
	for name, text := range map[string]string{
		"empty": "", "opaque": "fake-token", "three words": "a.b.c", "two parts": good[:strings.LastIndex(good, ".")],
		"five parts": good + ".a.b", "padding": strings.Replace(good, ".", "=.", 1), "header is a list": unsigned(`[]`, `{}`),
		"claims are text": unsigned(`{"alg":"ES256"}`, `x`), "claims are no JSON": unsigned(`{"alg":"ES256"}`, `{x}`), "no alg": unsigned(`{}`, `{}`),
		"alg of a kind": unsigned(`{"alg":5}`, `{}`), "not UTF-8": unsigned(`{"alg":"ES256"}`, "{\"a\":\"\x9b2J\"}"),
		"two claims sets": unsigned(`{"alg":"ES256"}`, `{}{}`), "huge": unsigned(`{"alg":"ES256"}`, `{"a":"`+strings.Repeat("a", maxTokenSize)+`"}`),
	} {
		if j, err := ParseJWT(secret.New(text)); !errors.Is(err, ErrNotJWT) || j != nil {
			t.Errorf("%s: %+v, %v", name, j, err)
		}
	}
}

func TestCheckNonce(t *testing.T) {
	t.Parallel()
	for claims, want := range map[string]string{
		`{"nonce":"fake-nonce"}`: "", `{"nonce":"fake-other"}`: "not the one that was sent", `{}`: "has no nonce", `{"nonce":["fake-nonce"]}`: "has no nonce",
	} {
		err := CheckNonce(secret.New(unsigned(`{"alg":"ES256"}`, claims)), secret.New("fake-nonce"))
		if want == "" && err == nil {
			continue
		}
		if _, ok := errors.AsType[*JWTError](err); !ok || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "fake-") {
			t.Errorf("%s: %T %v", claims, err, err)
		}
	}
	if err := CheckNonce(secret.New("fake-opaque"), secret.New("fake-nonce")); !errors.Is(err, ErrNotJWT) {
		t.Errorf("opaque: %v", err)
	}
	if err := CheckNonce(secret.New(unsigned(`{"alg":"ES256"}`, `{"nonce":""}`)), secret.Secret{}); err == nil {
		t.Error("an empty nonce matches")
	}
}

// keyDocument is a JWK set of the keys given.
func keyDocument(t testing.TB, keys ...jose.JSONWebKey) string {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestKeys(t *testing.T) {
	t.Parallel()
	ec := newECKey(t, elliptic.P256())
	good := strings.TrimSuffix(keyDocument(t, jose.JSONWebKey{Key: ec.Public(), KeyID: "k1", Use: "sig"}), "]}")
	secret, err := json.Marshal(jose.JSONWebKey{Key: ec, KeyID: "private"})
	if err != nil {
		t.Fatal(err)
	}
	encryption, err := json.Marshal(jose.JSONWebKey{Key: ec.Public(), KeyID: "enc", Use: "enc"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"one":    {good + "]}", 1},
		"others": {good + `,{"kty":"oct","k":"ZmFrZQ","kid":"o"},{"kty":"new"},5,{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},{"kty":"RSA","n":"AQAB","e":"AQAB"},` + string(secret) + "," + string(encryption) + "]}", 1},
		"crowd":  {`{"keys":[` + strings.Repeat(strings.TrimPrefix(good, `{"keys":[`)+",", 150) + "{}]}", maxKeys},
	} {
		s := serveAPI(t, answerWith(200, "application/jwk-set+json", c.body))
		client, _ := newClient(t)
		set, err := client.Keys(t.Context(), mustURL(t, s.URL+"/certs"))
		if err != nil || len(set.keys) != c.want {
			t.Errorf("%s: %+v, %v", name, set, err)
		}
	}
	for name, c := range map[string]struct{ body, want string }{
		"empty":         {"", "it is empty"},
		"no keys":       {"{}", "it is not a JWK set"},
		"of a kind":     {`{"keys":{}}`, "it is not a JWK set"},
		"list":          {"[]", "it is not a JSON object"},
		"page":          {"<html>", "it is a page (application/json), not a JSON object"},
		"huge":          {good + `],"x":"` + strings.Repeat("x", maxReply) + `"}`, "it is larger than 1 MiB"},
		"none":          {`{"keys":[]}`, "it has no key that can be used here"},
		"unknown kinds": {`{"keys":[{"kty":"AKP","kid":"k1"},{"kty":5},{}]}`, "it has no key that can be used here"},
	} {
		s := serveAPI(t, answerWith(200, "application/json", c.body))
		client, _ := newClient(t)
		_, err := client.Keys(t.Context(), mustURL(t, s.URL+"/certs"))
		if _, ok := errors.AsType[*ReplyError](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %T %v", name, err, err)
		}
	}
}

// setOf is the key set as the client reads it.
func setOf(t testing.TB, keys ...jose.JSONWebKey) *KeySet {
	t.Helper()
	var document struct{ Keys []json.RawMessage }
	if err := json.Unmarshal([]byte(keyDocument(t, keys...)), &document); err != nil {
		t.Fatal(err)
	}
	return parseKeySet(document.Keys)
}

func TestVerify(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[jose.SignatureAlgorithm]crypto.Signer{
		jose.ES256: newECKey(t, elliptic.P256()), jose.ES512: newECKey(t, elliptic.P521()), jose.RS256: rsaKey, jose.PS384: rsaKey, jose.EdDSA: edKey,
	}
	const claims = `{"iss":"https://id.example","exp":1}`
	var all []jose.JSONWebKey
	for alg, key := range keys {
		all = append(all, jose.JSONWebKey{Key: key.Public(), KeyID: string(alg), Algorithm: string(alg)})
	}
	set := setOf(t, all...)
	for alg, key := range keys {
		if err := set.Verify(mustJWT(t, sign(t, alg, key, string(alg), claims)), "https://id.example"); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
	ec := keys[jose.ES256].(*ecdsa.PrivateKey)
	one := setOf(t, jose.JSONWebKey{Key: ec.Public(), KeyID: "ES256"})
	if err := one.Verify(mustJWT(t, sign(t, jose.ES256, ec, "", claims)), "https://id.example"); err != nil {
		t.Errorf("no kid, one key: %v", err)
	}
	signed := sign(t, jose.ES256, ec, "ES256", claims)
	parts := strings.Split(signed, ".")
	changed := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(claims, "1", "9", 1))) + "." + parts[2]
	der, err := ec.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	critical := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{"kid": "ES256", "b64": true, "crit": []string{"b64"}}}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: ec}, critical)
	if err != nil {
		t.Fatal(err)
	}
	object, err := s.Sign([]byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	criticalText, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		set          *KeySet
		token, issue string
		want         string
	}{
		"changed":           {set, changed, "https://id.example", "signature is wrong"},
		"another key":       {set, sign(t, jose.ES256, newECKey(t, elliptic.P256()), "ES256", claims), "https://id.example", "signature is wrong"},
		"unknown kid":       {set, sign(t, jose.ES256, ec, "k\x1b9", claims), "https://id.example", `fits the token's kid "k 9"`},
		"no kid, many keys": {set, sign(t, jose.ES256, ec, "", claims), "https://id.example", "no key of the service fits"},
		"kid of another":    {set, sign(t, jose.ES256, ec, "RS256", claims), "https://id.example", "no key of the service fits"},
		"no keys":           {&KeySet{}, signed, "https://id.example", "no key of the service fits"},
		"none":              {set, strings.TrimSuffix(unsigned(`{"alg":"none","kid":"ES256"}`, claims), "ZmFrZS1zaWduYXR1cmU"), "https://id.example", `not accepted: "none"`},
		"public key as MAC": {one, sign(t, jose.HS256, der, "ES256", claims), "https://id.example", `not accepted: "HS256"`},
		"another issuer":    {set, signed, "https://other.example", `issuer is "https://id.example", not "https://other.example"`},
		"no issuer wanted":  {set, signed, "", "the token's issuer is"},
		"no issuer":         {set, sign(t, jose.ES256, ec, "ES256", `{}`), "", "the token's issuer is"},
		"critical header":   {set, criticalText, "https://id.example", "extensions that are not known"},
	} {
		err := c.set.Verify(mustJWT(t, c.token), c.issue)
		if _, ok := errors.AsType[*JWTError](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %T %v", name, err, err)
		}
	}
}

func FuzzJWT(f *testing.F) {
	f.Add(unsigned(`{"alg":"ES256","kid":"k"}`, `{"exp":1,"aud":["a"],"nonce":"n"}`))
	f.Add(unsigned(`{"alg":"none","crit":[]}`, `{"exp":1e400,"aud":null}`))
	f.Add("a.b.c")
	set := setOf(f, jose.JSONWebKey{Key: newECKey(f, elliptic.P256()).Public(), KeyID: "k"})
	f.Fuzz(func(t *testing.T, text string) {
		j, err := ParseJWT(secret.New(text))
		if err != nil {
			if !errors.Is(err, ErrNotJWT) || j != nil {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if !json.Valid(j.Header) || !json.Valid(j.Claims) || j.Algorithm() == "" {
			t.Errorf("%q: %s %s", text, j.Header, j.Claims)
		}
		// Nobody here has the private key.
		if err := set.Verify(j, j.Text("iss")); err == nil || printable(err.Error()) != err.Error() {
			t.Errorf("%q: %v", text, err)
		}
	})
}
