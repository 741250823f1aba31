package jose

import (
	"crypto/rsa"
	"encoding/json"
	"slices"

	"github.com/authctl/authctl/internal/secret"
	"github.com/go-jose/go-jose/v4"
)

// maxRSA is how many bits an RSA key may have: what checks a signature with a bigger one takes
// seconds and more.
const maxRSA = 16384

// KeySet holds a service's public keys (RFC 7517 §5).
type KeySet struct{ keys []jose.JSONWebKey }

// ParseKeySet keeps the keys that can verify; RFC 7517 §5 has the others ignored. They are
// the members of keys as the service wrote them.
func ParseKeySet(list []json.RawMessage) *KeySet {
	set := &KeySet{}
	for _, raw := range list {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) != nil || !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig" {
			continue
		}
		public, ok := key.Key.(*rsa.PublicKey)
		if ok && (public.N.BitLen() < minRSA || public.N.BitLen() > maxRSA) { // RFC 7518 §3.3
			continue
		}
		set.keys = append(set.keys, key)
	}
	return set
}

// Empty reports whether there is no key that can verify.
func (k *KeySet) Empty() bool { return len(k.keys) == 0 }

// publicAlgorithms are the JWS algorithms with a public key (RFC 7518 §3.1,
// RFC 8037): "none" proves nothing, and a symmetric one proves nothing with a
// key that everybody has.
func publicAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
		jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
	}
}

// IsPublicAlgorithm reports whether a JWS algorithm has a public key; see publicAlgorithms.
func IsPublicAlgorithm(name string) bool {
	return slices.Contains(publicAlgorithms(), jose.SignatureAlgorithm(name))
}

// Verify is CheckSignature, and checks that the token's issuer is the expected one. Times and
// audience are left to the caller: an expired token can have a good signature.
func (k *KeySet) Verify(j *JWT, issuer string) error {
	if err := k.CheckSignature(j); err != nil {
		return err
	}
	if got := j.Text("iss"); issuer == "" || got != issuer {
		return &JWTError{Problem: "the token's issuer is " + secret.Quote(got) + ", not " + secret.Quote(issuer)}
	}
	return nil
}

// CheckSignature checks that the token's signature was made with one of the keys (RFC 7515
// §5.2). The error is a *JWTError.
func (k *KeySet) CheckSignature(j *JWT) error {
	if _, ok := j.header["crit"]; ok { // RFC 7515 §4.1.11
		return &JWTError{Problem: "the token's header has extensions that are not known"}
	}
	signed, err := j.signed()
	if err != nil {
		return &JWTError{Problem: "the token's signature is not readable, or its algorithm is not accepted: " +
			secret.Quote(j.Algorithm())}
	}
	keys := k.fitting(j)
	if len(keys) == 0 {
		return &JWTError{Problem: "no key of the service fits the token's kid " + secret.Quote(j.KeyID())}
	}
	if !slices.ContainsFunc(keys, func(key jose.JSONWebKey) bool {
		_, err := signed.Verify(key.Key)
		return err == nil
	}) {
		return &JWTError{Problem: "the token's signature is wrong"}
	}
	return nil
}

// fitting are the keys with the token's kid and algorithm. A token without kid
// can only be told a key when there is one alone (OpenID Connect Core §10.1).
func (k *KeySet) fitting(j *JWT) []jose.JSONWebKey {
	id := j.KeyID()
	if id == "" && len(k.keys) != 1 {
		return nil
	}
	var keys []jose.JSONWebKey
	for _, key := range k.keys {
		if (id == "" || key.KeyID == id) && (key.Algorithm == "" || key.Algorithm == j.Algorithm()) {
			keys = append(keys, key)
		}
	}
	return keys
}
