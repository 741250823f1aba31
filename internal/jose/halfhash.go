package jose

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/authctl/authctl/internal/secret"
)

// IsHalfHash reports whether hash is the left half of the hash of a token, in base64url, by the
// hash function of a JWS algorithm (OpenID Connect Core §3.1.3.6). EdDSA's is the SHA-512 of
// Ed25519 (RFC 8032 §5.1).
func IsHalfHash(algorithm, hash string, token secret.Secret) bool {
	var sum []byte
	switch text := []byte(token.Reveal()); {
	case strings.HasSuffix(algorithm, "256"):
		full := sha256.Sum256(text)
		sum = full[:]
	case strings.HasSuffix(algorithm, "384"):
		full := sha512.Sum384(text)
		sum = full[:]
	case strings.HasSuffix(algorithm, "512"), algorithm == "EdDSA":
		full := sha512.Sum512(text)
		sum = full[:]
	default:
		return false
	}
	half := base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	return subtle.ConstantTimeCompare([]byte(half), []byte(hash)) == 1
}
