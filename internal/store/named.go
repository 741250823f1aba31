package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/authctl/authctl/internal/secret"
)

// What the methods for named secrets say they were doing.
const (
	readingSecret  = "reading a named secret"
	storingSecret  = "storing a named secret"
	removingSecret = "removing a named secret"
)

// maxName is the longest name of a named secret, in bytes.
const maxName = 128

// Secret returns the secret that a person stored under name, which is also the
// entry's account: `secret-tool store --label LABEL service authctl username NAME`
// stores one from outside. Errors wrap ErrNotFound or are an *UnusableError.
func (k *Keyring) Secret(ctx context.Context, name string) (secret.Secret, error) {
	if err := checkName(name); err != nil {
		return secret.Secret{}, k.refused(readingSecret, err)
	}
	value, err := k.get(ctx, readingSecret, name)
	if errors.Is(err, ErrNotFound) {
		return secret.Secret{}, fmt.Errorf("%w: the keyring has no secret named %s", ErrNotFound, name)
	}
	if err != nil {
		return secret.Secret{}, err
	}
	// Tools that store what they read from a pipe keep its line break.
	value, _ = strings.CutSuffix(value, "\n")
	value, _ = strings.CutSuffix(value, "\r")
	return secret.New(value), nil
}

// SetSecret stores a secret under name, replacing all that were there. Names are 1
// to 128 of A-Z a-z 0-9 . _ / - and not 64 hex digits, which are tokens. Errors are
// an *UnusableError.
func (k *Keyring) SetSecret(ctx context.Context, name string, secret secret.Secret) error {
	if err := checkName(name); err != nil {
		return k.refused(storingSecret, err)
	}
	if secret.IsZero() {
		return k.refused(storingSecret, errors.New("the secret is empty"))
	}
	value := secret.Reveal()
	got, err := k.set(ctx, storingSecret, name, value)
	if err != nil || got == value {
		return err
	}
	// An entry of another program's under the same name is in the way.
	if err := k.remove(ctx, storingSecret, name); err != nil {
		return err
	}
	if got, err = k.set(ctx, storingSecret, name, value); err != nil || got == value {
		return err
	}
	return k.locked(storingSecret, errNotKept)
}

// DeleteSecret removes the secret under name; it is no error when there is none.
// Errors are an *UnusableError.
func (k *Keyring) DeleteSecret(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return k.refused(removingSecret, err)
	}
	return k.remove(ctx, removingSecret, name)
}

// checkName keeps names to what every keyring takes unharmed: macOS's security(1)
// mangles quotes and line breaks.
func checkName(name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("the name of a secret has 1 to %d characters", maxName)
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.', c == '_', c == '/', c == '-':
		default:
			return errors.New("the name of a secret holds letters, digits and . _ / - only")
		}
	}
	if isDigest(name) {
		return fmt.Errorf("the name of a secret is not %d hex digits, which are tokens", digestLen)
	}
	return nil
}
