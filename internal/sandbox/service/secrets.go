package service

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Marker is part of every secret the sandbox knows and of every opaque token it issues: see Ledger.
const Marker = "SANDBOX-CANARY"

// Redacted stands for a secret in the log.
const Redacted = "[redacted]"

const maxKept = 10_000 // of every list that grows with the requests

// NewOpaque is a token that says nothing but the marker.
func NewOpaque() string { return Marker + "-" + rand.Text() }

// KeepLast drops the oldest when there are more than 10,000.
func KeepLast[T any](list []T) []T { return list[max(0, len(list)-maxKept):] }

// Ledger knows every secret there is, to find leaks and to keep the log clean. JWTs cannot show the Marker.
type Ledger struct {
	mu     sync.Mutex
	fixed  []string
	tokens []string
}

// Learn adds secrets for good.
func (l *Ledger) Learn(secrets ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fixed = append(l.fixed, secrets...)
}

// Add adds a token that was issued.
func (l *Ledger) Add(token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens = KeepLast(append(l.tokens, token))
}

// List returns what was learnt and the tokens issued last.
func (l *Ledger) List() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Concat(l.fixed, l.tokens)
}

// Redact replaces a text that holds a fixed secret, the marker, or what may be a JWT, as a whole.
func (l *Ledger) Redact(text string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	jwt := strings.Contains(text, "eyJ") && strings.Count(text, ".") >= 2
	if jwt || strings.Contains(text, Marker) ||
		slices.ContainsFunc(l.fixed, func(secret string) bool { return strings.Contains(text, secret) }) {
		return Redacted
	}
	return text
}

// must is for what cannot fail with keys and claims of the sandbox's own.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// plainType is the typ of a JWT that says no more (RFC 7519 §5.1).
const plainType = "JWT"

// Signer issues JWTs (RFC 7519) signed with ES256 or RS256 (RFC 7518 §3).
type Signer struct {
	Key       crypto.Signer
	KeyID     string
	Algorithm jose.SignatureAlgorithm
}

// NewSigner makes a P-256 key. RSA takes longer to make than all the rest.
func NewSigner(id string) Signer {
	return Signer{must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), id, jose.ES256}
}

func newRSASigner(id string) Signer {
	return Signer{must(rsa.GenerateKey(rand.Reader, 2048)), id, jose.RS256}
}

// pkcs8 is the private key in Base64 (RFC 5208 §5), between PEM's lines or without.
func (s Signer) pkcs8(lines bool) string {
	der := must(x509.MarshalPKCS8PrivateKey(s.Key))
	if lines {
		return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	return base64.StdEncoding.EncodeToString(der)
}

// Sign makes a JWT.
func (s Signer) Sign(claims map[string]any) string { return s.SignTyped(plainType, claims) }

// SignTyped makes one whose header says of what type it is (RFC 7515 §4.1.9).
func (s Signer) SignTyped(kind jose.ContentType, claims map[string]any) string {
	key := jose.SigningKey{Algorithm: s.Algorithm, Key: jose.JSONWebKey{Key: s.Key, KeyID: s.KeyID}}
	return must(jwt.Signed(must(jose.NewSigner(key, (&jose.SignerOptions{}).WithType(kind)))).Claims(claims).Serialize())
}

// Public is the key that checks what was signed (RFC 7517 §4).
func (s Signer) Public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: s.Key.Public(), KeyID: s.KeyID, Algorithm: string(s.Algorithm), Use: "sig"}
}

// KeySet answers with the service's public keys (RFC 7517 §5).
func KeySet(x *Exchange) Reply {
	return OK(map[string]any{"keys": []jose.JSONWebKey{x.Signer.Public(), x.RSA().Public()}})
}

// JWT makes and remembers a JWT of a grant: with the claims given, and those that every JWT has. An access token's type
// is given; all others are plain.
func (x *Exchange) JWT(life time.Duration, t Token, kind jose.ContentType) string {
	maps.Copy(t.Claims, map[string]any{"jti": rand.Text(), "iat": x.Now.Unix(), "exp": x.Now.Add(life).Unix()})
	signer := x.Signer
	if x.Client(t.Client).RSA {
		signer = x.RSA()
	}
	return x.remember(x.Fault.forge(signer, kind, t.Claims), life, t)
}

// ParseJWT reads a JWT without a look at its signature, which is by ES256, RS256 or one of those that are also known.
func ParseJWT(token string, claims any, also ...jose.SignatureAlgorithm) (*jwt.JSONWebToken, error) {
	signed, err := jwt.ParseSigned(token, append(also, jose.ES256, jose.RS256))
	if err == nil {
		err = signed.UnsafeClaimsWithoutVerification(claims)
	}
	return signed, err
}
