package broker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/tokenkey"
)

// down is a service that is down, and refusing one that refuses the credentials.
func down(int) (oauth.Token, error) {
	return oauth.Token{}, &providers.Failure{Reason: providers.ReasonTemporary, Message: "down"}
}

func refusing(int) (oauth.Token, error) {
	return oauth.Token{}, &providers.Failure{Reason: providers.ReasonCredentials, Message: "refused"}
}

func prompting(r *broker.Request) { r.Ask = func(context.Context) error { return nil } }

// What becomes of a token of 600 s at an age: the soft time is at 400 s, the margin begins at 540 s,
// the floor at 590 s.
func TestWhatATokenAtHandIsGoodFor(t *testing.T) {
	answers := func(onIssue func(int) (oauth.Token, error)) func(*world) {
		return func(w *world) { w.onIssue = onIssue }
	}
	held := func(w *world) { w.Store = heldStore{w.Store} }
	working := func(*world) {}
	for _, row := range []struct {
		name string
		// age is in seconds.
		age     int
		service func(*world)
		want    string
		// warned is part of the one warning, empty when there is none.
		warned string
		change []func(*broker.Request)
	}{
		{"before its soft time", 399, working, "issued-1 cache", "", nil},
		{"from its soft time on", 400, working, "issued-2 issued", "", nil},
		{"another renews", 539, held, "issued-1 cache", "", nil},
		{"down", 400, answers(down), "issued-1 cache", "", nil},
		{"down, near the margin", 539, answers(down), "issued-1 cache", "", nil},
		{"down, past the margin", 540, answers(down), "issued-1 cache", "ends in 1m and could not be renewed: down", nil},
		{"down, near the floor", 589, answers(down), "issued-1 cache", "ends in 11s and could not be renewed: down", nil},
		{"down, at the floor", 590, answers(down), "error: down", "", nil},
		{"past the margin", 540, working, "issued-2 issued", "", nil},
		{"refused early", 400, answers(refusing), "issued-1 cache", "ends in 3m20s and could not be renewed: refused", nil},
		{"refused past the margin", 540, answers(refusing), "error: refused", "", nil},
		{"a hard bound, soft", 400, answers(down), "issued-1 cache", "", []func(*broker.Request){minTTL(199 * time.Second)}},
		{"a hard bound", 400, answers(down), "error: down", "", []func(*broker.Request){minTTL(200 * time.Second)}},
		{"a low hard bound", 590, answers(down), "issued-1 cache", "", []func(*broker.Request){minTTL(9 * time.Second)}},
		{"forced", 100, answers(down), "error: down", "", []func(*broker.Request){force}},
		{"a person would be asked", 539, working, "issued-1 cache", "", []func(*broker.Request){prompting}},
		{"a person is asked", 540, working, "issued-2 issued", "", []func(*broker.Request){prompting}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			w.want(t, "issued-1 issued")
			w.advance(time.Duration(row.age) * time.Second)
			row.service(w)
			w.want(t, row.want, row.change...)
			switch {
			case row.warned == "" && len(w.warnings) > 0:
				t.Errorf("warnings: %q", w.warnings)
			case row.warned != "" && (len(w.warnings) != 1 || !strings.Contains(w.warnings[0], row.warned)):
				t.Errorf("warnings: %q, want one with %q", w.warnings, row.warned)
			}
		})
	}
}

// heldStore is a store whose locks another holds for ever.
type heldStore struct{ store.Store }

func (heldStore) TryLock(context.Context, tokenkey.Key) (store.Lock, error) {
	return nil, &store.LockError{Busy: true, Path: "x", Err: errors.New("it is held")}
}

// A login whose refresh token is gone cannot be renewed without a person, and is served to its
// margin.
func TestALoginWithoutARefreshTokenIsNotRenewedEarly(t *testing.T) {
	w := newWorld(t)
	w.grant = oauth.AuthorizationCode
	r := broker.Request{Label: store.Label{Profile: "p"}, Provider: w.service}
	if err := w.Keep(t.Context(), r, w.newToken("login", 600*time.Second)); err != nil {
		t.Fatal(err)
	}
	w.advance(539 * time.Second)
	w.want(t, "login cache")
	if n := w.issues.Load(); n != 0 {
		t.Errorf("asked %d times", n)
	}
}

