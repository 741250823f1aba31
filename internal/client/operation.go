package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/openid"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
)

// notFetched stands for the token in a dry run that finds none in the store.
const notFetched = "a-token-that-is-not-fetched-in-a-dry-run"

// Operation asks a service something with a token.
type Operation func(ctx context.Context, with providers.Session) error

// With runs an operation with a valid token. One from the cache that the service does not
// accept any more is renewed once.
func (c *Client) With(ctx context.Context, do Operation) error {
	with, answer, err := c.Present(ctx)
	if err != nil {
		return err
	}
	err = c.Bounded(ctx, with, do)
	refused, ok := errors.AsType[*providers.Failure](err)
	if !ok || !refused.StaleToken || answer.Source != broker.SourceCache {
		return err
	}
	c.renew()
	answer, renewed := c.Token(ctx)
	if failure, ok := errors.AsType[*providers.Failure](renewed); ok && failure.Reason == providers.ReasonLogin {
		return err
	}
	if renewed != nil {
		return fmt.Errorf("renewing a token that the service did not accept: %w", renewed)
	}
	return c.Bounded(ctx, SessionOf(answer.Token), do)
}

// Present returns a valid token for an operation: from the cache, refreshed or issued. A
// dry run takes what is stored, valid or not; where nothing is, the token request comes
// before the operation's.
func (c *Client) Present(ctx context.Context) (providers.Session, broker.Answer, error) {
	if c.Options.DryRun {
		record, err := c.Stored(ctx)
		if store.Down(c.Store(), err) != nil {
			err = nil
		}
		if err != nil {
			return providers.Session{}, broker.Answer{}, err
		}
		if record == nil {
			if _, err := c.Token(ctx); !errors.Is(err, oauth.ErrDryRun) {
				return providers.Session{}, broker.Answer{}, err
			}
			return providers.Session{AccessToken: secret.New(notFetched)}, broker.Answer{}, nil
		}
		return SessionOf(record.Token), broker.Answer{Token: record.Token}, nil
	}
	answer, err := c.Token(ctx)
	if err == nil && c.Options.Using != nil {
		c.Options.Using(c, answer)
	}
	return SessionOf(answer.Token), answer, err
}

// SessionOf is what an operation needs of a token.
func SessionOf(t oauth.Token) providers.Session {
	return providers.Session{AccessToken: t.AccessToken, RefreshToken: t.RefreshToken, IDToken: t.IDToken, Scope: t.Scope}
}

// Bounded gives an operation the time that a call may take.
func (c *Client) Bounded(ctx context.Context, with providers.Session, do Operation) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	return do(ctx, with)
}

// DryRun returns the requests that a dry run kept, as text, where err is
// oauth.ErrDryRun; any other error stays one. discovery says that the first of them asks
// where the next one goes.
func (c *Client) DryRun(err error) (text string, discovery bool, _ error) {
	if !errors.Is(err, oauth.ErrDryRun) {
		return "", false, err
	}
	var b strings.Builder
	key := c.Key()
	of := oauth.Fingerprints{ClientID: key.ClientID, TokenURL: cmp.Or(key.TokenURL, key.Issuer)}
	for i, request := range c.http.DryRun.Requests(of) {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(request.Text)
		discovery = discovery || strings.HasSuffix(request.URL.Path, openid.DiscoveryPath)
	}
	return b.String(), discovery, nil
}
