package jose

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
		"two claims sets": unsigned(`{"alg":"ES256"}`, `{}{}`), "huge": unsigned(`{"alg":"ES256"}`, `{"a":"`+strings.Repeat("a", maxSize)+`"}`),
	} {
		if j, err := ParseJWT(secret.New(text)); !errors.Is(err, ErrNotJWT) || j != nil {
			t.Errorf("%s: %+v, %v", name, j, err)
		}
	}
}

func TestParseKeySet(t *testing.T) {
	t.Parallel()
	ec := newECKey(t, elliptic.P256())
	good := marshal(t, jose.JSONWebKey{Key: ec.Public(), KeyID: "k1", Use: "sig"})
	small, none := json.RawMessage(`{"kty":"RSA","n":"AQAB","e":"AQAB"}`), json.RawMessage(`{}`)
	for name, c := range map[string]struct {
		list []json.RawMessage
		want int
	}{
		"one": {[]json.RawMessage{good}, 1},
		"others": {[]json.RawMessage{
			good, json.RawMessage(`{"kty":"oct","k":"ZmFrZQ","kid":"o"}`), json.RawMessage(`{"kty":"new"}`), json.RawMessage(`5`),
			json.RawMessage(`{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`), small,
			marshal(t, jose.JSONWebKey{Key: ec, KeyID: "private"}), marshal(t, jose.JSONWebKey{Key: ec.Public(), KeyID: "enc", Use: "enc"}),
		}, 1},
		// Checking a signature with a modulus of 64 KiB takes minutes.
		"huge": {[]json.RawMessage{good, json.RawMessage(`{"kty":"RSA","e":"AQAB","n":"` +
			base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\xFF", 64<<10))) + `"}`)}, 1},
		"none": {[]json.RawMessage{none}, 0},
	} {
		if set := ParseKeySet(c.list); len(set.keys) != c.want || set.Empty() != (c.want == 0) {
			t.Errorf("%s: %+v", name, set)
		}
	}
}

// marshal is a key as a service writes it.
func marshal(t testing.TB, key jose.JSONWebKey) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// setOf is the key set as a client reads it.
func setOf(t testing.TB, keys ...jose.JSONWebKey) *KeySet {
	t.Helper()
	var list []json.RawMessage
	for _, key := range keys {
		list = append(list, marshal(t, key))
	}
	return ParseKeySet(list)
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
		if err := set.Verify(j, j.Text("iss")); err == nil || secret.CleanText(err.Error()) != err.Error() {
			t.Errorf("%q: %v", text, err)
		}
	})
}
