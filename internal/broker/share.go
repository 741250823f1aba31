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

const (
	// refusalWindow is how long a refusal answers those who come a moment later
	// with the same credentials and settings. Fifty processes that are started at once do not
	// begin at once; nobody mends a secret in a second.
	refusalWindow = time.Second
	// maxNotBefore bounds how long a Retry-After of one process stops the
	// others: a service that says "in a year" must not lock a profile for good.
	maxNotBefore = 5 * time.Minute
	// firstPause and longestPause are what a service that throttles is left alone for
	// where it does not say how long: twice as long each time it does so again.
	firstPause, longestPause = time.Second, time.Minute
)

// share leaves a failure for those who wait for the lock. What ended because this
// process was interrupted, or had no time left, is its own affair: the others have
// not been told anything by the service, unless that said when to come back. Nor does
// it take the place of the word that a refresh token is spent.
func (f *fetch) share(ctx context.Context, err error) {
	var failure *providers.Failure
	pause := time.Duration(0)
	if errors.As(err, &failure) && failure.Throttled {
		pause = f.pause(failure)
	}
	if f.spent || failure == nil || over(ctx) && failure.NotBefore.IsZero() {
		return
	}
	note := store.Note{
		At: f.now(), NotBefore: failure.NotBefore, Pause: pause,
		Reason: string(failure.Reason), Message: failure.Message, Hint: failure.Hint,
		Credentials: f.credentials(ctx, rand.Text()), Asked: f.asks(rand.Text()),
	}
	if err := f.held.Leave(note); err != nil {
		f.explain("lock: the failure could not be left for others: %v", err)
	}
}

// pause gives a failure of a service that throttles and does not say for how long the
// moment when to ask again, and returns how long that is; 0 where the service said.
func (f *fetch) pause(failure *providers.Failure) time.Duration {
	if !failure.NotBefore.IsZero() {
		return 0
	}
	pause := firstPause
	if last := f.before; last.Pause > 0 && f.now().Sub(last.NotBefore) < longestPause {
		pause = min(2*last.Pause, longestPause)
	}
	failure.NotBefore = f.now().Add(pause)
	f.explain("service: it throttles and does not say for how long: nobody asks for %s", pause)
	return pause
}

// over reports whether ctx has ended or is about to: a connection's own timer, set
// to the same moment, may go off first.
func over(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && time.Until(deadline) <= 0
}

// shared returns the failure of the process that held the lock before, where it
// answers this request too.
func (f *fetch) shared(ctx context.Context, note store.Note) *providers.Failure {
	now := f.now()
	if note.Reason == "" || note.Reason == reasonRefreshing || note.At.After(now.Add(clockSlack)) {
		return nil
	}
	if !f.answers(note, now) || !f.sameRequest(note, now) || !f.sameCredentials(ctx, note) {
		return nil
	}
	ago := moment.Lasting(max(0, now.Sub(note.At)))
	f.explain("lock: another process was told %s ago: %s", ago, note.Reason)
	return &providers.Failure{
		Reason: providers.Reason(note.Reason), Hint: note.Hint, NotBefore: note.NotBefore,
		Message: fmt.Sprintf("%s (so another call was told %s ago)", note.Message, ago),
	}
}

// answers reports whether a failure is recent enough to stand for our own.
func (f *fetch) answers(note store.Note, now time.Time) bool {
	switch {
	case !note.At.Before(f.began):
		return true
	case now.Before(note.NotBefore):
		return now.Sub(note.At) < maxNotBefore
	case f.ForceRefresh:
		return false
	}
	switch providers.Reason(note.Reason) {
	case providers.ReasonCredentials, providers.ReasonScope, providers.ReasonConfig:
		return now.Sub(note.At) < refusalWindow
	default:
		return false
	}
}

// sameRequest reports whether this process would have asked in the same way: with
// another setting, proxy or certificate the answer may be another. A Retry-After binds
// whatever they are.
func (f *fetch) sameRequest(note store.Note, now time.Time) bool {
	salt, _, ok := strings.Cut(note.Asked, ":")
	return !ok || now.Before(note.NotBefore) || f.asks(salt) == note.Asked
}

// sameCredentials reports whether this process would have asked with the
// credentials that were refused. Who waited does not look: fetching them may run a
// command, and the answer came to all. A Retry-After binds whatever they are.
func (f *fetch) sameCredentials(ctx context.Context, note store.Note) bool {
	salt, _, ok := strings.Cut(note.Credentials, ":")
	if !ok || !note.At.Before(f.began) || providers.Reason(note.Reason) == providers.ReasonTemporary {
		return true
	}
	return f.credentials(ctx, salt) == note.Credentials
}

func (f *fetch) credentials(ctx context.Context, salt string) string {
	if f.Tag == nil {
		return ""
	}
	tag, err := f.Tag(ctx, salt)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s:%s", salt, tag)
}

func (f *fetch) asks(salt string) string {
	if f.Asks == nil {
		return ""
	}
	return salt + ":" + f.Asks(salt)
}
