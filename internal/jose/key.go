package jose

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"
	"unicode"

	"github.com/authctl/authctl/internal/secret"
	"github.com/go-jose/go-jose/v4"
)

// KeyError says why a private key cannot be used. It never quotes the key.
type KeyError struct {
	// Problem completes "the private key …": "is encrypted".
	Problem string
	// Hint says what to do; may be empty.
	Hint string
	// OtherAlgorithm says that the key is good, and not for the algorithm that was wanted.
	OtherAlgorithm bool
}

// Error returns the whole sentence.
func (e *KeyError) Error() string { return "the private key " + e.Problem }

const (
	// toPKCS8 is the hint for keys in another form.
	toPKCS8 = "convert it: openssl pkcs8 -topk8 -nodes -in OLD.pem -out NEW.pem"
	// useP256 is the hint for keys of another kind.
	useP256 = "use an EC P-256 key"
	// minRSA is how many bits RFC 7518 §3.3 wants at least.
	minRSA = 2048
)

// PrivateKey is a key that signs.
type PrivateKey struct {
	signer crypto.Signer
	// algorithms are the JWS algorithms it can sign with, its own first.
	algorithms []jose.SignatureAlgorithm
}

// ParseKey reads a private key: PKCS#8 as PEM (RFC 7468 §10) or as bare base64,
// with or without line breaks. PEM in the older forms of openssl (RFC 5915,
// PKCS#1) is taken too, certificates before it are passed over, and of a JSON object it is
// the member private_key that is read. The error is a *KeyError.
func ParseKey(text string) (*PrivateKey, error) {
	key, err := decodeKey(text)
	if err != nil {
		return nil, err
	}
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		return ecKey(k)
	case *rsa.PrivateKey:
		if k.N.BitLen() < minRSA {
			return nil, &KeyError{Problem: "is an RSA key under 2048 bits (RFC 7518 §3.3)"}
		}
		return &PrivateKey{k, []jose.SignatureAlgorithm{
			jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
		}}, nil
	case ed25519.PrivateKey:
		return &PrivateKey{k, []jose.SignatureAlgorithm{jose.EdDSA}}, nil
	}
	return nil, &KeyError{Problem: "is of a kind that cannot sign a JWT", Hint: useP256}
}

// Signer is the key for what is no JWT: a TLS connection.
func (k *PrivateKey) Signer() crypto.Signer { return k.signer }

// ecKey maps the curve to its algorithm (RFC 7518 §3.4).
func ecKey(k *ecdsa.PrivateKey) (*PrivateKey, error) {
	byBits := map[int]jose.SignatureAlgorithm{256: jose.ES256, 384: jose.ES384, 521: jose.ES512}
	algorithm, ok := byBits[k.Curve.Params().BitSize]
	if !ok {
		return nil, noCurve()
	}
	return &PrivateKey{k, []jose.SignatureAlgorithm{algorithm}}, nil
}

// noCurve is the error for a curve that RFC 7518 §3.4 does not name.
func noCurve() *KeyError {
	return &KeyError{Problem: "is on a curve that JWS does not have", Hint: useP256}
}

// Algorithm returns the JWS algorithm (RFC 7518 §3.1) that is wanted, or the key's own,
// ES256, ES384, ES512, RS256 or EdDSA, when none is. The error is a *KeyError.
func (k *PrivateKey) Algorithm(wanted string) (string, error) {
	own := string(k.algorithms[0])
	if wanted != "" && !slices.Contains(k.algorithms, jose.SignatureAlgorithm(wanted)) {
		return "", &KeyError{
			Problem: "cannot sign with " + secret.CleanTo(wanted, 20) + ", its algorithm is " + own, OtherAlgorithm: true,
		}
	}
	return cmp.Or(wanted, own), nil
}

// CheckKey looks whether a private key in one of the forms of ParseKey can sign with the algorithm
// that is wanted, or with its own when none is. The error is a *KeyError.
func CheckKey(key secret.Secret, wanted string) error {
	k, err := ParseKey(key.Reveal())
	if err == nil {
		_, err = k.Algorithm(wanted)
	}
	return err
}

// Header is what the header of a signed JWT says.
type Header struct {
	// Algorithm is alg (RFC 7515 §4.1.1), one that the key can sign with.
	Algorithm string
	// KeyID is kid (RFC 7515 §4.1.4); left out when empty.
	KeyID string
}

// String is the header as JSON, as it stands in a token.
func (h Header) String() string {
	members := map[string]string{"alg": h.Algorithm, "typ": "JWT"}
	if h.KeyID != "" {
		members["kid"] = h.KeyID
	}
	text, _ := json.Marshal(members) // never fails for strings
	return string(text)
}

// Sign returns claims, a JSON object, as a JWT in the compact form of RFC 7515 §7.1. The
// error is a *KeyError where the key is not made for the algorithm.
func (k *PrivateKey) Sign(h Header, claims []byte) (string, error) {
	algorithm, err := k.Algorithm(h.Algorithm)
	if err != nil {
		return "", err
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	if h.KeyID != "" {
		options = options.WithHeader("kid", h.KeyID)
	}
	cannot := &KeyError{Problem: "cannot sign with " + algorithm}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: k.signer}, options)
	if err != nil {
		return "", cannot
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return "", cannot
	}
	return signed.CompactSerialize()
}

