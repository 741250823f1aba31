package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/authctl/authctl/internal/secret"
)

// maxName is the longest name of a named secret, in bytes.
const maxName = 128

// Secret returns the secret that a person stored under name, which is also the
// entry's account: `secret-tool store --label LABEL service authctl username NAME`
// stores one from outside. Errors wrap ErrNotFound or are an *UnusableError.
func (k *Keyring) Secret(ctx context.Context, name string) (secret.Secret, error) {
	err, value := checkName(name), ""
	if err == nil {
		value, err = k.get(ctx, name)
	}
	if errors.Is(err, ErrNotFound) {
		err = notFound("the keyring has no secret named " + name)
	}
	if err != nil {
		return secret.Secret{}, k.failed("reading a named secret", err)
	}
	// Tools that store what they read from a pipe keep its line break.
	value, _ = strings.CutSuffix(value, "\n")
	value, _ = strings.CutSuffix(value, "\r")
	return secret.New(value), nil
}

// SetSecret stores a secret under name, in place of the one that Secret returns. Names are 1
// to 128 of A-Z a-z 0-9 . _ / - and not 64 hex digits, which are tokens. Errors are
// an *UnusableError.
func (k *Keyring) SetSecret(ctx context.Context, name string, secret secret.Secret) error {
	err := checkName(name)
	if err == nil && secret.IsZero() {
		err = errors.New("the secret is empty")
	}
	if err == nil {
		err = k.keep(ctx, name, secret.Reveal())
	}
	return k.failed("storing a named secret", err)
}

// keep writes an entry that has to be there then.
func (k *Keyring) keep(ctx context.Context, name, value string) error {
	got, err := k.set(ctx, name, value)
	if err == nil && got != value {
		err = unusable(Locked, errNotKept)
	}
	return err
}

// DeleteSecret removes the secret under name; it is no error when there is none.
// Errors are an *UnusableError.
func (k *Keyring) DeleteSecret(ctx context.Context, name string) error {
	err := checkName(name)
	if err == nil {
		err = k.remove(ctx, name)
	}
	return k.failed("removing a named secret", err)
}

// checkName keeps names to what every keyring takes unharmed: macOS's security(1)
// mangles quotes and line breaks.
func checkName(name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("the name of a secret has 1 to %d characters", maxName)
	}
	const signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-"
	if strings.Trim(name, signs) != "" {
		return errors.New("the name of a secret holds letters, digits and . _ / - only")
	}
	if isDigest(name) {
		return fmt.Errorf("the name of a secret is not %d hex digits, which are tokens", digestLen)
	}
	return nil
}
