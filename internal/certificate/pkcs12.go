package certificate

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

// toPEM is the hint for what cannot be read as it is.
const toPEM = "convert it: openssl pkcs12 -in OLD.p12 -nodes -out NEW.pem"

// readPKCS12 reads PKCS#12, which has certificate, chain and key in one.
func (s Source) readPKCS12(der []byte, password string) (*tls.Certificate, error) {
	if _, err := x509.ParseCertificate(der); err == nil {
		return nil, &Error{Certificate, "is in DER", "convert it: openssl x509 -inform der -in OLD.cer -out NEW.pem"}
	}
	key, leaf, chain, err := pkcs12.DecodeChain(der, password)
	if err != nil {
		return nil, s.unopened(err)
	}
	signer, ok := key.(crypto.Signer)
	switch {
	case !ok:
		return nil, &Error{Certificate, "has a private key of a kind that TLS does not have", toPEM}
	case !s.Key.IsZero():
		return nil, &Error{
			Key, "is given, and the certificate is PKCS#12, which has its key inside", "leave one of the two out",
		}
	}
	return joined(append([]*x509.Certificate{leaf}, chain...), signer)
}

// unopened says why PKCS#12 could not be read. The library's own words go no further: they quote
// what is inside.
func (s Source) unopened(err error) *Error {
	_, other := errors.AsType[pkcs12.NotImplementedError](err)
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption):
		if s.Password.IsZero() {
			return &Error{
				Password, "is missing, and the certificate is PKCS#12 with a password",
				"give a reference such as env:P12_PASSWORD",
			}
		}
		return &Error{Password, "does not open the certificate", "check it against: openssl pkcs12 -in FILE -noout"}
	case other || strings.Contains(err.Error(), "indefinite length"):
		return &Error{Certificate, "is PKCS#12 of a form that cannot be read", toPEM}
	case strings.Contains(err.Error(), "private key missing"):
		return &Error{Certificate, "is PKCS#12 without a private key", "export it again with the key"}
	case strings.Contains(err.Error(), "certificate missing"):
		return &Error{Certificate, "is PKCS#12 without a certificate", "export it again with the certificate"}
	}
	return notACertificate()
}
