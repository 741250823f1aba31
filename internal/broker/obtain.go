package broker

import (
	"context"

	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/store"
)

// holder is a call that holds the key's lock, so that it may ask the service.
type holder struct {
	*cache
	// lock is unlocked{} when there is none to be had.
	lock store.Lock
	// before is the note that was there when the lock was taken.
	before store.Note
	// spent says that the store holds a refresh token that has been sent: until it is
	// out of the store, the note that says so stays.
	spent bool
}

// obtain gets a token from the service: by refresh where a refresh token is
// stored, else newly issued.
func (h *holder) obtain(ctx context.Context) (Answer, error) {
	if h.refreshable() {
		if answer, err := h.refresh(ctx); answer.had() || err != nil {
			return answer, err
		}
	}
	h.Explain("service: asking for a new token")
	return h.issue(ctx)
}

// issue asks for a new token.
func (c *call) issue(ctx context.Context) (Answer, error) {
	token, err := c.paced(ctx, func() (oauth.Token, error) { return c.Provider.Issue(ctx) })
	return Answer{Token: token, Source: SourceIssued}, err
}

// keep stores the token and clears the note of an earlier failure. A store that
// cannot be written costs a warning, not the token; but if it still holds a refresh
// token that is spent, the note of that stays.
func (h *holder) keep(ctx context.Context, token oauth.Token) {
	h.judgeLifetime(token)
	err := h.write(ctx, h.record(token))
	switch {
	case err == nil:
	case h.spent && h.key.Grant.NeedsPerson():
		h.warn("the token is not cached: %v; the login has to be repeated when this token ends", err)
	default:
		h.warn("the token is not cached: %v", err)
	}
	if err == nil || !h.spent {
		h.settle()
	}
}

// judgeLifetime warns of a lifetime that makes every call ask the service.
func (h *holder) judgeLifetime(t oauth.Token) {
	switch {
	case t.Lifetime > 0 && h.MinTTL != nil && t.Lifetime <= *h.MinTTL:
		h.warn("the service's tokens live %s, not longer than --min-ttl %s: every call asks for a new one",
			moment.Lasting(t.Lifetime), moment.Lasting(*h.MinTTL))
	case t.Lifetime > 0:
	case t.RefreshToken.IsZero():
		h.warn("the token is not cached: %s", t.LifetimeProblem)
	default:
		h.warn("the token is not cached: %s; every call refreshes it", t.LifetimeProblem)
	}
}
