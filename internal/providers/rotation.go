package providers

import (
	"context"
	"errors"

	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/setting"
)

// rotating has the client ask. Where the service refuses its client_secret, and the profile has the
// one before, it asks once more with that: while a secret is rotated nobody knows which of the two the
// service takes. What is asked for is the same, so the key of the token is too.
func rotating(ctx context.Context, p *Provider, ask func(*Provider) error) error {
	err := ask(p)
	refused, ok := refusedSecret(err)
	if !ok {
		return err
	}
	before, ok := before(p)
	if !ok {
		return err
	}
	if err := moment.Sleep(ctx, p.spec.Pace); err != nil {
		return refused // there is no time for a second request
	}
	again := ask(before)
	switch _, both := refusedSecret(again); {
	case again == nil:
		p.warn(p.spec.short() + " refused client_secret and took " + setting.OldSecret + " of profile " +
			p.settings.Profile + ": that is the one that works")
		return nil
	case both:
		refused.Message += "; " + setting.OldSecret + " is refused too"
		return err
	}
	if _, answered := errors.AsType[*Failure](again); !answered {
		refused.Message += "; " + setting.OldSecret + " cannot be tried: " + again.Error()
		return err
	}
	return again
}

// refusedSecret returns the failure of a client whose own credentials are refused.
func refusedSecret(err error) (*Failure, bool) {
	failure, ok := errors.AsType[*Failure](err)
	return failure, ok && failure.Client
}

// before is the same client with the secret before; false where there is none.
func before(p *Provider) (*Provider, bool) {
	other := *p
	var ok bool
	if other.settings, ok = p.settings.Before(); !ok {
		return nil, false
	}
	var err error
	other.auth, err = other.authFor(other.endpoints[tokenEndpoint])
	return &other, err == nil
}

func (p *Provider) warn(text string) {
	if p.client.Warn != nil {
		p.client.Warn(text)
	}
}
