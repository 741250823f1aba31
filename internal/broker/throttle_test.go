package broker_test

import (
	"errors"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/store"
)

// TestThrottledWithoutRetryAfter: nobody asks for a second, then for twice as long each
// time, up to a minute; a token, or the service's own word, begins anew.
func TestThrottledWithoutRetryAfter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	notBefore, throttling := time.Time{}, true
	w.onIssue = func(int) (oauth.Token, error) {
		if !throttling {
			return w.newToken("issued", 600*time.Second), nil
		}
		return oauth.Token{}, &providers.Failure{
			Reason: providers.ReasonTemporary, Message: "too much", Throttled: true, NotBefore: notBefore,
		}
	}
	throttled := func(want time.Duration, asked int32) {
		t.Helper()
		before := w.issues.Load()
		_, err := w.Token(t.Context(), broker.Request{Label: store.Label{Profile: "p"}, Provider: w.service})
		failure, ok := errors.AsType[*providers.Failure](err)
		if !ok || failure.NotBefore.Sub(w.now()) != want || w.issues.Load()-before != asked {
			t.Errorf("%+v, %d requests; want to wait %s after %d", err, w.issues.Load()-before, want, asked)
		}
	}
	for _, seconds := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
		wait := time.Duration(seconds) * time.Second
		throttled(wait, 1)
		w.advance(wait - time.Millisecond)
		throttled(time.Millisecond, 0)
		w.advance(time.Millisecond)
	}
	w.advance(time.Minute)
	throttled(time.Second, 1)
	w.advance(time.Second)
	throttled(2*time.Second, 1)
	w.advance(2 * time.Second)
	throttling = false
	w.want(t, "issued issued")
	throttling = true
	w.advance(600 * time.Second)
	throttled(time.Second, 1)
	w.advance(time.Second)
	notBefore = w.now().Add(9 * time.Second)
	throttled(9*time.Second, 1)
	w.advance(9 * time.Second)
	notBefore = time.Time{}
	throttled(time.Second, 1)
}
