//go:build windows || darwin

package store

import (
	"errors"

	"github.com/zalando/go-keyring"
)

// systemIndexed: neither keyring is asked what is in it.
const systemIndexed = true

// systemKeyring reaches security(1) or the Credential Manager by go-keyring.
func systemKeyring(k *Keyring) backend {
	return &library{
		read: func(service, account string) (string, error) {
			value, err := keyring.Get(service, account)
			return value, libraryProblem(err)
		},
		write: func(service, account, value string) error {
			return libraryProblem(keyring.Set(service, account, value))
		},
		delete:     func(service, account string) error { return libraryProblem(keyring.Delete(service, account)) },
		remembered: k.index,
		warn:       k.warnOfIndex,
	}
}

// libraryProblem has the library's own errors in our words.
func libraryProblem(err error) error {
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return ErrNotFound
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return unusable(Refused, errTooBig)
	case errors.Is(err, keyring.ErrUnsupportedPlatform):
		return unusable(Unreachable, err)
	}
	return err
}
