package oauth2

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/providertest"
	"github.com/authctl/authctl/internal/secret"
	"github.com/go-jose/go-jose/v4"
)

// issuer is one whose ID tokens a test makes.
type issuer struct {
	*httptest.Server
	key      *rsa.PrivateKey
	document map[string]any
	// idToken makes one for a login, empty for none.
	idToken func(claims map[string]any) string
	nonce   string
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	i := &issuer{Server: httptest.NewServer(mux), key: key}
	t.Cleanup(i.Close)
	i.idToken = func(claims map[string]any) string { return i.sign(t, jose.RS256, key, claims) }
	i.document = map[string]any{
		"issuer": i.URL, "authorization_endpoint": i.URL + "/a", "token_endpoint": i.URL + "/t", "jwks_uri": i.URL + "/k",
	}
	answer := func(path string, body func() any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(body())
		})
	}
	answer("/.well-known/openid-configuration", func() any { return i.document })
	answer("/k", func() any {
		return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1"}}}
	})
	answer("/t", func() any {
		reply := map[string]any{"access_token": "fake-access", "token_type": "Bearer", "expires_in": 600}
		if token := i.idToken(i.claims()); token != "" {
			reply["id_token"] = token
		}
		return reply
	})
	return i
}

// claims are those of a good ID token.
func (i *issuer) claims() map[string]any {
	sum := secret.New("fake-access").Sum()
	now := time.Now().Unix()
	return map[string]any{
		"iss": i.URL, "aud": "demo", "sub": "jane", "iat": now, "exp": now + 300, "nonce": i.nonce,
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]),
	}
}

