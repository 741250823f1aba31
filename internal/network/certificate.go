package network

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"time"

	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/secret"
)

// CertificateProblem is why no service would accept a certificate now, as "has expired, on …"; empty where
// nothing is known against it.
func CertificateProblem(c *x509.Certificate, now time.Time) string {
	switch {
	case now.After(c.NotAfter):
		return "has expired, on " + moment.Text(c.NotAfter)
	case now.Before(c.NotBefore):
		return "is not valid yet, but from " + moment.Text(c.NotBefore) + " on"
	}
	return ""
}

// CertificateText names a certificate by what a service knows it by: its subject, and the thumbprint of RFC
// 8705 §3.1.
func CertificateText(c *tls.Certificate) string {
	sum := sha256.Sum256(c.Certificate[0])
	return "certificate " + secret.Printable(c.Leaf.Subject.String()) + ", good until " + moment.Text(c.Leaf.NotAfter) +
		", x5t#S256 " + base64.RawURLEncoding.EncodeToString(sum[:])
}
