package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/cli/verb/formats"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/providers"
)

const (
	// leastWait and mostWait bound the time after which a token is asked for again.
	leastWait = time.Second
	mostWait  = 30 * time.Second
)

// renewal is what keeps a token file fresh.
type renewal struct {
	*verb.Deps
	client *client.Client
	file   *tokenFile
	// failures are those since the last token.
	failures int
	// wait returns when a time has come, or with an error when ctx has ended before.
	wait func(ctx context.Context, due time.Time) error
}

// keepFresh replaces the token before it expires, until ctx ends or the service refuses.
// A token whose end nobody knows stays.
func (r *renewal) keepFresh(ctx context.Context, answer broker.Answer) {
	for answer.Token.Lifetime > 0 {
		if refused(answer.Unrenewed) {
			r.UI.Warn(fmt.Sprintf("the token file is not renewed any more: %v", answer.Unrenewed))
			return
		}
		due := r.client.FreshUntil(answer.Token)
		if now := r.Now(); !due.After(now) {
			// Not even a new one lives as long as is asked for.
			due = now.Add(min(max(answer.Token.Expiry().Sub(now)/2, leastWait), mostWait))
		}
		next, err := r.next(ctx, due)
		for err != nil && ctx.Err() == nil {
			if refused(err) {
				r.UI.Warn(fmt.Sprintf("the token file is not renewed any more: %v", err))
				return
			}
			due = r.retryAt(err, r.Now())
			r.UI.Warn(fmt.Sprintf("the token file is not renewed, next try at %s: %v", moment.Text(due), err))
			next, err = r.next(ctx, due)
		}
		if ctx.Err() != nil {
			return
		}
		answer, r.failures = next, 0
	}
}

// next waits until a token is due and puts the next one into the file.
func (r *renewal) next(ctx context.Context, due time.Time) (broker.Answer, error) {
	if err := r.wait(ctx, due); err != nil {
		return broker.Answer{}, err
	}
	answer, err := r.client.Token(ctx)
	if err != nil {
		return broker.Answer{}, err
	}
	r.TellOfScopes(r.client, answer)
	token := formats.New(r.client, answer, r.Now())
	formats.Hide(r.Deps, token)
	return answer, r.file.write(token.AccessToken)
}

// refused reports whether asking again would only send the same to be refused again: a
// service may lock the client out for it.
func refused(err error) bool {
	failure, ok := errors.AsType[*providers.Failure](err)
	return ok && slices.Contains([]providers.Reason{
		providers.ReasonCredentials, providers.ReasonLogin, providers.ReasonScope, providers.ReasonConfig,
	}, failure.Reason)
}

// retryAt is when to ask again after a failure: later each time, within bounds, and
// never earlier than the service says.
func (r *renewal) retryAt(err error, now time.Time) time.Time {
	at := now.Add(min(leastWait<<min(r.failures, 5), mostWait))
	r.failures++
	if failure, ok := errors.AsType[*providers.Failure](err); ok && failure.NotBefore.After(at) {
		return failure.NotBefore
	}
	return at
}
