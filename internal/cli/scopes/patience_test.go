package scopes

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/google/go-cmp/cmp"
)

// answers is a service that gives one answer after the other, and a clock that only
// sleeping moves.
type answers struct {
	list  []error
	asked [][]string
	at    time.Time
	shown int
}

func (a *answers) wait() *asking {
	w := &asking{
		wait: scopes.Wait{Scopes: []string{"new"}}, all: []string{"old", "new"}, rest: []string{"old"},
		patience: usualPatience, clear: func() {}, show: func(time.Duration) { a.shown++ },
		now: func() time.Time { return a.at },
		sleep: func(ctx context.Context, d time.Duration) error {
			a.at = a.at.Add(d)
			return context.Cause(ctx)
		},
		timedOut: func() *verb.Error { return &verb.Error{Kind: "scope", Message: "in vain"} },
	}
	w.ask = func(_ context.Context, names []string, _ time.Duration) ([]string, error) {
		a.asked = append(a.asked, names)
		return nil, a.list[min(len(a.asked), len(a.list))-1]
	}
	return w
}

func TestWait(t *testing.T) {
	t.Parallel()
	var (
		scope  = &providers.Failure{Reason: providers.ReasonScope, Message: "scope"}
		secret = &providers.Failure{Reason: providers.ReasonCredentials, Message: "secret"}
		away   = &providers.Failure{Reason: providers.ReasonTemporary, Message: "away"}
		busy   = &providers.Failure{Reason: providers.ReasonTemporary, Message: "busy", NotBefore: time.Unix(90, 0)}
		later  = &providers.Failure{Reason: providers.ReasonTemporary, Message: "later", NotBefore: time.Unix(601, 0)}
		last   = &providers.Failure{Reason: providers.ReasonTemporary, Message: "last", NotBefore: time.Unix(600, 0)}
		login  = &providers.Failure{Reason: providers.ReasonLogin, Message: "login"}
		noHost = &providers.Failure{
			Reason: providers.ReasonTemporary, Message: "no host", Err: &net.DNSError{IsNotFound: true},
		}
	)
	for name, c := range map[string]struct {
		list     []error
		once     bool
		want     string
		requests int
		waited   time.Duration
	}{
		"at once":             {[]error{nil}, false, "", 1, 0},
		"after two pauses":    {[]error{scope, scope, nil}, false, "", 3, 6 * time.Second},
		"never":               {[]error{scope}, false, "in vain within 10m, asked 24 times", 24, 10 * time.Minute},
		"not before the end":  {[]error{scope, later}, false, "waited 10m for a scope: later", 2, 2 * time.Second},
		"at the very end":     {[]error{scope, last, nil}, false, "", 3, 10 * time.Minute},
		"wrong secret":        {[]error{secret, secret}, false, "secret", 2, 0},
		"401 for the scope":   {[]error{secret, nil, secret, secret, nil}, false, "", 5, 14 * time.Second},
		"401 and away":        {[]error{secret, away, secret, nil, nil}, false, "", 5, 6 * time.Second},
		"wrong password":      {[]error{secret}, true, "secret", 1, 0},
		"login":               {[]error{login}, false, "login", 1, 0},
		"no such host":        {[]error{noHost}, false, "no host", 1, 0},
		"told when":           {[]error{busy, nil}, false, "", 2, 90 * time.Second},
		"away all the time":   {[]error{away}, false, "waited 10m for a scope: away", 24, 10 * time.Minute},
		"not the service's":   {[]error{errors.New("no secret")}, false, "no secret", 1, 0},
		"away, then it works": {[]error{away, nil}, false, "", 2, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &answers{list: c.list, at: time.Unix(0, 0)}
			w := a.wait()
			w.askOnce = c.once
			got := ""
			if err := w.run(t.Context()); err != nil {
				got = err.Error()
			}
			if waited := a.at.Sub(time.Unix(0, 0)); got != c.want || w.requests != c.requests || waited != c.waited {
				t.Errorf("%q after %d requests and %s, want %q, %d, %s", got, w.requests, waited, c.want, c.requests, c.waited)
			}
			if a.shown != int(c.waited.Seconds()) {
				t.Errorf("the time was shown %d times, want each second of %s", a.shown, c.waited)
			}
		})
	}
}

// TestWaitUsesItsTime: the last pause is cut short, and a last request sent at its end.
func TestWaitUsesItsTime(t *testing.T) {
	t.Parallel()
	for patience, requests := range map[time.Duration]int{
		0: 1, time.Second: 2, 2 * time.Second: 2, 13 * time.Second: 4, 14 * time.Second: 4, 15 * time.Second: 5,
	} {
		a := &answers{at: time.Unix(0, 0), list: []error{&providers.Failure{Reason: providers.ReasonScope}}}
		w := a.wait()
		w.patience = patience
		if err := w.run(t.Context()); err == nil {
			t.Errorf("%s: what is refused is in effect", patience)
		}
		if took := a.at.Sub(time.Unix(0, 0)); took != patience || w.requests != requests {
			t.Errorf("%s: gave up after %s and %d requests, want %d", patience, took, w.requests, requests)
		}
	}
}

// TestWaitAsksWithoutTheNewScope: the second request tells a secret from a scope.
func TestWaitAsksWithoutTheNewScope(t *testing.T) {
	t.Parallel()
	a := &answers{at: time.Unix(0, 0), list: []error{&providers.Failure{Reason: providers.ReasonCredentials}}}
	if err := a.wait().run(t.Context()); err == nil {
		t.Error("refused credentials were taken for a scope in effect")
	}
	if diff := cmp.Diff([][]string{{"old", "new"}, {"old"}}, a.asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	a := &answers{at: time.Unix(0, 0), list: []error{&providers.Failure{Reason: providers.ReasonScope}}}
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	w := a.wait()
	w.show = func(time.Duration) { cancel(stopped) }
	if err := w.run(ctx); !errors.Is(err, stopped) || len(a.asked) != 1 {
		t.Errorf("%v after %d requests", err, len(a.asked))
	}
}
