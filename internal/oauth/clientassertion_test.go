package oauth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/secret"
	gojose "github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
)

// TestAlgorithms signs with every kind of key, as each algorithm that the key can do.
func TestAlgorithms(t *testing.T) {
	t.Parallel()
	made := func(key crypto.Signer, err error) crypto.Signer {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	ec := func(curve elliptic.Curve) crypto.Signer { return made(ecdsa.GenerateKey(curve, rand.Reader)) }
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]crypto.Signer{
		"RSA": made(rsa.GenerateKey(rand.Reader, 2048)), "Ed25519": ed,
		"P-256": ec(elliptic.P256()), "P-384": ec(elliptic.P384()), "P-521": ec(elliptic.P521()),
	}
	for _, c := range []struct{ key, wanted, used string }{
		{"RSA", "", "RS256"},
		{"RSA", "RS256", "RS256"},
		{"RSA", "RS512", "RS512"},
		{"RSA", "PS256", "PS256"},
		{"RSA", "PS384", "PS384"},
		{"P-256", "", "ES256"},
		{"P-384", "", "ES384"},
		{"P-521", "", "ES512"},
		{"P-384", "ES384", "ES384"},
		{"Ed25519", "", "EdDSA"},
		{"Ed25519", "EdDSA", "EdDSA"},
		{"RSA", "ES256", ""},
		{"P-256", "RS256", ""},
		{"P-256", "ES384", ""},
		{"Ed25519", "ES256", ""},
		{"RSA", "HS256", ""},
		{"RSA", "none", ""},
	} {
		der, err := x509.MarshalPKCS8PrivateKey(keys[c.key])
		if err != nil {
			t.Fatal(err)
		}
		got, err := ask(t, func(r *TokenRequest) {
			r.Auth = PrivateKeyJWT{
				ClientID: "demo-client", Algorithm: c.wanted, Key: secretOf(base64.StdEncoding.EncodeToString(der)), KeyID: "k",
			}
		})
		if _, refused := errors.AsType[*jose.KeyError](err); refused != (c.used == "") || !refused && err != nil {
			t.Errorf("%s as %q: %v", c.key, c.wanted, err)
			continue
		}
		if c.used == "" {
			continue
		}
		jwt, header, _ := openJWT(t, got.Form.Get("client_assertion"))
		public, err := json.Marshal(gojose.JSONWebKey{Key: keys[c.key].Public(), KeyID: "k"})
		if err != nil {
			t.Fatal(err)
		}
		if err := jose.ParseKeySet([]json.RawMessage{public}).Verify(jwt, "demo-client"); err != nil || header["alg"] != c.used {
			t.Errorf("%s as %q: %v, %v", c.key, c.wanted, header, err)
		}
	}
}

// TestAssertionGrant is RFC 7523 §2.1 as the services want it that know it.
func TestAssertionGrant(t *testing.T) {
	t.Parallel()
	key := secretOf(keyText(t, newECKey(t)))
	for name, c := range map[string]struct {
		assertion Assertion
		auth      ClientAuth
		want      map[string]any // beside jti, iat and exp
		id        string
	}{
		"of a user": {
			Assertion{Issuer: "demo-client", Subject: "jane@example.com", Audience: "https://login.example", Key: key},
			None{ClientID: "demo-client"},
			map[string]any{"iss": "demo-client", "sub": "jane@example.com", "aud": "https://login.example"},
			"",
		},
		"for itself, its scope inside": {
			Assertion{Issuer: "robot", Audience: "https://login.example", Key: key, Scope: "https://x/a https://x/b&c"},
			None{},
			map[string]any{"iss": "robot", "aud": "https://login.example", "scope": "https://x/a https://x/b&c"},
			"",
		},
		"with claims of any kind": {
			Assertion{Issuer: "i", Subject: "s", Audience: "a", Key: key, Claims: map[string]any{
				"scope": "read", "nbf": 1, "roles": []any{"a", "b"}, "nested": map[string]any{"deep": true},
			}},
			Post{ClientID: "demo-client", Secret: secretOf(fakeSecret)},
			map[string]any{
				"iss": "i", "sub": "s", "aud": "a", "scope": "read", "nbf": 1.0, "roles": []any{"a", "b"},
				"nested": map[string]any{"deep": true},
			},
			"demo-client",
		},
	} {
		got, err := ask(t, func(r *TokenRequest) { r.Auth, r.Assertion = c.auth, &c.assertion })
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, _, claims := openJWT(t, got.Form.Get("assertion"))
		for _, own := range []string{"jti", "iat", "exp"} {
			if claims[own] == nil {
				t.Errorf("%s: without %s", name, own)
			}
			delete(claims, own)
		}
		if diff := cmp.Diff(c.want, claims); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got.Form.Get("client_id") != c.id || got.Form.Has("client_assertion") {
			t.Errorf("%s: client_id %q, and %v", name, got.Form.Get("client_id"), got.Form)
		}
	}
}

