package proxy

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is a clock that only the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// aged is a proxy whose first token is due after a minute and good for two.
func aged(t *testing.T) (*stage, *clock) {
	t.Helper()
	c := &clock{now: time.Now()}
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(asked(r))) }, func(o *Options) {
		o.Now = c.Now
		o.First.RenewAt, o.First.GoodUntil = c.now.Add(time.Minute), c.now.Add(2*time.Minute)
	})
	return s, c
}

func (s *stage) wantToken(want string) {
	s.t.Helper()
	if r := s.ask(http.MethodGet, "/x", ""); !strings.HasSuffix(r.body, " "+want) || r.StatusCode != http.StatusOK {
		s.t.Errorf("status %d, %s; want %s", r.StatusCode, r.body, want)
	}
}

// TestDueTokenIsRenewedBeside: nobody waits for a token while the one at hand is good.
func TestDueTokenIsRenewedBeside(t *testing.T) {
	t.Parallel()
	s, c := aged(t)
	s.source.hold = make(chan struct{})
	s.wantToken("token-1")
	c.advance(time.Minute)
	for range 10 {
		s.wantToken("token-1")
	}
	close(s.source.hold)
	until(t, func() bool { s.tokens.mu.Lock(); defer s.tokens.mu.Unlock(); return s.tokens.under == nil })
	s.wantToken("token-2")
	if n := s.source.calls.Load(); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

// TestManyWaitForOneToken: one call serves all, and who hangs up takes it from nobody.
func TestManyWaitForOneToken(t *testing.T) {
	t.Parallel()
	s, c := aged(t)
	s.source.hold = make(chan struct{})
	c.advance(time.Hour)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { s.wantToken("token-2") })
	}
	until(t, func() bool { return s.source.calls.Load() == 1 })
	close(s.source.hold)
	all.Wait()
	if n := s.source.calls.Load(); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

// TestServiceThatIsDown: the token at hand as long as it is good, then our words.
func TestServiceThatIsDown(t *testing.T) {
	t.Parallel()
	s, c := aged(t)
	s.source.failing(&Unavailable{
		Kind: "temporary", Message: errDown.Error(), Hint: "wait", Retryable: true, NotBefore: c.Now().Add(5 * time.Minute),
	})
	c.advance(time.Minute)
	s.wantToken("token-1")
	until(t, func() bool { s.tokens.mu.Lock(); defer s.tokens.mu.Unlock(); return s.tokens.failed != nil })
	c.advance(time.Minute - time.Second)
	s.wantToken("token-1")
	c.advance(time.Second)
	r := s.ask(http.MethodGet, "/x", "", "Accept: */*")
	if want := "authctl: error: the service is down\nauthctl: hint: wait\n"; r.StatusCode != http.StatusBadGateway || r.body != want ||
		r.Header.Get("Retry-After") != "180" {
		t.Errorf("status %d, Retry-After %s, %q", r.StatusCode, r.Header.Get("Retry-After"), r.body)
	}
	r = s.ask(http.MethodPost, "/x", "body", "Accept: text/html, application/problem+json;q=0.9")
	var object struct {
		Error struct {
			Kind, Message, Hint string
			Retryable           bool
		}
	}
	if err := json.Unmarshal([]byte(r.body), &object); err != nil || object.Error.Kind != "temporary" ||
		object.Error.Message != "the service is down" || !object.Error.Retryable || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%q, %v", r.body, err)
	}
	if n := s.source.calls.Load(); n != 1 {
		t.Errorf("%d calls while it said when to come again, want 1", n)
	}
	c.advance(3 * time.Minute)
	s.source.failing(nil)
	s.wantToken("token-3")
}

// TestUnusedTokenIsNotRenewed: a proxy that nobody uses asks nobody.
func TestUnusedTokenIsNotRenewed(t *testing.T) {
	t.Parallel()
	s, c := aged(t)
	c.advance(time.Minute)
	s.tokens.renewUsed()
	if n := s.source.calls.Load(); n != 0 {
		t.Errorf("%d calls for a token that nobody used", n)
	}
	c.advance(-time.Minute)
	s.wantToken("token-1")
	c.advance(time.Minute)
	s.tokens.renewUsed()
	until(t, func() bool { s.tokens.mu.Lock(); defer s.tokens.mu.Unlock(); return !s.tokens.used })
	s.wantToken("token-2")
}
