package openid

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/secret"
	gojose "github.com/go-jose/go-jose/v4"
)

// unsigned is a token with these claims and a signature of no worth.
func unsigned(claims string) string {
	e := base64.RawURLEncoding.EncodeToString
	return e([]byte(`{"alg":"ES256"}`)) + "." + e([]byte(claims)) + "." + e([]byte("fake-signature"))
}

func TestCheckNonce(t *testing.T) {
	t.Parallel()
	for claims, want := range map[string]string{
		`{"nonce":"fake-nonce"}`: "", `{"nonce":"fake-other"}`: "not the one that was sent", `{}`: "has no nonce", `{"nonce":["fake-nonce"]}`: "has no nonce",
	} {
		err := CheckNonce(secret.New(unsigned(claims)), secret.New("fake-nonce"))
		if want == "" && err == nil {
			continue
		}
		if _, ok := errors.AsType[*jose.JWTError](err); !ok || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "fake-") {
			t.Errorf("%s: %T %v", claims, err, err)
		}
	}
	if err := CheckNonce(secret.New("fake-opaque"), secret.New("fake-nonce")); !errors.Is(err, jose.ErrNotJWT) {
		t.Errorf("opaque: %v", err)
	}
	if err := CheckNonce(secret.New(unsigned(`{"nonce":""}`)), secret.Secret{}); err == nil {
		t.Error("an empty nonce matches")
	}
}

// login is a login that was just made: what its ID token has to be, and what it says.
func login() (IDToken, map[string]any) {
	access := secret.New("fake-access-token")
	sum := access.Sum()
	is := IDToken{
		Issuer: "https://id.example", ClientID: "demo", Nonce: secret.New("fake-nonce"), AccessToken: access,
		Algorithms: []string{"RS256", "ES256", "HS256", "none"}, Now: time.Unix(1_900_000_000, 0),
	}
	return is, map[string]any{
		"iss": "https://id.example", "sub": "jane", "aud": "demo", "exp": 1_900_000_300, "iat": 1_900_000_000,
		"nonce": "fake-nonce", "at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]),
	}
}

// with are claims with some of them changed; nil takes one away.
func with(claims, changes map[string]any) string {
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	text, _ := json.Marshal(claims)
	return string(text)
}

