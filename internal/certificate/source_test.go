package certificate

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/secret"
	"software.sslmate.com/src/go-pkcs12"
)

// made is a certificate with its key, of a root and an authority between.
type made struct {
	key                 crypto.Signer
	leaf, between, root *x509.Certificate
}

func makeChain(t testing.TB, key crypto.Signer) made {
	t.Helper()
	sign := func(name string, key crypto.Signer, parent *x509.Certificate, by crypto.Signer) *x509.Certificate {
		t.Helper()
		c := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: parent == nil, BasicConstraintsValid: true,
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		}
		if parent == nil {
			parent = c
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	rootKey, betweenKey := newKey(t), newKey(t)
	m := made{key: key, root: sign("root", rootKey, nil, rootKey)}
	m.between = sign("between", betweenKey, m.root, rootKey)
	m.leaf = sign("client", key, m.between, betweenKey)
	return m
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func pemOf(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

func keyPEM(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("PRIVATE KEY", der)
}

func (m made) pem(certificates ...*x509.Certificate) string {
	var b strings.Builder
	for _, c := range certificates {
		b.WriteString(pemOf("CERTIFICATE", c.Raw))
	}
	return b.String()
}

// p12 is the chain as PKCS#12.
func (m made) p12(t testing.TB, encoder *pkcs12.Encoder, password string) string {
	t.Helper()
	der, err := encoder.Encode(m.key, m.leaf, []*x509.Certificate{m.between}, password)
	if err != nil {
		t.Fatal(err)
	}
	return string(der)
}

func source(certificate, key, password string) Source {
	return Source{Certificate: secret.New(certificate), Key: secret.New(key), Password: secret.New(password)}
}

func TestRead(t *testing.T) {
	t.Parallel()
	m := makeChain(t, newKey(t))
	own, key := m.pem(m.leaf), keyPEM(t, m.key)
	sec1, err := x509.MarshalECPrivateKey(m.key.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		from Source
		want []*x509.Certificate
	}{
		"two files":               {source(own, key, ""), []*x509.Certificate{m.leaf}},
		"with a chain":            {source(m.pem(m.leaf, m.between), key, ""), []*x509.Certificate{m.leaf, m.between}},
		"the chain upside down":   {source(m.pem(m.root, m.between, m.leaf), key, ""), []*x509.Certificate{m.leaf, m.root, m.between}},
		"one file":                {source(own+key, "", ""), []*x509.Certificate{m.leaf}},
		"one file, key first":     {source(key+m.pem(m.leaf, m.between), "", ""), []*x509.Certificate{m.leaf, m.between}},
		"one file for both":       {source(own+key, own+key, ""), []*x509.Certificate{m.leaf}},
		"key of openssl ecparam":  {source(own, pemOf("EC PARAMETERS", []byte{6, 0})+pemOf("EC PRIVATE KEY", sec1), ""), []*x509.Certificate{m.leaf}},
		"line ends of Windows":    {source(strings.ReplaceAll(own, "\n", "\r\n"), strings.ReplaceAll(key, "\n", "\r\n"), ""), []*x509.Certificate{m.leaf}},
		"in a variable, base64":   {source(base64.StdEncoding.EncodeToString([]byte(own+key)), "", ""), []*x509.Certificate{m.leaf}},
		"in a variable, one line": {source(strings.ReplaceAll(own+key, "\n", `\n`), "", ""), []*x509.Certificate{m.leaf}},
		"openssl pkcs12 -nodes":   {source("Bag Attributes\n  friendlyName: x\n"+key+"Bag Attributes\nsubject=CN = client\n"+own, "", ""), []*x509.Certificate{m.leaf}},
		"PKCS#12":                 {source(m.p12(t, pkcs12.Modern, "fake-password"), "", "fake-password"), []*x509.Certificate{m.leaf, m.between}},
		"PKCS#12 of old":          {source(m.p12(t, pkcs12.LegacyRC2, "fake-password"), "", "fake-password"), []*x509.Certificate{m.leaf, m.between}},
		"PKCS#12 of Java":         {source(m.p12(t, pkcs12.LegacyDES, "fake-password"), "", "fake-password"), []*x509.Certificate{m.leaf, m.between}},
		"PKCS#12, no password":    {source(m.p12(t, pkcs12.Passwordless, ""), "", ""), []*x509.Certificate{m.leaf, m.between}},
		"PKCS#12, empty password": {source(m.p12(t, pkcs12.Modern, ""), "", ""), []*x509.Certificate{m.leaf, m.between}},
		"PKCS#12 in base64": {
			source(base64.StdEncoding.EncodeToString([]byte(m.p12(t, pkcs12.Modern, "x")))+"\n", "", "x"), []*x509.Certificate{m.leaf, m.between},
		},
	} {
		got, err := c.from.Read()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if key, ok := got.PrivateKey.(*ecdsa.PrivateKey); !ok || !key.Equal(m.key) || !got.Leaf.Equal(m.leaf) || len(got.Certificate) != len(c.want) {
			t.Errorf("%s: %d certificates", name, len(got.Certificate))
			continue
		}
		for i, raw := range got.Certificate {
			if !bytes.Equal(raw, c.want[i].Raw) {
				t.Errorf("%s: certificate %d is another one", name, i)
			}
		}
	}
}

func TestReadEveryKey(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []crypto.Signer{rsaKey, ed} {
		m := makeChain(t, key)
		for _, from := range []Source{
			source(m.pem(m.leaf), keyPEM(t, key), ""), source(m.p12(t, pkcs12.Modern, "x"), "", "x"),
		} {
			if got, err := from.Read(); err != nil || !got.Leaf.Equal(m.leaf) {
				t.Errorf("%T: %v", key, err)
			}
		}
	}
}

func TestReadRefused(t *testing.T) {
	t.Parallel()
	m, other := makeChain(t, newKey(t)), makeChain(t, newKey(t))
	own, key := m.pem(m.leaf), keyPEM(t, m.key)
	p12 := m.p12(t, pkcs12.Modern, "fake-password")
	store, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{m.leaf}, "x")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		from Source
		part Part
		want string
	}{
		"no key":                  {source(own, "", ""), Key, "is missing: there is no private key beside the certificate"},
		"another's key":           {source(own, keyPEM(t, other.key), ""), Certificate, "and the private key do not belong together"},
		"another's key, PEM":      {source(own+keyPEM(t, other.key), "", ""), Certificate, "and the private key do not belong together"},
		"only the chain":          {source(m.pem(m.between, m.root), key, ""), Certificate, "and the private key do not belong together"},
		"no certificate":          {source(key, "", ""), Certificate, "holds no certificate"},
		"key and key":             {source(key, key, ""), Certificate, "holds no certificate"},
		"damaged certificate":     {source(pemOf("CERTIFICATE", []byte("fake")), key, ""), Certificate, "holds a certificate that cannot be read"},
		"certificate twice":       {source(own, own, ""), Key, "is a certificate"},
		"encrypted key":           {source(own, pemOf("ENCRYPTED PRIVATE KEY", []byte("fake")), ""), Key, "is encrypted"},
		"encrypted key, one file": {source(own+pemOf("ENCRYPTED PRIVATE KEY", []byte("fake")), "", ""), Certificate, "has a private key that is encrypted"},
		"DER":                     {source(string(m.leaf.Raw), key, ""), Certificate, "is in DER"},
		"nonsense":                {source("fake-nonsense!", key, ""), Certificate, "is neither PEM nor PKCS#12"},
		"base64 of nonsense":      {source("ZmFrZS1ub25zZW5zZQ==", key, ""), Certificate, "is neither PEM nor PKCS#12"},
		"cut off":                 {source(p12[:len(p12)/2], "", "fake-password"), Certificate, "is neither PEM nor PKCS#12"},
		"PKCS#12, no password":    {source(p12, "", ""), Password, "is missing, and the certificate is PKCS#12 with a password"},
		"PKCS#12, wrong password": {source(p12, "", "fake-other"), Password, "does not open the certificate"},
		"PKCS#12 and a key":       {source(p12, key, "fake-password"), Key, "is given, and the certificate is PKCS#12"},
		"PKCS#12 without a key":   {source(string(store), "", "x"), Certificate, "is PKCS#12 without a private key"},
		"a JWK":                   {source(own, `{"kty":"EC"}`, ""), Key, "is a JWK"},
	} {
		got, err := c.from.Read()
		e, ok := errors.AsType[*Error](err)
		if !ok || got != nil || e.Part != c.part || !strings.HasPrefix(e.Problem, c.want) || e.Hint == "" {
			t.Errorf("%s: %+v", name, err)
		}
		if text := secret.CleanText(e.Error() + e.Hint); strings.Contains(text, "fake-") || text != e.Error()+e.Hint {
			t.Errorf("%s: %q", name, text)
		}
	}
}

func FuzzRead(f *testing.F) {
	m := makeChain(f, newKey(f))
	f.Add(m.pem(m.leaf, m.between)+keyPEM(f, m.key), "", "")
	f.Add(string(m.leaf.Raw), keyPEM(f, m.key), "x")
	f.Add("0\x80\x02\x01\x03", "", "")
	f.Fuzz(func(t *testing.T, certificate, key, password string) {
		got, err := source(certificate, key, password).Read()
		if err == nil {
			if got.Leaf == nil || len(got.Certificate) == 0 || got.PrivateKey == nil {
				t.Errorf("%q: neither certificate nor error", certificate)
			}
			return
		}
		if _, ok := errors.AsType[*Error](err); !ok || secret.CleanText(err.Error()) != err.Error() {
			t.Errorf("%q: %v", certificate, err)
		}
	})
}
