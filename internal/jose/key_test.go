package jose

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/secret"
)

func TestParseKeyForms(t *testing.T) {
	t.Parallel()
	key := newECKey(t, elliptic.P256())
	der := pkcs8DER(t, key)
	sec1, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pemText("PRIVATE KEY", der)
	bare := base64.StdEncoding.EncodeToString(der)
	for name, in := range map[string]string{
		"PEM":                text,
		"PEM with CRLF":      strings.ReplaceAll(text, "\n", "\r\n"),
		"PEM in one line":    strings.ReplaceAll(strings.TrimSpace(text), "\n", `\n`),
		"PEM with preamble":  "Bag Attributes\n  friendlyName: x\n\n" + text,
		"SEC 1":              pemText("EC PRIVATE KEY", sec1),
		"SEC 1 with curve":   pemText("EC PARAMETERS", []byte{6, 0}) + pemText("EC PRIVATE KEY", sec1),
		"bare":               bare,
		"bare, broken lines": bare[:64] + "\r\n" + bare[64:128] + "\n" + bare[128:] + "\n",
		"bare, no padding":   strings.TrimRight(bare, "="),
		"bare, URL alphabet": base64.URLEncoding.EncodeToString(der),
		"byte order mark":    "\uFEFF" + text,
		"old line breaks":    strings.ReplaceAll(text, "\n", "\r"),
		"zero width":         "\u200B" + strings.Replace(text, "\n", "\u2060\n", 1) + "\u00A0\n",
		"bare, with a mark":  "\uFEFF" + bare + "\u200B\r\n",
		"PEM in base64":      base64.StdEncoding.EncodeToString([]byte(text)),
	} {
		got, err := ParseKey(in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !key.Equal(got.signer) || got.algorithms[0] != "ES256" {
			t.Errorf("%s: another key, or algorithm %v", name, got.algorithms)
		}
	}
}

// pkcs8Of wraps key bytes in PKCS#8 with an EC curve of any OID.
func pkcs8Of(t *testing.T, algorithm, curve asn1.ObjectIdentifier) []byte {
	t.Helper()
	type identifier struct{ Algorithm, Curve asn1.ObjectIdentifier }
	inner, err := asn1.Marshal(struct {
		Version int
		Key     []byte
	}{1, make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	der, err := asn1.Marshal(struct {
		Version   int
		Algorithm identifier
		Key       []byte
	}{0, identifier{algorithm, curve}, inner})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestParseKeyErrors(t *testing.T) {
	t.Parallel()
	key := newECKey(t, elliptic.P256())
	der := pkcs8DER(t, key)
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecOID, koblitz := asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}, asn1.ObjectIdentifier{1, 3, 132, 0, 10}
	oldEncrypted := pem.EncodeToMemory(&pem.Block{
		Type: "EC PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED"}, Bytes: der,
	})
	for name, c := range map[string]struct{ in, want string }{
		"empty":             {"", "neither PEM nor base64"},
		"words":             {"fake-secret: not a key!", "neither PEM nor base64"},
		"random base64":     {base64.StdEncoding.EncodeToString([]byte("fake-secret-bytes")), "not a readable PKCS#8"},
		"cut short":         {base64.StdEncoding.EncodeToString(der[:len(der)-9]), "not a readable PKCS#8"},
		"damaged PEM":       {"-----BEGIN PRIVATE KEY-----\nfake-secret", "damaged PEM"},
		"encrypted":         {pemText("ENCRYPTED PRIVATE KEY", der), "is encrypted"},
		"encrypted, old":    {string(oldEncrypted), "is encrypted"},
		"public":            {pemText("PUBLIC KEY", public), "is a public key"},
		"public, bare":      {base64.StdEncoding.EncodeToString(public), "is a public key"},
		"certificate":       {pemText("CERTIFICATE", der), "is a certificate"},
		"OpenSSH":           {pemText("OPENSSH PRIVATE KEY", der), "not in PKCS#8"},
		"P-224":             {pemText("PRIVATE KEY", pkcs8DER(t, newECKey(t, elliptic.P224()))), "on a curve"},
		"unknown curve":     {pemText("PRIVATE KEY", pkcs8Of(t, ecOID, koblitz)), "on a curve"},
		"unknown algorithm": {pemText("PRIVATE KEY", pkcs8Of(t, koblitz, koblitz)), "kind that cannot sign"},
		"X25519":            {pemText("PRIVATE KEY", pkcs8DER(t, x25519)), "kind that cannot sign"},
		"small RSA":         {pemText("PRIVATE KEY", pkcs8DER(t, small)), "under 2048 bits"},
		"broken RSA":        {pemText("RSA PRIVATE KEY", der), "not readable as an RSA key"},
		"broken SEC 1":      {pemText("EC PRIVATE KEY", der), "not readable"},
	} {
		_, err := ParseKey(c.in)
		keyError, typed := errors.AsType[*KeyError](err)
		if !typed || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
			continue
		}
		if text := keyError.Problem + keyError.Hint; strings.Contains(text, "fake-secret") || strings.Contains(text, "MII") {
			t.Errorf("%s: the key is quoted: %s", name, text)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	der := pkcs8DER(f, key)
	f.Add(pemText("PRIVATE KEY", der))
	f.Add(base64.StdEncoding.EncodeToString(der))
	f.Add("-----BEGIN EC PARAMETERS-----\n-----END EC PARAMETERS-----\n")
	f.Add(`-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----`)
	f.Fuzz(func(t *testing.T, in string) {
		key, err := ParseKey(in)
		if err == nil {
			if key == nil || key.signer == nil || len(key.algorithms) == 0 {
				t.Errorf("%q: neither key nor error", in)
			}
			return
		}
		if _, typed := errors.AsType[*KeyError](err); !typed || len(err.Error()) > secret.MaxText || secret.CleanText(err.Error()) != err.Error() {
			t.Errorf("%q: %v", in, err)
		}
	})
}

// TestWrappedKeys are keys that stand in something else.
func TestWrappedKeys(t *testing.T) {
	t.Parallel()
	text := pemText("PRIVATE KEY", pkcs8DER(t, newECKey(t, elliptic.P256())))
	line := strings.ReplaceAll(text, "\n", `\n`)
	for in, want := range map[string]string{
		`"` + line + `"`:                        "is in quotes",
		"\uFEFF\"" + text + "\"\r\n":            "is in quotes",
		"'" + text + "'":                        "is in quotes",
		`{"private_key": "x"}`:                  "is inside JSON",
		`{"private_key": "` + line + `"`:        "is inside JSON",
		" {\n \"key\":\"" + line + "\"}":        "is inside JSON",
		`{"kty":"EC","crv":"P-256","d":"fake"}`: "is a JWK (RFC 7517)",
		`{"keys":[{"kty":"EC","d":"fake"}]}`:    "is a JWK (RFC 7517)",
	} {
		_, err := ParseKey(in)
		if e, ok := errors.AsType[*KeyError](err); !ok || e.Problem != want || e.Hint == "" {
			t.Errorf("%.20q…: %v", in, err)
		}
	}
}

// TestKeyAmongOthers reads keys that stand where services and tools put them.
func TestKeyAmongOthers(t *testing.T) {
	t.Parallel()
	own := newECKey(t, elliptic.P256())
	text := pemText("PRIVATE KEY", pkcs8DER(t, own))
	line := strings.ReplaceAll(text, "\n", `\n`)
	certificate := pemText("CERTIFICATE", []byte("fake"))
	for name, in := range map[string]string{
		"a Google service account":    `{"type": "service_account", "private_key_id": "fake", "private_key": "` + line + `", "token_uri": "https://x"}`,
		"JSON with a byte order mark": "\uFEFF{\"private_key\":\"" + line + "\"}\r\n",
		"behind a certificate":        certificate + text,
		"before a certificate":        text + certificate,
		"an openssl pkcs12 export":    "Bag Attributes\n    friendlyName: x\nsubject=CN = x\n" + certificate + "Bag Attributes\n" + text,
	} {
		key, err := ParseKey(in)
		if err != nil || !own.Equal(key.Signer()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseKey(certificate + certificate); err == nil || err.Error() != "the private key is a certificate" {
		t.Errorf("certificates alone: %v", err)
	}
}

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

// TestLeadingZeros looks for a signature whose r or s begins with a zero byte,
// which a signer that drops it would get wrong once in about 128 times.
func TestLeadingZeros(t *testing.T) {
	t.Parallel()
	key := newECKey(t, elliptic.P256())
	parsed, err := ParseKey(base64.StdEncoding.EncodeToString(pkcs8DER(t, key)))
	if err != nil {
		t.Fatal(err)
	}
	for range 20_000 {
		jwt, err := parsed.Sign(Header{}, []byte(`{"jti":"`+rand.Text()+`"}`))
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
		key, err := ParseKey(pemText("PRIVATE KEY", pkcs8DER(t, c.key)))
		if err != nil {
			t.Fatal(err)
		}
		jwt, err := key.Sign(Header{Algorithm: c.wanted}, []byte(`{"iss":"a"}`))
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