// TestIDTokenClaims changes one claim after the other.
func TestIDTokenClaims(t *testing.T) {
	t.Parallel()
	key := newECKey(t)
	keys, _ := readKeys([]byte(jwks(t, map[string]crypto.Signer{"k1": key})))
	type claims = map[string]any
	for name, c := range map[string]struct {
		change claims
		want   string
	}{
		"as it should be":         {nil, ""},
		"aud is a list":           {claims{"aud": []string{"demo"}}, ""},
		"for several, given":      {claims{"aud": []string{"other", "demo"}, "azp": "demo"}, ""},
		"azp":                     {claims{"azp": "demo"}, ""},
		"within the leeway":       {claims{"exp": 1_899_999_881, "iat": 1_900_000_119}, ""},
		"with fractions":          {claims{"exp": 1_900_000_300.5, "iat": 1.9e9}, ""},
		"no at_hash":              {claims{"at_hash": nil}, ""},
		"other claims":            {claims{"sub": 5, "acr": nil, "x": claims{"y": []int{1}}}, ""},
		"no sub":                  {claims{"sub": nil}, "no sub"},
		"sub empty":               {claims{"sub": ""}, "no sub"},
		"sub of a kind":           {claims{"sub": claims{}}, "no sub"},
		"another issuer":          {claims{"iss": "https://id.example/"}, `the ID token's issuer is "https://id.example/", not "https://id.example"`},
		"no issuer":               {claims{"iss": nil}, `issuer is ""`},
		"issuer of a kind":        {claims{"iss": []string{"https://id.example"}}, `issuer is ""`},
		"another client":          {claims{"aud": "other\x1b[2J"}, `the ID token is for "other [2J", not for this client`},
		"other clients":           {claims{"aud": []string{"a", "b"}}, `is for "a b", not for this client`},
		"nobody":                  {claims{"aud": nil}, "no aud"},
		"aud of a kind":           {claims{"aud": 5}, "no aud"},
		"aud empty":               {claims{"aud": []string{}}, "not for this client"},
		"several without azp":     {claims{"aud": []string{"demo", "other"}}, "does not say to whom it was given (azp)"},
		"given to another":        {claims{"aud": []string{"demo", "other"}, "azp": "other"}, `given to "other" (azp)`},
		"alone, given to other":   {claims{"azp": "other"}, `given to "other" (azp)`},
		"azp of a kind":           {claims{"azp": claims{}}, "azp"},
		"expired":                 {claims{"exp": 1_899_999_880}, "has expired"},
		"no exp":                  {claims{"exp": nil}, "no exp"},
		"exp of a kind":           {claims{"exp": "1900000300"}, "no exp"},
		"exp without end":         {claims{"exp": 1e300}, "no exp"},
		"exp negative":            {claims{"exp": -1}, "no exp"},
		"no iat":                  {claims{"iat": nil}, "no iat"},
		"iat to come":             {claims{"iat": 1_900_000_121}, "of a time to come"},
		"not yet":                 {claims{"nbf": 1_900_000_121}, "of a time to come"},
		"another nonce":           {claims{"nonce": "fake-other"}, "nonce is not the one that was sent"},
		"no nonce":                {claims{"nonce": nil}, "has no nonce"},
		"another access token":    {claims{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "at_hash"},
		"at_hash of a kind":       {claims{"at_hash": 5}, "at_hash"},
		"at_hash empty":           {claims{"at_hash": ""}, "at_hash"},
		"at_hash of whole length": {claims{"at_hash": strings.Repeat("A", 43)}, "at_hash"},
	} {
		is, all := login()
		err := is.Check(mustJWT(t, sign(t, gojose.ES256, key, "k1", with(all, c.change))), keys)
		checkProblem(t, name, err, c.want)
	}
	is, all := login()
	text := strings.Replace(with(all, nil), `{`, `{"aud":"other",`, 1)
	checkProblem(t, "aud twice", is.Check(mustJWT(t, sign(t, gojose.ES256, key, "k1", text)), keys), `it says "aud" twice`)
	is.Nonce, is.Issuer = secret.Secret{}, ""
	if err := is.Check(mustJWT(t, sign(t, gojose.ES256, key, "k1", with(all, claims{"nonce": nil, "iss": "https://x.example"}))), keys); err != nil {
		t.Errorf("neither nonce nor issuer known: %v", err)
	}
}

// checkProblem wants a *jose.JWTError with a text, or none for an empty one, which repeats no
// secret and can be shown.
func checkProblem(t *testing.T, name string, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return
	}
	_, ok := errors.AsType[*jose.JWTError](err)
	if !ok || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "fake-") || secret.Printable(err.Error()) != err.Error() {
		t.Errorf("%s: %T %v", name, err, err)
	}
}

