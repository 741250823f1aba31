package issuertest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/issuertest"
	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
)

const (
	oddSecret = "fake+sec/ret%25:with space"
	readScope = "engage:appointments:readOnly"
	jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

type reply struct {
	Status    int    `json:"-"`
	Token     string `json:"access_token"`
	TokenType string `json:"token_type"`
	ExpiresIn int    `json:"expires_in"`
	Scope     string `json:"scope"`
	Error     string `json:"error"`
}

func post(t *testing.T, address, authorization string, form url.Values) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	r := reply{Status: resp.StatusCode}
	if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
		t.Fatalf("decoding the reply (status %d): %v", resp.StatusCode, err)
	}
	return r
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

func TestClientSecretBasicIsFormDecoded(t *testing.T) {
	t.Parallel()
	s := issuertest.StartOIDCProvider(t, issuertest.Config{
		Scopes:   []string{readScope},
		Lifetime: 120 * time.Second,
		Clients: []issuertest.Client{
			{ID: "odd client", Secret: oddSecret, AuthMethod: "client_secret_basic", Scope: readScope},
		},
	})
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {readScope}}

	got := post(t, s.TokenURL, basic("odd client", oddSecret), form)
	if got.Token == "" {
		t.Errorf("no access token in a reply with status %d", got.Status)
	}
	got.Token = ""
	want := reply{Status: 200, TokenType: "Bearer", ExpiresIn: 120, Scope: readScope}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reply (-want +got):\n%s", diff)
	}

	got = post(t, s.TokenURL, basic("odd client", "wrong"), form)
	if got.Status != 401 || got.Error != "invalid_client" {
		t.Errorf("a wrong secret: status %d, error %q; want 401, invalid_client", got.Status, got.Error)
	}
	if n := s.TokenRequests(); n != 2 {
		t.Errorf("%d token requests counted, want 2", n)
	}
}

func TestPrivateKeyJWT(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := jose.JSONWebKey{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}
	s := issuertest.StartOIDCProvider(t, issuertest.Config{
		Scopes: []string{readScope},
		Opaque: true,
		Clients: []issuertest.Client{{
			ID: "signer", AuthMethod: "private_key_jwt", Scope: readScope,
			JWKS: &issuertest.JWKS{Keys: []any{public}},
		}},
	})
	form := url.Values{
		"grant_type": {"client_credentials"}, "scope": {readScope},
		"client_assertion_type": {jwtBearer}, "client_assertion": {assertion(t, key, s.TokenURL)},
	}
	got := post(t, s.TokenURL, "", form)
	if got.Status != 200 || got.Scope != readScope || strings.Contains(got.Token, ".") {
		t.Errorf("status %d, scope %q, error %q; want 200, %q and an opaque token",
			got.Status, got.Scope, got.Error, readScope)
	}
	if got = post(t, s.TokenURL, "", form); got.Status != 401 {
		t.Errorf("the same assertion again: status %d, want 401", got.Status)
	}
	want := issuertest.Request{
		Method: "POST", Path: "/realms/acme/protocol/openid-connect/token", Auth: "private_key_jwt",
		Client: "signer", GrantType: "client_credentials", Status: 200,
	}
	if diff := cmp.Diff(want, s.Requests()[0]); diff != "" {
		t.Errorf("first request (-want +got):\n%s", diff)
	}
}

func TestFaultMeetsOneRequest(t *testing.T) {
	t.Parallel()
	s := issuertest.StartOIDCProvider(t, issuertest.Config{
		Clients: []issuertest.Client{{ID: "plain", Secret: "fake-secret", AuthMethod: "client_secret_basic"}},
	})
	s.Inject(issuertest.Fault{Path: "token", Status: http.StatusServiceUnavailable, Body: `{"error":"busy"}`})
	form := url.Values{"grant_type": {"client_credentials"}}
	for _, want := range []int{503, 200} {
		if got := post(t, s.TokenURL, basic("plain", "fake-secret"), form); got.Status != want {
			t.Errorf("status %d, want %d", got.Status, want)
		}
	}
}

func assertion(t *testing.T, key *ecdsa.PrivateKey, audience string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{
		Algorithm: jose.ES256,
		Key:       jose.JSONWebKey{Key: key, KeyID: "k1"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": "signer", "sub": "signer", "aud": audience, "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	})
	if err != nil {
		t.Fatal(err)
	}
	object, err := signer.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	text, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}
