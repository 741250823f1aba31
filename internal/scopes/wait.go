package scopes

import (
	"errors"
	"time"

	"github.com/authctl/authctl/internal/providers"
)

// Verdict is what a wait for a scope has come to.
type Verdict int

// The verdicts. The zero value is NotYet.
const (
	// NotYet: ask again after a Pause.
	NotYet Verdict = iota
	// Effective: the scope works.
	Effective
	// AskWithout: the refusal may mean the credentials or the scope; ask once
	// without the new scope and hand the result to Without.
	AskWithout
	// Never: waiting mends nothing.
	Never
)

// Wait decides whether a newly added scope works yet. Its use is With, for each
// answer to a request with the scope, and Without when With says so.
type Wait struct {
	// Scopes are those that are waited for.
	Scopes []string
	// proven: a request without them has worked, so the credentials are right.
	proven bool
}

// With judges a request with the scopes: what it got, nil for "as requested", or
// the error. Talkdesk answers 401 both to wrong credentials and to a scope that
// is not effective yet (https://docs.talkdesk.com/docs/scopes).
func (w *Wait) With(got []string, err error) Verdict {
	if err == nil {
		if got == nil || len(Missing(got, w.Scopes)) == 0 {
			return Effective
		}
		return NotYet
	}
	switch reasonOf(err) {
	case providers.ReasonScope, providers.ReasonTemporary:
		return NotYet
	case providers.ReasonCredentials, providers.ReasonConfig:
		if w.proven {
			return NotYet
		}
		return AskWithout
	}
	return Never
}

// Without judges a request without the scopes. When that works, it was the scopes
// that were refused.
func (w *Wait) Without(err error) Verdict {
	if err == nil || reasonOf(err) == providers.ReasonScope {
		w.proven = true
		return NotYet
	}
	if reasonOf(err) == providers.ReasonTemporary {
		return NotYet
	}
	return Never
}

// Pause is how long to wait before the next request: 2 s after the first one,
// doubling up to 30 s, and longer where the service said so (Retry-After). asked
// counts the requests so far.
func Pause(asked int, err error, now time.Time) time.Duration {
	const first, longest = 2 * time.Second, 30 * time.Second
	pause := min(longest, first<<min(max(0, asked-1), 4))
	if failure, ok := errors.AsType[*providers.Failure](err); ok {
		pause = max(pause, failure.NotBefore.Sub(now))
	}
	return pause
}

// reasonOf is empty for what is not the service's answer.
func reasonOf(err error) providers.Reason {
	if failure, ok := errors.AsType[*providers.Failure](err); ok {
		return failure.Reason
	}
	return ""
}
