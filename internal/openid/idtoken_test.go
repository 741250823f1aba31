package openid

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/secret"
)

// unsigned is a token with these claims and a signature of no worth.
func unsigned(claims string) string {
	e := base64.RawURLEncoding.EncodeToString
	return e([]byte(`{"alg":"ES256"}`)) + "." + e([]byte(claims)) + "." + e([]byte("fake-signature"))
}

func TestCheckNonce(t *testing.T) {
	t.Parallel()
	for claims, want := range map[string]string{
		`{"nonce":"fake-nonce"}`: "", `{"nonce":"fake-other"}`: "not the one that was sent", `{}`: "has no nonce", `{"nonce":["fake-nonce"]}`: "has no nonce",
	} {
		err := CheckNonce(secret.New(unsigned(claims)), secret.New("fake-nonce"))
		if want == "" && err == nil {
			continue
		}
		if _, ok := errors.AsType[*jose.JWTError](err); !ok || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "fake-") {
			t.Errorf("%s: %T %v", claims, err, err)
		}
	}
	if err := CheckNonce(secret.New("fake-opaque"), secret.New("fake-nonce")); !errors.Is(err, jose.ErrNotJWT) {
		t.Errorf("opaque: %v", err)
	}
	if err := CheckNonce(secret.New(unsigned(`{"nonce":""}`)), secret.Secret{}); err == nil {
		t.Error("an empty nonce matches")
	}
}