// Whose renewal fails leaves word of that: the next is not tried before its pause is over, each
// pause is twice as long, and all of them leave time for another try.
func TestARenewalThatFailsIsRepeatedEverLater(t *testing.T) {
	w := newWorld(t)
	w.want(t, "issued-1 issued")
	w.advance(400 * time.Second)
	w.onIssue = down
	var tries []int
	for second := 400; second < 590; second++ {
		before := w.issues.Load()
		w.want(t, "issued-1 cache")
		if w.issues.Load() != before {
			tries = append(tries, second)
		}
		w.advance(time.Second)
	}
	// 1, 2, 4, 8, 16, 32 s, then a quarter of what is left until the floor.
	for i, want := range []int{400, 401, 403, 407, 415, 431, 463} {
		if i >= len(tries) || tries[i] != want {
			t.Fatalf("tried at %v", tries)
		}
	}
	if last := tries[len(tries)-1]; last < 585 || len(tries) > 30 {
		t.Errorf("tried at %v", tries)
	}
	w.onIssue = nil
	w.advance(-5 * time.Second)
	asked := w.issues.Load()
	w.want(t, "issued-1 cache") // the clock went back into the last pause
	if w.issues.Load() != asked {
		t.Error("asked within a pause")
	}
}

// A slow service is waited for a moment while the token at hand is good, and longer once it is not.
func TestARenewalIsNotWaitedForLong(t *testing.T) {
	for _, row := range []struct {
		name      string
		age, want time.Duration
		source    string
	}{
		{"soft", 400 * time.Second, 5 * time.Second, "issued-1 cache"},
		{"past the margin", 560 * time.Second, 24 * time.Second, "issued-1 cache"},
		{"none to serve", 590 * time.Second, 30 * time.Second, "error: no answer"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.Now = time.Now
				slow := &hangingService{service: w.service}
				r := broker.Request{Label: store.Label{Profile: "p"}, Provider: slow, Timeout: 30 * time.Second}
				if _, err := w.Token(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				<-time.After(row.age)
				slow.hangs = true
				began := time.Now()
				answer, err := w.Token(t.Context(), r)
				got := "error: no answer"
				if err == nil {
					got = answer.Token.AccessToken.Reveal() + " " + string(answer.Source)
				}
				if took := time.Since(began); took != row.want || got != row.source {
					t.Errorf("got %s after %s, want %s after %s", got, took, row.source, row.want)
				}
				if err != nil {
					return
				}
				// Nobody else waits for what has just been waited for in vain.
				began = time.Now()
				if _, err := w.Token(t.Context(), r); err != nil || time.Since(began) > 0 {
					t.Errorf("the next waited %s: %v", time.Since(began), err)
				}
			})
		})
	}
}

// hangingService answers at once until it hangs.
type hangingService struct {
	*service
	hangs bool
}

func (s *hangingService) Issue(ctx context.Context) (oauth.Token, error) {
	if s.hangs {
		<-ctx.Done()
		return oauth.Token{}, &providers.Failure{Reason: providers.ReasonTemporary, Message: "no answer", Err: ctx.Err()}
	}
	token, err := s.service.Issue(ctx)
	token.RequestedAt = time.Now()
	return token, err
}

// Whoever stalls until the token at hand has become too old waits for a new one like anybody else.
func TestATokenAtHandThatEndsMeanwhile(t *testing.T) {
	for name, stall := range map[string]func(*world) broker.Provider{
		"before it waits for another": func(w *world) broker.Provider {
			w.Store = &stallingStore{Store: w.Store}
			return w.service
		},
		"while it asks": func(w *world) broker.Provider { return &stallingService{service: w.service} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.Now = time.Now
				r := broker.Request{Label: store.Label{Profile: "p"}, Provider: &hangingService{service: w.service}, Timeout: time.Minute}
				if _, err := w.Token(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				<-time.After(588 * time.Second)
				r.Provider = stall(w)
				answer, err := w.Token(t.Context(), r)
				if err != nil || answer.Token.AccessToken.Reveal() != "issued-2" {
					t.Errorf("got %v from %q, want a new token", err, answer.Source)
				}
			})
		})
	}
}

