// Package certificate reads the certificate with which a client shows on a TLS connection who it is
// (RFC 8705): PEM (RFC 7468) or PKCS#12 (RFC 7292), with its chain and its private key.
package certificate

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/secret"
)

// Part is one of the parts of a Source.
type Part string

// The parts.
const (
	Certificate Part = "certificate"
	Key         Part = "key"
	Password    Part = "password"
)

// Error says why a certificate cannot be shown. It quotes nothing of it.
type Error struct {
	// Part is what is wrong or missing.
	Part Part
	// Problem completes its name: "is missing".
	Problem string
	// Hint says what to do; may be empty.
	Hint string
}

// Error returns the whole sentence.
func (e *Error) Error() string { return "the client's " + string(e.Part) + " " + e.Problem }

// Source is what a client has of its certificate.
type Source struct {
	// Certificate is PEM with the certificate, its chain and perhaps its key, or PKCS#12 with all of
	// that, as it is or in base64.
	Certificate secret.Secret
	// Key is the private key as jose.ParseKey reads it; zero where Certificate has it.
	Key secret.Secret
	// Password opens PKCS#12; zero means the empty one.
	Password secret.Secret
}

// Read returns the certificate with its chain and key, Leaf set. Whether it is good now is not
// looked at. The error is an *Error.
func (s Source) Read() (*tls.Certificate, error) {
	text := s.Certificate.Reveal()
	if !strings.Contains(text, "-----BEGIN") {
		return s.readDER(text)
	}
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, `\n`, "\n") // a file squeezed into a variable
	}
	chain, err := pemChain([]byte(text))
	if err != nil {
		return nil, err
	}
	part, keyText := Key, s.Key.Reveal()
	if s.Key.IsZero() {
		if !strings.Contains(text, "PRIVATE KEY-----") {
			return nil, &Error{
				Key, "is missing: there is no private key beside the certificate", "give a reference such as file:client.key",
			}
		}
		part, keyText = Certificate, text
	}
	key, err := jose.ParseKey(keyText)
	if e, ok := errors.AsType[*jose.KeyError](err); ok {
		problem := e.Problem
		if part == Certificate {
			problem = "has a private key that " + problem
		}
		return nil, &Error{part, problem, e.Hint}
	}
	return joined(chain, key.Signer())
}

// pemChain reads the certificates among the blocks of PEM.
func pemChain(text []byte) (chain []*x509.Certificate, err error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, &Error{Certificate, "holds a certificate that cannot be read", "give the file as it was issued"}
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, &Error{Certificate, "holds no certificate", "give PEM with a block CERTIFICATE, or PKCS#12"}
	}
	return chain, nil
}

// joined puts the certificate that belongs to the key before the others, which is where TLS
// wants it (RFC 8446 §4.4.2).
func joined(chain []*x509.Certificate, key crypto.Signer) (*tls.Certificate, error) {
	public, equals := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	at := slices.IndexFunc(chain, func(c *x509.Certificate) bool { return equals && public.Equal(c.PublicKey) })
	if at < 0 {
		return nil, &Error{
			Certificate, "and the private key do not belong together",
			"give the key that the certificate was made for: both have one public key",
		}
	}
	c := &tls.Certificate{PrivateKey: key, Leaf: chain[at], Certificate: [][]byte{chain[at].Raw}}
	for i, other := range chain {
		if i != at {
			c.Certificate = append(c.Certificate, other.Raw)
		}
	}
	return c, nil
}

// readDER reads what is no PEM, as it is or in base64.
func (s Source) readDER(text string) (*tls.Certificate, error) {
	der := []byte(text)
	if !bytes.HasPrefix(der, []byte{asn1Sequence}) || len(der) < 2 || der[1] < 0x80 {
		var err error
		if der, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err != nil {
			return nil, notACertificate()
		}
		if bytes.HasPrefix(der, []byte("-----BEGIN")) {
			s.Certificate = secret.New(string(der))
			return s.Read()
		}
	}
	return s.readPKCS12(der, s.Password.Reveal())
}

// asn1Sequence is the first octet of PKCS#12 and of a certificate in DER.
const asn1Sequence = 0x30

func notACertificate() *Error {
	return &Error{Certificate, "is neither PEM nor PKCS#12", "give the whole file, its BEGIN and END lines included"}
}
