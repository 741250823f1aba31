package scopes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/term"
)

// usualPatience is how long `scopes wait` waits, and eachRequest how long one of its
// requests may take; lastRequest, one that is sent when the time is up.
const (
	usualPatience = 10 * time.Minute
	eachRequest   = 30 * time.Second
	lastRequest   = 5 * time.Second
)

// asking asks again and again until scopes are in effect.
type asking struct {
	wait scopes.Wait
	// all are asked for; rest, those that are not waited for, tell whether the
	// credentials are right.
	all, rest []string
	// ask sends a request and returns what is in effect, nil for "as requested".
	ask      func(ctx context.Context, names []string, limit time.Duration) ([]string, error)
	now      func() time.Time
	sleep    func(context.Context, time.Duration) error
	patience time.Duration
	// askOnce: credentials that were refused are not sent again.
	askOnce  bool
	show     func(waited time.Duration)
	clear    func()
	timedOut func() *verb.Error
	requests int
}

// run returns nil when the scopes are in effect. Errors are those that waiting does
// not mend, a *verb.Error when there is no time left, and why ctx ended.
func (w *asking) run(ctx context.Context) error {
	defer w.clear()
	began := w.now()
	end := began.Add(w.patience)
	for tries := 1; ; tries++ {
		verdict, err := w.try(ctx, end)
		switch {
		case verdict == scopes.Effective:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case verdict == scopes.Never:
			return err
		}
		until, ok := w.next(tries, err, end)
		if !ok {
			return w.gaveUp(err)
		}
		if err := w.until(ctx, began, until); err != nil {
			return err
		}
	}
}

// next is when to ask again, the last time at the very end. It is not ok when there is
// no time left, or none before the service wants to be asked again.
func (w *asking) next(tries int, err error, end time.Time) (until time.Time, ok bool) {
	now := w.now()
	if failure, is := errors.AsType[*providers.Failure](err); !now.Before(end) || is && failure.NotBefore.After(end) {
		return time.Time{}, false
	}
	until = now.Add(scopes.Pause(tries, err, now))
	if until.After(end) {
		until = end
	}
	return until, true
}

// until passes the time, a second at a time so that it is seen to pass.
func (w *asking) until(ctx context.Context, began, until time.Time) error {
	for left := until.Sub(w.now()); left > 0; left = until.Sub(w.now()) {
		w.show(w.now().Sub(began))
		if err := w.sleep(ctx, min(left, time.Second)); err != nil {
			return err
		}
	}
	return nil
}

// try asks once, and once more without the scopes where a refusal can mean two
// things. The error goes with the verdicts NotYet and Never.
func (w *asking) try(ctx context.Context, end time.Time) (scopes.Verdict, error) {
	got, err := w.request(ctx, w.all, end)
	verdict := w.wait.With(got, err)
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return scopes.Never, err
	}
	switch {
	case verdict != scopes.AskWithout:
		return verdict, err
	case w.askOnce:
		return scopes.Never, err
	}
	_, without := w.request(ctx, w.rest, end)
	if verdict = w.wait.Without(without); verdict == scopes.Never {
		return verdict, without
	}
	return verdict, err
}

func (w *asking) request(ctx context.Context, names []string, end time.Time) ([]string, error) {
	w.requests++
	return w.ask(ctx, names, max(min(eachRequest, end.Sub(w.now())), lastRequest))
}

// gaveUp is the end of the patience. Where the last answer was none, that is what is
// wrong, and not the scope.
func (w *asking) gaveUp(err error) error {
	if failure, ok := errors.AsType[*providers.Failure](err); ok && failure.Reason == providers.ReasonTemporary {
		return fmt.Errorf("waited %s for a scope: %w", moment.Lasting(w.patience), err)
	}
	in := w.timedOut()
	asked := term.Counted(w.requests, "time")
	in.Message = fmt.Sprintf("%s within %s, asked %s", in.Message, moment.Lasting(w.patience), asked)
	in.Err = err
	return in
}