func (i *issuer) sign(t *testing.T, alg jose.SignatureAlgorithm, key any, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "k1"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// login logs a person in whose browser brings an answer, with settings beside those of every login.
func (i *issuer) login(t *testing.T, answer url.Values, more map[string]string) (oauth.Token, error) {
	t.Helper()
	settings := map[string]string{
		"issuer": i.URL, "client_id": "demo", "grant": "authorization_code", "client_auth": "none",
		"scopes": "openid", "pkce": "true", "keep": "id_token",
	}
	maps.Copy(settings, more)
	p, err := Spec().New(providertest.Settings(Spec(), settings), &oauth.Client{})
	if err != nil {
		t.Fatal(err)
	}
	answer.Set("code", "fake-code")
	return p.Login(t.Context(), providertest.WithBrowser("http://127.0.0.1:1/", func(address *url.URL) url.Values {
		i.nonce = address.Query().Get("nonce")
		answer.Set("state", address.Query().Get("state"))
		return answer
	}))
}

// TestLoginChecksTheIDToken has what an ID token of somebody else, of nobody, or of another login
// looks like: each login ends with the reason, and without the token.
func TestLoginChecksTheIDToken(t *testing.T) {
	t.Parallel()
	type claims = map[string]any
	changed := func(changes claims) func(*issuer) {
		return func(i *issuer) {
			i.idToken = func(all claims) string { maps.Copy(all, changes); return i.sign(t, jose.RS256, i.key, all) }
		}
	}
	unsigned := func(header string) func(*issuer) {
		return func(i *issuer) {
			i.idToken = func(all claims) string {
				text, _ := json.Marshal(all)
				e := base64.RawURLEncoding.EncodeToString
				return e([]byte(header)) + "." + e(text) + "."
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*issuer)
		want   string
	}{
		"good":                {func(*issuer) {}, ""},
		"none came":           {func(i *issuer) { i.idToken = func(claims) string { return "" } }, ""},
		"for another client":  {changed(claims{"aud": "other"}), `is for "other", not for this client`},
		"several without azp": {changed(claims{"aud": []string{"demo", "other"}}), "(azp)"},
		"another issuer":      {changed(claims{"iss": "https://evil.example\x1b[2J"}), `issuer is "https://evil.example [2J"`},
		"expired":             {changed(claims{"exp": 1_000_000_000}), "has expired"},
		"another login":       {changed(claims{"nonce": "fake-other"}), "nonce is not the one that was sent"},
		"another token":       {changed(claims{"at_hash": "fake-hash"}), "at_hash"},
		"none":                {unsigned(`{"alg":"none"}`), `algorithm is "none", which proves nothing`},
		"not a JWT":           {func(i *issuer) { i.idToken = func(claims) string { return "fake" } }, "is not a JWT"},
		"kid of 1 MiB": {
			func(i *issuer) {
				i.idToken = func(claims) string { return strings.Repeat("k", 1<<20) }
			}, "larger than",
		},
		"MAC of the public key": {func(i *issuer) {
			der, err := x509.MarshalPKIXPublicKey(i.key.Public())
			if err != nil {
				t.Fatal(err)
			}
			i.document["id_token_signing_alg_values_supported"] = []string{"RS256", "HS256"}
			i.idToken = func(all claims) string { return i.sign(t, jose.HS256, der, all) }
		}, `algorithm is "HS256", which proves nothing`},
		"not announced": {func(i *issuer) {
			i.idToken = func(all claims) string { return i.sign(t, jose.PS256, i.key, all) }
		}, `is "PS256", and the issuer announces RS256 alone`},
		"another's key": {func(i *issuer) {
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				t.Fatal(err)
			}
			i.idToken = func(all claims) string { return i.sign(t, jose.RS256, key, all) }
		}, "signature is wrong"},
		"keys that cannot be had": {func(i *issuer) { i.document["jwks_uri"] = i.URL + "/missing" }, "answered 404"},
		"no keys at all":          {func(i *issuer) { delete(i.document, "jwks_uri") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t)
			c.change(i)
			token, err := i.login(t, url.Values{}, nil)
			if c.want == "" {
				if err != nil || token.AccessToken.IsZero() {
					t.Errorf("%+v, %v", token, err)
				}
				return
			}
			failure, ok := errors.AsType[*providers.Failure](err)
			if !ok || !strings.Contains(err.Error(), c.want) || failure.Reason == providers.ReasonCredentials {
				t.Errorf("%T %v", err, err)
			}
			if text := err.Error(); secret.Printable(text) != text || strings.Contains(text, "fake-") {
				t.Errorf("shown raw: %q", text)
			}
		})
	}
}

// TestLoginNamesTheIssuer has answers of another server than the one that was asked (RFC 9207).
func TestLoginNamesTheIssuer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		says bool
		iss  string
		want string
	}{
		{false, "", ""},
		{false, "ours", ""},
		{true, "ours", ""},
		{false, "https://evil.example", `names another issuer (RFC 9207): "https://evil.example"`},
		{true, "", "names no issuer, and its document says that each does (RFC 9207)"},
	} {
		i := newIssuer(t)
		i.document["authorization_response_iss_parameter_supported"] = c.says
		answer := url.Values{}
		if c.iss != "" {
			answer.Set("iss", strings.Replace(c.iss, "ours", i.URL, 1))
		}
		_, err := i.login(t, answer, nil)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestLoginWithoutAnIssuer has the endpoints in the profile: nobody says who the issuer is or how it
// signs, and the rest is checked all the same.
func TestLoginWithoutAnIssuer(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	settings := map[string]string{
		"issuer": "-", "token_url": i.URL + "/t", "authorize_url": i.URL + "/a", "jwks_url": i.URL + "/k",
	}
	if _, err := i.login(t, url.Values{}, settings); err != nil {
		t.Error(err)
	}
	i.idToken = func(all map[string]any) string { all["aud"] = "other"; return i.sign(t, jose.PS256, i.key, all) }
	if _, err := i.login(t, url.Values{}, settings); err == nil || !strings.Contains(err.Error(), `for "other"`) {
		t.Errorf("for another client: %v", err)
	}
}