// TestIDTokenSignature has what is signed by nobody, by others, and in ways that prove nothing.
func TestIDTokenSignature(t *testing.T) {
	t.Parallel()
	ec := newECKey(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, _ := readKeys([]byte(jwks(t, map[string]crypto.Signer{"ec": ec, "rsa": rsaKey, "ed": edKey})))
	is, all := login()
	claims := with(all, map[string]any{"at_hash": nil})
	der, err := x509.MarshalPKIXPublicKey(rsaKey.Public())
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	none := strings.TrimSuffix(strings.Replace(unsigned(claims), `eyJhbGciOiJFUzI1NiJ9`,
		base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)), 1), "ZmFrZS1zaWduYXR1cmU")
	for name, c := range map[string]struct {
		token     string
		announced []string
		want      string
	}{
		"ES256":                 {sign(t, gojose.ES256, ec, "ec", claims), is.Algorithms, ""},
		"RS256, by default":     {sign(t, gojose.RS256, rsaKey, "rsa", claims), nil, ""},
		"EdDSA":                 {sign(t, gojose.EdDSA, edKey, "ed", claims), []string{"EdDSA"}, ""},
		"not announced":         {sign(t, gojose.EdDSA, edKey, "ed", claims), []string{"RS256", "e\x1b"}, `is "EdDSA", and the issuer announces RS256 e alone`},
		"not the default":       {sign(t, gojose.ES256, ec, "ec", claims), nil, `is "ES256", and the issuer announces RS256 alone`},
		"none":                  {none, is.Algorithms, `algorithm is "none", which proves nothing`},
		"MAC of the public key": {sign(t, gojose.HS256, public, "rsa", claims), is.Algorithms, `algorithm is "HS256", which proves nothing`},
		"MAC of the DER":        {sign(t, gojose.HS256, der, "rsa", claims), is.Algorithms, `algorithm is "HS256", which proves nothing`},
		"another's key":         {sign(t, gojose.ES256, newECKey(t), "ec", claims), is.Algorithms, "signature is wrong"},
		"unknown kid":           {sign(t, gojose.ES256, ec, "new\x1b", claims), is.Algorithms, `no key of the service fits the token's kid "new"`},
		"no kid, several keys":  {sign(t, gojose.ES256, ec, "", claims), is.Algorithms, "no key of the service fits"},
		"key of another kind":   {sign(t, gojose.ES256, ec, "rsa", claims), is.Algorithms, "signature is wrong"},
		"changed":               {changed(sign(t, gojose.ES256, ec, "ec", claims)), is.Algorithms, "signature is wrong"},
	} {
		is.Algorithms = c.announced
		checkProblem(t, name, is.Check(mustJWT(t, c.token), keys), c.want)
	}
	is.Algorithms, is.AnyAlgorithm = nil, true
	checkProblem(t, "nobody announces", is.Check(mustJWT(t, sign(t, gojose.ES256, ec, "ec", claims)), keys), "")
	checkProblem(t, "none all the same", is.Check(mustJWT(t, none), keys), "proves nothing")
	checkProblem(t, "no keys at all", is.Check(mustJWT(t, unsigned(claims)), nil), "")
	checkProblem(t, "none without keys", is.Check(mustJWT(t, none), nil), "proves nothing")
	long := sign(t, gojose.ES256, ec, strings.Repeat("k", 1<<20), claims)
	if _, err := jose.ParseJWT(secret.New(long)); !errors.Is(err, jose.ErrNotJWT) {
		t.Errorf("kid of 1 MiB: %v", err)
	}
}

// changed is a token whose claims somebody has changed.
func changed(token string) string {
	parts := strings.Split(token, ".")
	claims, _ := base64.RawURLEncoding.DecodeString(parts[1])
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(claims), "jane", "eve", 1)))
	return strings.Join(parts, ".")
}

// FuzzIDToken has tokens that nobody signed: none is ever believed with keys, and without them no
// other than one for this login.
func FuzzIDToken(f *testing.F) {
	_, all := login()
	f.Add(`{"alg":"ES256","kid":"k1"}`, with(all, nil))
	f.Add(`{"alg":"ES256"}`, with(all, map[string]any{"aud": []string{"demo", "b"}, "exp": 1e300, "at_hash": 5}))
	f.Add(`{"alg":"none","crit":["b64"]}`, `{"iss":"https://id.example","iss":5,"aud":null}`)
	f.Add(`{"alg":"HS256"}`, `{"aud":["demo"],"azp":{},"iat":-1,"nonce":"\u001b"}`)
	keys, _ := readKeys([]byte(jwks(f, map[string]crypto.Signer{"k1": newECKey(f)})))
	f.Fuzz(func(t *testing.T, header, claims string) {
		e := base64.RawURLEncoding.EncodeToString
		j, err := jose.ParseJWT(secret.New(e([]byte(header)) + "." + e([]byte(claims)) + "." + e([]byte("fake-signature"))))
		if err != nil {
			return
		}
		is, _ := login()
		err = is.Check(j, keys)
		if _, ok := errors.AsType[*jose.JWTError](err); !ok || secret.Printable(err.Error()) != err.Error() {
			t.Errorf("%q, %q: %v", header, claims, err)
		}
		err = is.Check(j, nil)
		if err != nil && secret.Printable(err.Error()) != err.Error() {
			t.Errorf("%q, %q: shown raw: %v", header, claims, err)
		}
		var said struct {
			Issuer string `json:"iss"`
			Nonce  string `json:"nonce"`
		}
		_ = json.Unmarshal(j.Claims, &said)
		if err == nil && (said.Issuer != is.Issuer || !is.Nonce.Equal(secret.New(said.Nonce)) || j.Algorithm() == "none") {
			t.Errorf("%q, %q: believed", header, claims)
		}
	})
}
