package service

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// must is for what cannot fail with keys and claims of the sandbox's own.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// NewKey makes a P-256 key. RSA would take longer to make than all the rest.
func NewKey() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

// NewRSAKey is a key for RS256.
func NewRSAKey() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) }

// PKCS8 is a private key in DER (RFC 5208 §5).
func PKCS8(key *ecdsa.PrivateKey) []byte { return must(x509.MarshalPKCS8PrivateKey(key)) }

// Signer issues JWTs (RFC 7519) signed with ES256 or RS256 (RFC 7518 §3).
type Signer struct {
	Key   crypto.Signer
	KeyID string
}

// algorithms are those of RFC 7518 §3 that the services take and use.
func algorithms() []jose.SignatureAlgorithm { return []jose.SignatureAlgorithm{jose.ES256, jose.RS256} }

// algorithm is the key's.
func (s Signer) algorithm() jose.SignatureAlgorithm {
	if _, ok := s.Key.(*rsa.PrivateKey); ok {
		return jose.RS256
	}
	return jose.ES256
}

// Sign makes a JWT.
func (s Signer) Sign(claims map[string]any) string {
	opts := (&jose.SignerOptions{}).WithType("JWT")
	key := jose.SigningKey{Algorithm: s.algorithm(), Key: jose.JSONWebKey{Key: s.Key, KeyID: s.KeyID}}
	return must(must(must(jose.NewSigner(key, opts)).Sign(must(json.Marshal(claims)))).CompactSerialize())
}

// jwt makes a token of a grant: the claims, and those that every JWT has.
func (x *Exchange) jwt(g *Grant, life time.Duration, claims map[string]any) string {
	maps.Copy(claims, map[string]any{"jti": NewUUID(), "iat": x.Now.Unix(), "exp": x.Now.Add(life).Unix()})
	signer := x.Signer
	if c := x.Client(g.Client); c.Signer != nil {
		signer = c.Signer()
	}
	return signer.Sign(claims)
}

// NewUUID is a version 4 UUID (RFC 9562 §5.4).
func NewUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// NewOpaque is a token that says nothing but the marker.
func NewOpaque() string { return Marker + "-" + NewUUID() }

// ClaimsOf are what a JWT of the sandbox's own says.
func ClaimsOf(token string) (claims map[string]any) {
	jws := must(jose.ParseSignedCompact(token, algorithms()))
	_ = must(0, json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &claims))
	return claims
}

// KeySet answers with the public keys of signers (RFC 7517 §5).
func KeySet(signers ...Signer) Reply {
	var keys []jose.JSONWebKey
	for _, s := range signers {
		keys = append(keys, jose.JSONWebKey{
			Key: s.Key.Public(), KeyID: s.KeyID, Algorithm: string(s.algorithm()), Use: "sig",
		})
	}
	return OK(map[string]any{"keys": keys})
}