func TestClaimsGivenTwice(t *testing.T) {
	t.Parallel()
	key := secretOf(keyText(t, newECKey(t)))
	for claim, own := range map[string]Assertion{
		"iss": {Issuer: "i"}, "sub": {}, "aud": {}, "jti": {}, "iat": {}, "exp": {}, "scope": {Scope: "read"},
	} {
		own.Key, own.Claims = key, map[string]any{claim: "other", "x": "y"}
		_, err := ask(t, func(r *TokenRequest) { r.Auth, r.Assertion = None{}, &own })
		if e, ok := errors.AsType[*RequestError](err); !ok || !strings.Contains(e.Problem, "the claim "+claim+" is given beside") {
			t.Errorf("%s: %v", claim, err)
		}
	}
	a := Assertion{Key: key, Claims: map[string]any{"x": func() {}}}
	_, err := ask(t, func(r *TokenRequest) { r.Auth, r.Assertion = None{}, &a })
	if _, ok := errors.AsType[*RequestError](err); !ok {
		t.Errorf("a claim that is no JSON: %v", err)
	}
}

func TestSecretJWT(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		secret string
		warned bool
	}{
		{strings.Repeat("x", 31), true},
		{strings.Repeat("x", 32), false},
		{strings.Repeat("é", 16), false}, // octets, not letters
	} {
		s := serve(t, answerWith(200, "application/json", goodReply))
		client, _ := newClient(t)
		var warnings []string
		client.Warn = func(text string) { warnings = append(warnings, text) }
		r := machineRequest(endpointOf(t, s.URL))
		r.Auth = SecretJWT{ClientID: "demo-client", Secret: secretOf(c.secret), Audience: "https://id.example"}
		if _, err := client.Token(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		form := s.requests()[0].Form
		jwt := form.Get("client_assertion")
		signed, signature, _ := strings.Cut(jwt, ".")
		payload, signature, _ := strings.Cut(signature, ".")
		mac := hmac.New(sha256.New, []byte(c.secret))
		mac.Write([]byte(signed + "." + payload))
		if signature != base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) {
			t.Errorf("%s: the signature is wrong", c.secret)
		}
		_, header, claims := openJWT(t, jwt)
		if header["alg"] != "HS256" || claims["iss"] != "demo-client" || claims["sub"] != "demo-client" || claims["aud"] != "https://id.example" {
			t.Errorf("%v %v", header, claims)
		}
		if form.Get("client_assertion_type") != assertionType || form.Has("client_secret") {
			t.Errorf("form: %v", form)
		}
		if len(warnings) > 0 != c.warned || c.warned && strings.Contains(warnings[0], c.secret) {
			t.Errorf("%s: %q", c.secret, warnings)
		}
	}
}

