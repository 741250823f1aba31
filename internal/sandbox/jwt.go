package sandbox

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
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// newKey makes a P-256 key. RSA would take longer to make than all the rest.
func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return key
}

// pkcs8 is a private key in DER (RFC 5208 §5).
func pkcs8(key *ecdsa.PrivateKey) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err) // a P-256 key always encodes
	}
	return der
}

// newRSAKey is a key for RS256.
func newRSAKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // the random source never fails
	}
	return key
}

// signer issues JWTs (RFC 7519) signed with ES256 or RS256 (RFC 7518 §3).
type signer struct {
	key crypto.Signer
	kid string
}

func (s signer) algorithm() jose.SignatureAlgorithm {
	if _, ok := s.key.(*rsa.PrivateKey); ok {
		return jose.RS256
	}
	return jose.ES256
}

func (s signer) sign(claims map[string]any) (string, error) {
	opts := (&jose.SignerOptions{}).WithType("JWT")
	jws, err := jose.NewSigner(jose.SigningKey{
		Algorithm: s.algorithm(),
		Key:       jose.JSONWebKey{Key: s.key, KeyID: s.kid},
	}, opts)
	if err != nil {
		return "", fmt.Errorf("making a signer: %w", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encoding claims: %w", err)
	}
	signed, err := jws.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	return signed.CompactSerialize()
}

// newUUID is a version 4 UUID (RFC 9562 §5.4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newOpaque is a token that says nothing but the marker.
func newOpaque() string { return Marker + "-" + newUUID() }

// replayGuard remembers the jti of client assertions while they could be sent
// again (RFC 7523 §3).
type replayGuard struct {
	mu   sync.Mutex
	seen map[string]time.Time // until when
}

// first reports whether an id has not been seen, and remembers it.
func (g *replayGuard) first(id string, until, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	maps.DeleteFunc(g.seen, func(_ string, t time.Time) bool { return t.Before(now) })
	if _, ok := g.seen[id]; ok {
		return false
	}
	if g.seen == nil {
		g.seen = make(map[string]time.Time)
	}
	g.seen[id] = until
	return true
}

// unverifiedClaims are what a JWT says, whoever signed it.
func unverifiedClaims(token string) (map[string]any, error) {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, err
	}
	var claims map[string]any
	if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &claims); err != nil {
		return nil, err
	}
	return claims, nil
}
