package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
)

// notFetched stands for the token in a dry run that finds none in the store.
const notFetched = "a-token-that-is-not-fetched-in-a-dry-run"

// present returns a valid token for an operation: from the cache, refreshed or
// issued. A dry run takes what is stored, valid or not; where nothing is, the token
// request comes before the operation's.
func (s *session) present(ctx context.Context) (providers.Session, broker.Answer, error) {
	if s.dryRun != nil {
		record, err := s.stored(ctx)
		if err != nil {
			return providers.Session{}, broker.Answer{}, err
		}
		if record == nil {
			if _, err := s.token(ctx); !errors.Is(err, oauth.ErrDryRun) {
				return providers.Session{}, broker.Answer{}, err
			}
			return providers.Session{AccessToken: secret.New(notFetched)}, broker.Answer{}, nil
		}
		return sessionOf(record.Token), broker.Answer{Token: record.Token}, nil
	}
	answer, err := s.token(ctx)
	if err == nil {
		s.setup.app.tellOfScopes(s, answer)
	}
	return sessionOf(answer.Token), answer, err
}

func sessionOf(t oauth.Token) providers.Session {
	return providers.Session{AccessToken: t.AccessToken, RefreshToken: t.RefreshToken, Scope: t.Scope}
}

// withToken runs an operation with a token. One from the cache that the service
// does not accept any more is renewed once.
func (s *session) withToken(ctx context.Context, do func(context.Context, providers.Session) error) error {
	with, answer, err := s.present(ctx)
	if err != nil {
		return err
	}
	err = s.bounded(ctx, with, do)
	refused, ok := errors.AsType[*providers.Failure](err)
	if !ok || !refused.StaleToken || answer.Source != broker.SourceCache {
		return err
	}
	s.request.ForceRefresh = true
	answer, renewed := s.token(ctx)
	if failure, ok := errors.AsType[*providers.Failure](renewed); ok && failure.Reason == providers.ReasonLogin {
		return err
	}
	if renewed != nil {
		return fmt.Errorf("renewing a token that the service did not accept: %w", renewed)
	}
	return s.bounded(ctx, sessionOf(answer.Token), do)
}

// bounded gives an operation the time that a call may take.
func (s *session) bounded(
	ctx context.Context, with providers.Session, do func(context.Context, providers.Session) error,
) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return do(ctx, with)
}

// stored returns what is cached for the session, nil when nothing is.
func (s *session) stored(ctx context.Context) (*store.Record, error) {
	record, err := s.broker.Stored(ctx, s.request)
	s.unopened, _ = errors.AsType[*store.UnopenedError](err)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return record, err
}