func TestClientAssertion(t *testing.T) {
	t.Parallel()
	token := "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvOmFjbWUvd2lkZ2V0cyJ9.ZmFrZS1zaWduYXR1cmU"
	for name, c := range map[string]struct {
		auth ClientAssertion
		want string // of the error
	}{
		"a JWT":       {ClientAssertion{ClientID: "demo-client", Token: secretOf(token)}, ""},
		"opaque":      {ClientAssertion{ClientID: "demo-client", Token: secretOf("fake-opaque")}, ""},
		"two lines":   {ClientAssertion{ClientID: "demo-client", Token: secretOf("fake-a\nfake-b")}, "has blanks or bytes"},
		"with scheme": {ClientAssertion{ClientID: "demo-client", Token: secretOf("Bearer fake-a")}, "has blanks or bytes"},
		"empty":       {ClientAssertion{ClientID: "demo-client", Token: secretOf("")}, "the client assertion is empty"},
		"no id":       {ClientAssertion{Token: secretOf(token)}, "the client id is empty"},
		"no token":    {ClientAssertion{ClientID: "demo-client"}, "no client assertion is set"},
	} {
		got, err := ask(t, func(r *TokenRequest) { r.Auth = c.auth })
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "fake-") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		sent, _ := c.auth.Token(t.Context())
		if err != nil || got.Form.Get("client_assertion") != sent.Reveal() || got.Form.Get("client_id") != "demo-client" ||
			got.Form.Get("client_assertion_type") != assertionType || got.Header["Authorization"] != nil {
			t.Errorf("%s: %v, %v", name, got.Form, err)
		}
	}
}

// TestDryRunOfAssertions shows what each says, and nothing that would do as one.
func TestDryRunOfAssertions(t *testing.T) {
	t.Parallel()
	payload := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"repo:acme/widgets"}`))
	token := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`)) + "." + payload + ".ZmFrZS1zaWduYXR1cmU"
	left := func(context.Context) (secret.Secret, error) {
		return secret.Secret{}, errors.New("github:https://x is left alone in a dry run")
	}
	long := strings.Repeat("fake-secret/", 3)
	for name, c := range map[string]struct {
		auth    ClientAuth
		want    []string
		warning string
	}{
		"client_assertion": {
			ClientAssertion{ClientID: "a", Token: secretOf(token)},
			[]string{`client_assertion=[jwt {"alg":"RS256"} {"sub":"repo:acme/widgets"}, signature withheld]`},
			"",
		},
		"client_assertion, opaque": {ClientAssertion{ClientID: "a", Token: secretOf("fake-opaque")}, []string{`client_assertion=[secret 11]`}, ""},
		"client_assertion, not fetched": {
			ClientAssertion{ClientID: "a", Token: left},
			[]string{`client_assertion=[secret not fetched: github:https://x is left alone in a dry run]`},
			"",
		},
		"client_secret_jwt": {
			SecretJWT{ClientID: "a", Secret: secretOf(long)},
			[]string{`client_assertion=[jwt {"alg":"HS256","typ":"JWT"} {"iss":"a","sub":"a",`, "signature withheld]"},
			"",
		},
		"client_secret_jwt, not fetched": {
			SecretJWT{ClientID: "a", Secret: left},
			[]string{`client_assertion=[jwt {"alg":"HS256","typ":"JWT"} {"iss":"a"`},
			"client_secret is not fetched: github:https://x is left",
		},
	} {
		var dry DryRun
		var warnings string
		client := &Client{DryRun: &dry, Now: atNoon, Warn: func(text string) { warnings += text }}
		r := machineRequest(endpointOf(t, "https://id.example"))
		r.Auth = c.auth
		if _, err := client.Token(t.Context(), r); !errors.Is(err, ErrDryRun) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text := dry.kept[0].text(wordsWith(length))
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: without %q:\n%s", name, want, text)
			}
		}
		for _, canary := range []string{token, payload, "ZmFrZS1zaWduYXR1cmU", "fake-opaque", long} {
			if strings.Contains(text+warnings, canary) {
				t.Errorf("%s: %q is shown", name, canary)
			}
		}
		if (c.warning == "") != (warnings == "") || !strings.Contains(warnings, c.warning) {
			t.Errorf("%s: warned of %q", name, warnings)
		}
	}
}
