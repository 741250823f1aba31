package run

import (
	"context"
	"fmt"
	"time"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/cli/verb/formats"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/moment"
)

// renewal is what keeps a token file fresh.
type renewal struct {
	*verb.Deps
	client *client.Client
	file   *tokenFile
	// retries are those since the last token.
	retries client.Retries
	// wait returns when a time has come, or with an error when ctx has ended before.
	wait func(ctx context.Context, due time.Time) error
}

// keepFresh replaces the token before it expires, until ctx ends or the service refuses.
// A token whose end nobody knows stays.
func (r *renewal) keepFresh(ctx context.Context, answer broker.Answer) {
	for answer.Token.Lifetime > 0 {
		if client.Refused(answer.Unrenewed) {
			r.UI.Warn(fmt.Sprintf("the token file is not renewed any more: %v", answer.Unrenewed))
			return
		}
		due := r.retries.Due(answer, r.client.FreshUntil(answer.Token), r.Now())
		next, err := r.next(ctx, due)
		for err != nil && ctx.Err() == nil {
			if client.Refused(err) {
				r.UI.Warn(fmt.Sprintf("the token file is not renewed any more: %v", err))
				return
			}
			due = r.retries.After(err, r.Now())
			r.UI.Warn(fmt.Sprintf("the token file is not renewed, next try at %s: %v", moment.Text(due), err))
			next, err = r.next(ctx, due)
		}
		if ctx.Err() != nil {
			return
		}
		answer = next
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