// stallingStore has its lock held by another at first, and the second time takes five seconds to say so.
type stallingStore struct {
	store.Store
	tries int
}

func (s *stallingStore) TryLock(ctx context.Context, key tokenkey.Key) (store.Lock, error) {
	s.tries++
	switch s.tries {
	case 2:
		<-time.After(5 * time.Second)
	case 3:
		return s.Store.TryLock(ctx, key)
	}
	return heldStore{s.Store}.TryLock(ctx, key)
}

func (s *stallingStore) Wait(ctx context.Context, _ tokenkey.Key) (store.Note, error) {
	select {
	case <-time.After(5 * time.Second):
		return store.Note{}, nil
	case <-ctx.Done():
		return store.Note{}, &store.LockError{Busy: true, Path: "x", Err: ctx.Err()}
	}
}

// stallingService does not answer the first time, and the process notices late that its time is over.
type stallingService struct {
	*service
	asked bool
}

func (s *stallingService) Issue(ctx context.Context) (oauth.Token, error) {
	if s.asked {
		return s.service.Issue(ctx)
	}
	s.asked = true
	<-ctx.Done()
	<-time.After(5 * time.Second)
	return oauth.Token{}, &providers.Failure{Reason: providers.ReasonTemporary, Message: "no answer", Err: ctx.Err()}
}

// A refresh token that is sent is waited for with all the time there is: broken off, it would be
// lost. Others are served meanwhile.
func TestARefreshIsNotBrokenOffEarly(t *testing.T) {
	w := newWorld(t)
	w.withRefresh()
	w.want(t, "issued-1 issued")
	w.advance(70 * time.Second)
	w.onFresh = func(int, string) (oauth.Token, error) {
		w.want(t, "issued-1 cache")
		return w.newToken("refreshed", 100*time.Second), nil
	}
	var deadline bool
	w.beforeFresh = func() error { return nil }
	r := broker.Request{Label: store.Label{Profile: "p"}, Provider: &watching{w.service, &deadline}}
	answer, err := w.Token(t.Context(), r)
	if err != nil || answer.Source != broker.SourceRefreshed || deadline {
		t.Errorf("%v from %s, with a deadline: %v", err, answer.Source, deadline)
	}
}

// watching notes whether a refresh has a deadline.
type watching struct {
	*service
	deadline *bool
}

func (s *watching) Refresh(ctx context.Context, refreshToken secret.Secret) (oauth.Token, error) {
	_, *s.deadline = ctx.Deadline()
	return s.service.Refresh(ctx, refreshToken)
}

// What is refused while the token at hand is good is told to whoever asked, and not asked for
// again before it has to be.
func TestARefusedRenewalIsNotRepeated(t *testing.T) {
	w := newWorld(t)
	w.want(t, "issued-1 issued")
	w.onIssue = refusing
	for _, age := range []int{400, 401, 410, 539} {
		w.clock.t = start.Add(time.Duration(age) * time.Second)
		w.want(t, "issued-1 cache")
	}
	if n := w.issues.Load(); n != 2 || len(w.warnings) != 1 {
		t.Errorf("asked %d times, warnings %q", n, w.warnings)
	}
	w.clock.t = start.Add(540 * time.Second)
	w.want(t, "error: refused")
}

// A command that fetches the secret is cut off by patience too: that it takes long is no mistake.
func TestASecretThatTakesLongCostsNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Now = time.Now
		r := broker.Request{Label: store.Label{Profile: "p"}, Provider: &hangingService{service: w.service}, Timeout: time.Minute}
		if _, err := w.Token(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		<-time.After(560 * time.Second)
		r.Provider = &secretless{w.service}
		if answer, err := w.Token(t.Context(), r); err != nil || answer.Token.AccessToken.Reveal() != "issued-1" || answer.Unrenewed == nil {
			t.Errorf("%v, not renewed because of %v", err, answer.Unrenewed)
		}
	})
}

// secretless is a provider whose secret does not come.
type secretless struct{ *service }

func (s *secretless) Issue(ctx context.Context) (oauth.Token, error) {
	<-ctx.Done()
	return oauth.Token{}, errors.New("client_secret from cmd:pass …: it did not end in time")
}
