package client

import (
	"errors"
	"slices"
	"time"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/providers"
)

// LeastWait and MostWait bound the time after which a token is asked for again by what lives longer than
// a token.
const (
	LeastWait = time.Second
	MostWait  = 30 * time.Second
)

// Retries tell what lives longer than a token when to ask again after a failure. The zero value
// is one without failures, and so is what a token is had with again.
type Retries struct{ failures int }

// After is when to ask again: later each time, within bounds, and never earlier than the service
// says.
func (r *Retries) After(err error, now time.Time) time.Time {
	at := now.Add(min(LeastWait<<min(r.failures, 5), MostWait))
	r.failures++
	if failure, ok := errors.AsType[*providers.Failure](err); ok && failure.NotBefore.After(at) {
		return failure.NotBefore
	}
	return at
}

// Due is when to ask for the next token after an answer: when that is due, which fresh says, and where it
// is already, or the service has just not renewed it, after a while.
func (r *Retries) Due(answer broker.Answer, fresh, now time.Time) time.Time {
	if answer.Unrenewed != nil {
		return r.After(answer.Unrenewed, now)
	}
	*r = Retries{}
	if fresh.After(now) {
		return fresh
	}
	return now.Add(min(max(answer.Token.Expiry().Sub(now)/2, LeastWait), MostWait))
}

// Refused reports whether asking again would only send the same to be refused again: a
// service may lock the client out for it.
func Refused(err error) bool {
	failure, ok := errors.AsType[*providers.Failure](err)
	return ok && slices.Contains([]providers.Reason{
		providers.ReasonCredentials, providers.ReasonLogin, providers.ReasonScope, providers.ReasonConfig,
	}, failure.Reason)
}