// SignHS256 returns claims, a JSON object, as a JWT signed by HMAC with SHA-256 (RFC 7518 §3.2).
// The key may be shorter than the 256 bits that are wanted there: what to say of that is the
// caller's matter.
func SignHS256(key string, h Header, claims []byte) string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(h.String())) + "." + encode(claims)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}

// decodeKey tells PEM from bare base64.
func decodeKey(text string) (any, error) {
	text, err := plainKey(text)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(text, "\n") {
		// A PEM file squeezed into an environment variable.
		text = strings.ReplaceAll(text, `\n`, "\n")
	}
	if !strings.Contains(text, "-----BEGIN") {
		return decodeBare(text)
	}
	var passed *pem.Block
	for rest := []byte(text); ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		switch {
		case block == nil && passed != nil:
			return decodePEM(passed)
		case block == nil:
			return nil, &KeyError{Problem: "is damaged PEM", Hint: "give the whole file, its BEGIN and END lines included"}
		case block.Type == "CERTIFICATE":
			passed = block // a key may follow
		case block.Type != "EC PARAMETERS":
			return decodePEM(block)
		}
	}
}

// plainKey takes away what a paste or an editor has put into the text of a key, and says
// where the key is still wrapped into something.
func plainKey(text string) (string, error) {
	text = strings.Map(func(r rune) rune {
		if secret.Invisible(r) {
			return -1
		}
		return r
	}, text)
	text = strings.TrimSpace(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text))
	switch {
	case strings.HasPrefix(text, `"`) || strings.HasPrefix(text, "'"):
		return "", &KeyError{Problem: "is in quotes", Hint: "take the quotes away; docker --env-file keeps them"}
	case strings.HasPrefix(text, "{") && strings.Contains(text, `"kty"`):
		return "", &KeyError{Problem: "is a JWK (RFC 7517)", Hint: "convert it to PKCS#8 in PEM"}
	case strings.HasPrefix(text, "{"):
		return keyInJSON(text)
	}
	return text, nil
}

// keyInJSON returns the member private_key of a JSON object, which is where the key file of a
// Google service account has it.
func keyInJSON(text string) (string, error) {
	var file struct {
		PrivateKey string `json:"private_key"`
	}
	if json.Unmarshal([]byte(text), &file) != nil || !strings.Contains(file.PrivateKey, "-----BEGIN") {
		return "", &KeyError{
			Problem: "is inside JSON",
			Hint:    "of JSON only PEM in the member private_key is read; give the key alone, such as: jq -r .key FILE",
		}
	}
	return plainKey(file.PrivateKey)
}

// decodePEM reads one PEM block by its label.
func decodePEM(block *pem.Block) (any, error) {
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
		return nil, &KeyError{Problem: "is encrypted", Hint: toPKCS8}
	case block.Type == "PRIVATE KEY":
		return decodeDER(block.Bytes)
	case block.Type == "EC PRIVATE KEY":
		if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
			return key, nil
		}
		return nil, &KeyError{Problem: "is not readable, or on a curve JWS does not have", Hint: useP256}
	case block.Type == "RSA PRIVATE KEY":
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return key, nil
		}
		return nil, &KeyError{Problem: "is not readable as an RSA key", Hint: toPKCS8}
	case strings.Contains(block.Type, "PUBLIC KEY"):
		return nil, &KeyError{Problem: "is a public key", Hint: "give the private key of the pair"}
	case block.Type == "CERTIFICATE":
		return nil, &KeyError{Problem: "is a certificate", Hint: "give the private key that belongs to it"}
	}
	return nil, &KeyError{Problem: "is not in PKCS#8", Hint: toPKCS8}
}

// decodeBare reads base64 of either alphabet, with or without padding.
func decodeBare(text string) (any, error) {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || r == '=':
			return -1
		case r == '-':
			return '+'
		case r == '_':
			return '/'
		}
		return r
	}, text)
	der, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(der) == 0 {
		return nil, &KeyError{Problem: "is neither PEM nor base64", Hint: "it must be PKCS#8; " + toPKCS8}
	}
	if bytes.HasPrefix(der, []byte("-----BEGIN")) {
		return decodeKey(string(der)) // a whole PEM file in base64
	}
	return decodeDER(der)
}

// decodeDER reads PKCS#8 (RFC 5958). The errors of x509 are not passed on: they
// say nothing a user could act on.
func decodeDER(der []byte) (any, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err == nil {
		return key, nil
	}
	if _, err := x509.ParsePKIXPublicKey(der); err == nil {
		return nil, &KeyError{Problem: "is a public key", Hint: "give the private key of the pair"}
	}
	switch text := err.Error(); {
	case strings.Contains(text, "unknown elliptic curve"), strings.Contains(text, "unsupported elliptic curve"):
		return nil, noCurve()
	case strings.Contains(text, "unknown algorithm"):
		return nil, &KeyError{Problem: "is of a kind that cannot sign a JWT", Hint: useP256}
	}
	return nil, &KeyError{Problem: "is not a readable PKCS#8 key", Hint: toPKCS8}
}
