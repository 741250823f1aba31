//go:build !windows && !darwin

package store

import (
	"context"
	"errors"

	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secretservice"
)

// systemMaxRecord: a Secret Service has no limit of its own.
const systemMaxRecord = 0

// systemIndexed: a Secret Service is searched by attributes.
const systemIndexed = false

const noKeyringHint = "start a Secret Service in this session (gnome-keyring, KWallet, KeePassXC)"

// systemKeyringName names the bus that is used, where there is one.
func systemKeyringName() string {
	address, err := secretservice.FindBus()
	if err != nil {
		return "the Secret Service"
	}
	return "the Secret Service at " + secret.Printable(address)
}

// desktop is the Secret Service of the session.
type desktop struct{ *secretservice.Client }

func systemKeyring(k *Keyring) backend {
	client := secretservice.New(keyringService)
	client.MayAsk = func() bool { return !k.NeverAsk }
	client.Explain = func(message string) {
		if k.Explain != nil {
			k.Explain(message)
		}
	}
	return desktop{client}
}

func (d desktop) get(ctx context.Context, account string) (string, error) {
	value, err := d.Get(ctx, account)
	if errors.Is(err, secretservice.ErrNotFound) {
		err = ErrNotFound
	}
	return value, err
}

// set returns the value itself: a service that has written it has it.
func (d desktop) set(ctx context.Context, account, value string) (string, error) {
	return value, d.Set(ctx, account, value)
}

func (d desktop) remove(ctx context.Context, account string) error { return d.Remove(ctx, account) }

func (d desktop) list(ctx context.Context) (map[string]string, error) { return d.List(ctx, isDigest) }

func (d desktop) locked(ctx context.Context) (bool, error) { return d.Locked(ctx) }

// systemProblem sorts an error of the Secret Service.
func systemProblem(err error) (Problem, error) {
	if e, ok := errors.AsType[*secretservice.Error](err); ok {
		return Problem(e.Problem), e.Err
	}
	return Refused, errors.New(secret.Quote(err.Error()))
}
