package openid

import (
	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/secret"
)

// CheckNonce compares the nonce of an ID token with the one that was sent
// (OpenID Connect Core §3.1.3.7). The error is jose.ErrNotJWT or a *jose.JWTError. The ID
// token came from the token endpoint over TLS, which §3.1.3.7 takes in place of
// its signature.
func CheckNonce(idToken, nonce secret.Secret) error {
	j, err := jose.ParseJWT(idToken)
	if err != nil {
		return err
	}
	got := j.Text("nonce")
	switch {
	case got == "":
		return &jose.JWTError{Problem: "the ID token has no nonce"}
	case !nonce.Equal(secret.New(got)):
		return &jose.JWTError{Problem: "the ID token's nonce is not the one that was sent"}
	}
	return nil
}
