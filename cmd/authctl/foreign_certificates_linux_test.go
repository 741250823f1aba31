package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/issuertest"
	"github.com/go-jose/go-jose/v4"
)

// certificates are those of a server and of its clients (RFC 8705), and the authority that signed all but one.
type certificates struct {
	server *issuertest.TLS
	// name is in the certificate of the client with tls_client_auth.
	name string
	// selfSigned is the key of the client with self_signed_tls_client_auth, as a JWK with its certificate.
	selfSigned jose.JSONWebKey
	env        []string
}

func newCertificates(t *testing.T) certificates {
	t.Helper()
	authority, authorityKey := newCertificate(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "authority.example"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	server, serverKey := newCertificate(t, &x509.Certificate{
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, authority, authorityKey)
	const name = "client.example"
	client, clientKey := newCertificate(t, &x509.Certificate{
		DNSNames: []string{name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, authority, authorityKey)
	own, ownKey := newCertificate(t, &x509.Certificate{Subject: pkix.Name{CommonName: "itself.example"}}, nil, nil)
	thumbprint := sha256.Sum256(own.Raw)
	trusted := filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(trusted, []byte(certificatePEM(authority)), 0o600); err != nil {
		t.Fatal(err)
	}
	return certificates{
		server: &issuertest.TLS{
			Certificate: certificatePEM(server), Key: keyPEM(t, serverKey), Authorities: certificatePEM(authority),
		},
		name: name,
		selfSigned: jose.JSONWebKey{
			Key: own.PublicKey, Use: "sig", Certificates: []*x509.Certificate{own}, CertificateThumbprintSHA256: thumbprint[:],
		},
		env: []string{
			"SSL_CERT_FILE=" + trusted,
			"ABROAD_CERTIFICATE=" + certificatePEM(client), "ABROAD_TLS_KEY=" + keyPEM(t, clientKey),
			"ABROAD_SELF_SIGNED=" + certificatePEM(own), "ABROAD_SELF_SIGNED_KEY=" + keyPEM(t, ownKey),
		},
	}
}

// newCertificate makes a key and its certificate, signed by itself where there is no authority.
func newCertificate(
	t *testing.T, template, authority *x509.Certificate, authorityKey *ecdsa.PrivateKey,
) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = serial
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	if authority == nil {
		authority, authorityKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, authority, key.Public(), authorityKey)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made, key
}

func certificatePEM(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func keyPEM(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}
