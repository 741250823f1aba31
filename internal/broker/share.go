package broker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/store"
)

// refusalWindow is how long a refusal answers those who come a moment later
// with the same credentials and settings. Fifty processes that are started at once do not
// begin at once; nobody mends a secret in a second.
const refusalWindow = time.Second

// share leaves a failure for those who wait for the lock, and for all whose token can still be
// served, when to renew it. What ended because this process was interrupted, or had no time left,
// is its own affair: the others have not been told anything by the service, unless that said when
// to come back. Nor does it take the place of the word that a refresh token is spent.
func (h *holder) share(asking context.Context, err error) {
	note := store.Note{At: h.Now()}
	failure, ok := errors.AsType[*providers.Failure](err)
	if !ok && h.Store.Shared() {
		// The service was not asked: what this machine lacks is nothing to another.
		return
	}
	if ok {
		pause := h.pause(failure)
		if !over(asking) || !failure.NotBefore.IsZero() {
			note = store.Note{
				At: note.At, NotBefore: failure.NotBefore, Pause: pause,
				Reason: string(failure.Reason), Message: failure.Message, Hint: failure.Hint,
				Credentials: h.credentials(asking, rand.Text()), Asked: h.asked(rand.Text()),
			}
		}
	}
	note.Renew = h.rest(err)
	alone := note.Reason == "" && (note.Renew.IsZero() || errors.Is(asking.Err(), context.Canceled))
	if h.spent || alone {
		return
	}
	if before := h.before.Renew; before.After(note.Renew) && before.After(note.At) {
		// Who has no token that can be served must ask, and that is no news for the others.
		note.Renew = before
	}
	h.noted = true
	if err := h.lock.Leave(note); err != nil {
		h.Explain("lock: the failure could not be left for others: %v", err)
	}
}

// over reports whether ctx has ended or is about to: a connection's own timer, set
// to the same moment, may go off first.
func over(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && time.Until(deadline) <= 0
}

// shared returns the failure of the process that held the lock before, where it
// answers this request too.
func (c *call) shared(ctx context.Context, note store.Note) *providers.Failure {
	now := c.Now()
	if note.Reason == "" || note.Reason == reasonRefreshing || note.At.After(now.Add(clockSlack)) ||
		!c.answers(note, now) || !c.sameRequest(note, now) || !c.sameCredentials(ctx, note) {
		return nil
	}
	failure := c.told(note)
	c.Explain("lock: another process was told: %v", failure)
	return failure
}

// told is the failure of a note.
func (c *call) told(note store.Note) *providers.Failure {
	ago := moment.Lasting(max(0, c.Now().Sub(note.At)))
	if note.Reason == "" {
		return &providers.Failure{
			Reason:  providers.ReasonTemporary,
			Message: fmt.Sprintf("another call tried %s ago, in vain", ago),
		}
	}
	return &providers.Failure{
		Reason: providers.Reason(note.Reason), Hint: note.Hint, NotBefore: note.NotBefore,
		Message: fmt.Sprintf("%s (so another call was told %s ago)", note.Message, ago),
	}
}

// answers reports whether a failure is recent enough to stand for our own.
func (c *call) answers(note store.Note, now time.Time) bool {
	age := now.Sub(note.At)
	switch {
	case !note.At.Before(c.began):
		return true
	case now.Before(note.NotBefore):
		return age < maxNotBefore
	case c.ForceRefresh:
		return false
	}
	switch providers.Reason(note.Reason) {
	case providers.ReasonCredentials, providers.ReasonScope, providers.ReasonConfig:
		return age < refusalWindow
	default:
		return false
	}
}

// sameRequest reports whether this process would have asked in the same way: with
// another setting, proxy or certificate the answer may be another. A Retry-After binds
// whatever they are.
func (c *call) sameRequest(note store.Note, now time.Time) bool {
	salt, _, ok := strings.Cut(note.Asked, ":")
	return !ok || now.Before(note.NotBefore) || c.asked(salt) == note.Asked
}

// sameCredentials reports whether this process would have asked with the
// credentials that were refused. Who waited does not look: fetching them may run a
// command, and the answer came to all. A Retry-After binds whatever they are.
func (c *call) sameCredentials(ctx context.Context, note store.Note) bool {
	salt, _, ok := strings.Cut(note.Credentials, ":")
	if !ok || !note.At.Before(c.began) || providers.Reason(note.Reason) == providers.ReasonTemporary {
		return true
	}
	return c.credentials(ctx, salt) == note.Credentials
}

// credentials is what a note says of the credentials: salt and tag, empty when unknown.
func (c *call) credentials(ctx context.Context, salt string) string {
	if c.CredentialsTag == nil {
		return ""
	}
	tag, err := c.CredentialsTag(ctx, salt)
	if err != nil {
		return ""
	}
	return salt + ":" + tag
}

// asked is what a note says of the rest of the request.
func (c *call) asked(salt string) string {
	if c.RequestTag == nil {
		return ""
	}
	return salt + ":" + c.RequestTag(salt)
}
