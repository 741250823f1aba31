package cli

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"sync"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
)

// unfetched are the secrets that a dry run could not fetch, or that are not set: what
// stands for each in the request, and why.
type unfetched struct {
	mu  sync.Mutex
	why map[string]string
	// warn tells of a key whose signature is not shown.
	warn func(string)
}

// without returns the settings of a profile with a stand-in for each secret that is
// wanted and cannot be had: a dry run needs none.
func (u *unfetched) without(s providers.Settings, settings []providers.Setting) providers.Settings {
	for _, d := range settings {
		value, ok := s.Lookup(d.Name)
		if d.Kind != providers.Secret || !ok && !d.Wanted(s) {
			continue
		}
		fetch := value.Secret
		if !ok {
			value.Origin = "not set"
			fetch = unfetchable(cmp.Or(s.Absence(d.Name).Why, "it is not set"))
		}
		if kind, _, _ := strings.Cut(value.Text, ":"); kind == "cmd" || kind == "prompt" {
			// It may cost a person something, and would be for nothing.
			fetch = unfetchable(value.Text + " is left alone in a dry run")
		}
		value.Secret = u.standIn(d.Name, fetch)
		s = s.With(d.Name, value)
	}
	return s
}

// unfetchable fails with the reason why a secret is not fetched.
func unfetchable(why string) secret.Func {
	return func(context.Context) (secret.Secret, error) { return secret.Secret{}, errors.New(why) }
}

// standIn fetches a secret, else what stands for it.
func (u *unfetched) standIn(name string, fetch secret.Func) secret.Func {
	return func(ctx context.Context) (secret.Secret, error) {
		value, err := fetch(ctx)
		if err == nil || ctx.Err() != nil {
			return value, err
		}
		why := err.Error()
		if e, ok := errors.AsType[*config.ReferenceError](err); ok && e.Suggestion != "" {
			why += "; " + e.Suggestion
		}
		if name == "private_key" {
			u.warn("private_key is not fetched: " + why + "; what is shown would be signed with it")
			return madeUpKey()
		}
		text := "not-fetched-" + name
		u.mu.Lock()
		defer u.mu.Unlock()
		u.why[text] = why
		return secret.New(text), nil
	}
}

// madeUpKey signs an assertion that is shown without its signature.
func madeUpKey() (secret.Secret, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return secret.Secret{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return secret.Secret{}, err
	}
	return secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))), nil
}
