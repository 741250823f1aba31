package service

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// certificateLife is in real time, whatever the clock of the sandbox shows: programs check certificates by their own.
const certificateLife = 365 * 24 * time.Hour

// Authority issues the certificates of the TLS port and of clients (RFC 5280).
type Authority struct{ own Certificate }

// Certificate is one with its key.
type Certificate struct {
	Leaf *x509.Certificate
	Key  crypto.Signer
}

// NewAuthority makes one with a key of its own.
func NewAuthority() *Authority {
	return &Authority{certify(x509.Certificate{
		Subject: pkix.Name{CommonName: "authctl sandbox CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}, nil)}
}

// SelfSigned makes a client's certificate that nobody else vouches for (RFC 8705 §2.2).
func SelfSigned(name string) Certificate { return certify(forClient(name), nil) }

// Client makes a client's certificate (RFC 8705 §2.1).
func (a *Authority) Client(name string) Certificate { return certify(forClient(name), &a.own) }

// Server makes the certificate of the TLS port, for every name of this machine's loopback.
func (a *Authority) Server() tls.Certificate {
	c := certify(x509.Certificate{
		Subject: pkix.Name{CommonName: "authctl sandbox"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage:    x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, &a.own)
	return tls.Certificate{Certificate: [][]byte{c.Leaf.Raw}, PrivateKey: c.Key}
}

// PEM is the authority's own certificate, which clients of the TLS port have to trust.
func (a *Authority) PEM() string { return a.own.PEM() }

// Vouches reports whether a certificate is a client's that the authority issued.
func (a *Authority) Vouches(c *x509.Certificate) bool {
	roots := x509.NewCertPool()
	roots.AddCert(a.own.Leaf)
	_, err := c.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err == nil
}

func forClient(name string) x509.Certificate {
	return x509.Certificate{
		Subject:  pkix.Name{CommonName: name, Organization: []string{"Acme"}},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

// certify makes a key and its certificate; without an issuer it signs itself.
func certify(c x509.Certificate, by *Certificate) Certificate {
	now, key := time.Now(), must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	c.SerialNumber = must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)))
	c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.Add(certificateLife)
	issuer, signer := &c, crypto.Signer(key)
	if by != nil {
		issuer, signer = by.Leaf, by.Key
	}
	der := must(x509.CreateCertificate(rand.Reader, &c, issuer, key.Public(), signer))
	return Certificate{must(x509.ParseCertificate(der)), key}
}

// PEM is the certificate alone.
func (c Certificate) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Leaf.Raw}))
}

// KeyPEM is its private key (RFC 5208 §5).
func (c Certificate) KeyPEM() string { return Signer{Key: c.Key}.pkcs8(true) }

// Thumbprint is what a token bound to a certificate says of it, x5t#S256 (RFC 8705 §3.1).
func Thumbprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// PeerCertificate is what the client showed at the TLS port, nil when there is none.
func (x *Exchange) PeerCertificate() *x509.Certificate {
	if x.Request.TLS == nil || len(x.Request.TLS.PeerCertificates) == 0 {
		return nil
	}
	return x.Request.TLS.PeerCertificates[0]
}
