package openid

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
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

// jwks is a key set with the public halves of keys by kid.
func jwks(t testing.TB, keys map[string]crypto.Signer) string {
	t.Helper()
	var set gojose.JSONWebKeySet
	for id, key := range keys {
		set.Keys = append(set.Keys, gojose.JSONWebKey{Key: key.Public(), KeyID: id, Use: "sig"})
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sign is a token with a header and claims as they are written, signed with a key of any kind.
func sign(t testing.TB, alg gojose.SignatureAlgorithm, key any, kid, claims string) string {
	t.Helper()
	options := &gojose.SignerOptions{}
	if kid != "" {
		options.WithHeader("kid", kid)
	}
	signer, err := gojose.NewSigner(gojose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func mustJWT(t testing.TB, text string) *jose.JWT {
	t.Helper()
	j, err := jose.ParseJWT(secret.New(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return j
}

func TestKeys(t *testing.T) {
	t.Parallel()
	key := newECKey(t)
	token := mustJWT(t, sign(t, gojose.ES256, key, "k1", `{}`))
	good := strings.TrimSuffix(jwks(t, map[string]crypto.Signer{"k1": key}), "]}")
	big := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\xFF", 64<<10)))
	many := strings.Repeat(`{"kty":"OKP","crv":"Ed25519","x":"AAAA"},`, 9_999)
	for name, body := range map[string]string{
		"one": good + "]}", "with others": good + `,5,{"kty":"new"}]}`,
		"with a huge one": good + `,{"kty":"RSA","e":"AQAB","n":"` + big + `"}]}`,
		"with a long kid": good + `,{"kty":"EC","kid":"` + strings.Repeat("k", 900<<10) + `"}]}`,
	} {
		s := serve(t, map[string]string{"/certs": body})
		set, err := s.issuer("").Keys(t.Context(), mustURL(t, s.URL+"/certs"), token)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := set.CheckSignature(token); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct{ body, want string }{
		"empty":             {"", "it is empty"},
		"no keys":           {"{}", "it is not a JWK set"},
		"of a kind":         {`{"keys":{}}`, "it is not a JWK set"},
		"list":              {"[]", "it is not a JSON object"},
		"page":              {"<html>", "it is a page (application/json), not a JSON object"},
		"huge":              {good + `],"x":"` + strings.Repeat("x", 1<<20) + `"}`, "it is larger than 1 MiB"},
		"kid of 1 MiB":      {good + `,{"kty":"EC","kid":"` + strings.Repeat("k", 1<<20) + `"}]}`, "it is larger than 1 MiB"},
		"none":              {`{"keys":[]}`, "it has no key that can be used here"},
		"unknown kinds":     {`{"keys":[{"kty":"AKP","kid":"k1"},{"kty":5},{}]}`, "it has no key that can be used here"},
		"modulus of 64 KiB": {`{"keys":[{"kty":"RSA","kid":"k1","e":"AQAB","n":"` + big + `"}]}`, "it has no key that can be used here"},
		"10,000 keys":       {`{"keys":[` + many + `{}]}`, "it has 10000 keys, more than 100"},
		"twice":             {good + `],"keys":[]}`, `it says "keys" twice`},
		"kid twice":         {good + `,{"kid":"a","kid":"b"}]}`, `it says "kid" twice`},
		"deep":              {good + `,` + strings.Repeat("[", 50) + strings.Repeat("]", 50) + `]}`, "it is nested too deep"},
	} {
		s := serve(t, map[string]string{"/certs": c.body})
		_, err := s.issuer("").Keys(t.Context(), mustURL(t, s.URL+"/certs"), token)
		if _, ok := errors.AsType[*oauth.ReplyError](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %T %.300v", name, err, err)
		}
	}
}

// TestUnknownKeyID asks for the keys once more, and not more often than once a minute.
func TestUnknownKeyID(t *testing.T) {
	t.Parallel()
	old, next, newer := newECKey(t), newECKey(t), newECKey(t)
	s := serve(t, map[string]string{"/certs": jwks(t, map[string]crypto.Signer{"old": old})})
	now := time.Date(2031, 4, 5, 12, 0, 0, 0, time.UTC)
	kept := memoryCache{}
	at := mustURL(t, s.URL+"/certs")
	for _, step := range []struct {
		name  string
		after time.Duration
		kid   string
		key   *ecdsa.PrivateKey
		asks  bool
		known bool
	}{
		{"first", 0, "old", old, true, true},
		{"again", time.Second, "old", old, false, true},
		{"unknown, at once", time.Second, "next", next, false, false},
		{"unknown, a minute later", time.Minute, "next", next, true, true},
		{"never there, at once", time.Second, "never", next, false, false},
		{"never there, later", time.Minute, "never", next, true, false},
		{"known, much later", 58 * time.Minute, "next", next, false, true},
		{"known, after an hour", 2 * time.Minute, "next", next, true, true},
		{"another under the same name", 2 * time.Minute, "next", newer, true, true},
		{"that one, later", 2 * time.Minute, "next", newer, false, true},
	} {
		now = now.Add(step.after)
		if step.name == "unknown, a minute later" {
			s.put("/certs", jwks(t, map[string]crypto.Signer{"next": next}))
		}
		if step.name == "another under the same name" {
			s.put("/certs", jwks(t, map[string]crypto.Signer{"next": newer}))
		}
		// Each is another process.
		issuer := &Issuer{Client: &oauth.Client{Now: func() time.Time { return now }}, Cache: kept}
		token := mustJWT(t, sign(t, gojose.ES256, step.key, step.kid, `{}`))
		set, err := issuer.Keys(t.Context(), at, token)
		if err != nil || (set.CheckSignature(token) == nil) != step.known || (s.took() != "") != step.asks {
			t.Errorf("%s: %v", step.name, err)
		}
	}
}

func FuzzKeys(f *testing.F) {
	key := newECKey(f)
	token := mustJWT(f, sign(f, gojose.ES256, key, "k1", `{}`))
	f.Add(jwks(f, map[string]crypto.Signer{"k1": key}))
	f.Add(`{"keys":[{"kty":"RSA","e":"AQAB","n":"AAAA"},{"kty":"EC","crv":"P-256","x":"","y":""}]}`)
	f.Add(`{"keys":[{"kty":"oct","k":"AAAA","kid":"k1","alg":"HS256"},{"kty":"OKP","crv":"Ed25519","x":"AAAA","kid":"k1"}]}`)
	f.Add(`{"keys":[{"kid":"k1","kid":"k1"}]}`)
	f.Fuzz(func(t *testing.T, document string) {
		set, problem := readKeys([]byte(document))
		if (set == nil) == (problem == "") || secret.Printable(problem) != problem {
			t.Fatalf("%q: %+v, %q", document, set, problem)
		}
		if set == nil {
			return
		}
		if err := set.CheckSignature(token); err != nil && secret.Printable(err.Error()) != err.Error() {
			t.Errorf("%q: %q", document, err)
		}
	})
}
