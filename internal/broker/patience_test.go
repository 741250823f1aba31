package broker_test

import (
	"context"
	"errors"
	"fmt"
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

func tag(text string) func(*broker.Request) {
	return func(r *broker.Request) {
		r.CredentialsTag = func(_ context.Context, salt string) (string, error) { return secret.New(text).Tag(salt), nil }
	}
}

// One runner has a wrong secret; another, with the right one, asks a minute later.
func TestAnothersRefusalRestsNobody(t *testing.T) {
	w := newWorld(t)
	w.want(t, "issued-1 issued", tag("right"))
	w.advance(400 * time.Second)
	w.onIssue = refusing
	w.want(t, "issued-1 cache", tag("wrong"))
	w.onIssue = nil
	w.advance(60 * time.Second)
	r := broker.Request{Label: store.Label{Profile: "p"}, Provider: w.service}
	tag("right")(&r)
	a, err := w.Token(t.Context(), r)
	if err != nil || a.Source != broker.SourceIssued || a.Unrenewed != nil {
		t.Errorf("%v from %q, not renewed because of %v", err, a.Source, a.Unrenewed)
	}
}

// A runner that cannot even fetch its secret rests nobody on another machine, and all who share its own.
func TestWhatOneMachineLacksRestsNoOther(t *testing.T) {
	for _, row := range []struct {
		shared bool
		want   string
	}{{true, "issued-3 issued"}, {false, "issued-1 cache"}} {
		w := newWorld(t)
		if row.shared {
			w.Store = &engine{Store: w.Store}
		}
		w.want(t, "issued-1 issued")
		w.advance(400 * time.Second)
		w.onIssue = func(int) (oauth.Token, error) { return oauth.Token{}, errors.New("client_secret: no such file") }
		w.want(t, "issued-1 cache")
		w.onIssue = nil
		w.advance(100 * time.Second)
		w.want(t, row.want)
	}
}

// Who must have a new token tells nobody else when to ask.
func TestAHardBoundLeavesThePauseAsItIs(t *testing.T) {
	w := newWorld(t)
	w.want(t, "issued-1 issued")
	w.advance(400 * time.Second)
	w.onIssue = down
	for _, age := range []int{400, 401, 403} {
		w.clock.t = start.Add(time.Duration(age) * time.Second)
		w.want(t, "issued-1 cache")
	}
	w.advance(time.Second)
	w.want(t, "error: down", minTTL(time.Hour))
	asked := w.issues.Load()
	w.advance(time.Second)
	w.want(t, "issued-1 cache")
	if w.issues.Load() != asked {
		t.Error("the pause of 4 s was over after 2")
	}
}

// emptied is a shared store that is flushed after the first look.
type emptied struct {
	engine
	gets int
}

func (e *emptied) Get(ctx context.Context, key tokenkey.Key) (*store.Record, error) {
	e.gets++
	if e.gets == 2 {
		return nil, store.ErrNotFound
	}
	return e.Store.Get(ctx, key)
}

func TestATokenThatIsTakenOutMeanwhileIsNotServedPastItsEnd(t *testing.T) {
	w := newWorld(t)
	e := &emptied{engine: engine{Store: w.Store}}
	w.Store = e
	w.onIssue = func(n int) (oauth.Token, error) {
		if n == 1 {
			return w.newToken("issued-1", 20*time.Second), nil
		}
		w.advance(15 * time.Second) // the service hangs
		return oauth.Token{}, &providers.Failure{Reason: providers.ReasonTemporary, Message: "down"}
	}
	r := broker.Request{Label: store.Label{Profile: "p"}, Provider: w.service}
	e.gets = 10
	if _, err := w.Token(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	w.advance(14 * time.Second)
	e.gets = 0
	ttl := 3 * time.Second
	r.MinTTL = &ttl
	a, err := w.Token(t.Context(), r)
	if err == nil && a.Token.Expiry().Sub(w.now()) < ttl {
		t.Error("an expired token is served")
	}
}

// The account's last request was a moment ago by the clock of a machine that is 50 ms ahead.
func TestThePaceIsKeptWithAClockThatIsAhead(t *testing.T) {
	w := newWorld(t)
	account := tokenkey.Key{Provider: "fake", TokenURL: "https://fake.example/token"}
	lock, err := w.Store.Lock(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	_ = lock.Leave(store.Note{At: w.now().Add(50 * time.Millisecond), Reason: "paced"})
	_ = lock.Unlock()
	began := time.Now()
	r := broker.Request{Label: store.Label{Profile: "p"}, Provider: pacedService{w.service}}
	if _, err := w.Token(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(began); d < 20*time.Millisecond {
		t.Errorf("asked after %v", d)
	}
}

func hangingAt(t *testing.T, life, age, timeout time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Now = time.Now
		r := broker.Request{Label: store.Label{Profile: "p"}, Provider: &livingService{w.service, life, false}, Timeout: timeout}
		if _, err := w.Token(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		<-time.After(age)
		r.Provider = &livingService{w.service, life, true}
		began := time.Now()
		a, err := w.Token(t.Context(), r)
		if err != nil || a.Source != broker.SourceCache {
			t.Errorf("after %s: %v from %q", time.Since(began), err, a.Source)
		}
	})
}

type livingService struct {
	*service
	life  time.Duration
	hangs bool
}

func (s *livingService) Issue(ctx context.Context) (oauth.Token, error) {
	if !s.hangs {
		tok := s.newToken("x", s.life)
		tok.RequestedAt = time.Now()
		return tok, nil
	}
	<-ctx.Done()
	return oauth.Token{}, &providers.Failure{Reason: providers.ReasonTemporary, Message: "no answer", Err: ctx.Err()}
}

func TestASlowServiceCostsNoTokenWhateverTheTime(t *testing.T) {
	t.Run("soft, --timeout 3s", func(t *testing.T) { hangingAt(t, time.Hour, 45*time.Minute, 3*time.Second) })
	t.Run("scant, default timeout", func(t *testing.T) { hangingAt(t, time.Hour, time.Hour-58*time.Second, 30*time.Second) })
	t.Run("20 s, before the margin", func(t *testing.T) { hangingAt(t, 20*time.Second, 15500*time.Millisecond, 30*time.Second) })
}

// Patience may end while a shared store answers: then the token at hand is served as if nothing had come.
func TestPatienceThatEndsWithinAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Now = time.Now
		r := broker.Request{Label: store.Label{Profile: "p"}, Provider: &hangingService{service: w.service}, Timeout: time.Minute}
		if _, err := w.Token(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		<-time.After(560 * time.Second)
		w.Store = cutOff{heldStore{w.Store}}
		if answer, err := w.Token(t.Context(), r); err != nil || answer.Source != broker.SourceCache {
			t.Errorf("%v from %q", err, answer.Source)
		}
	})
}

// cutOff is a store whose lock is held, and whose answer to that comes when there is no time left.
type cutOff struct{ heldStore }

func (cutOff) Wait(ctx context.Context, _ tokenkey.Key) (store.Note, error) {
	<-ctx.Done()
	return store.Note{}, fmt.Errorf("waiting for the lease: %w", ctx.Err())
}
