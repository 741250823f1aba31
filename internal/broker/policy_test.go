package broker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/tokenkey"
)

// start is the moment at which every clock of these tests begins.
var start = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// service is a provider whose answers the test decides; it counts the questions.
type service struct {
	grant    oauth.Grant
	clock    *clock
	issues   atomic.Int32
	onIssue  func(n int) (oauth.Token, error)
	refreshs atomic.Int32
	onFresh  func(n int, refreshToken string) (oauth.Token, error)
	// beforeFresh is what comes before a refresh token is about to be sent.
	beforeFresh func() error
}

func (s *service) Pace() time.Duration { return 0 }

func (s *service) Key() tokenkey.Key {
	return tokenkey.Key{Provider: "fake", TokenURL: "https://fake.example/token", ClientID: "c", Grant: s.grant}
}

func (s *service) Issue(context.Context) (oauth.Token, error) {
	n := int(s.issues.Add(1))
	if s.onIssue != nil {
		return s.onIssue(n)
	}
	return s.newToken(fmt.Sprintf("issued-%d", n), 600*time.Second), nil
}

func (s *service) Refresh(ctx context.Context, refreshToken secret.Secret) (oauth.Token, error) {
	if s.beforeFresh != nil {
		if err := s.beforeFresh(); err != nil {
			return oauth.Token{}, err
		}
	}
	if err := oauth.Announce(ctx); err != nil {
		return oauth.Token{}, err
	}
	return s.onFresh(int(s.refreshs.Add(1)), refreshToken.Reveal())
}

func (s *service) newToken(value string, life time.Duration) oauth.Token {
	return oauth.Token{
		AccessToken: secret.New(value), TokenType: "Bearer", RequestedAt: s.clock.now(), Lifetime: life,
	}
}

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// world is a broker over a memory store, with its clock, service and warnings.
type world struct {
	*clock
	*service
	*broker.Broker
	warnings []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{clock: &clock{t: start}}
	w.service = &service{grant: "client_credentials", clock: w.clock}
	w.Broker = &broker.Broker{
		Store: &store.Memory{}, Now: w.now,
		Warn:    func(m string) { w.warnings = append(w.warnings, m) },
		Explain: func(format string, args ...any) { t.Logf(format, args...) },
	}
	return w
}

// get asks once more and returns token and source as "value source", or the error.
func (w *world) get(t *testing.T, change ...func(*broker.Request)) string {
	t.Helper()
	r := broker.Request{Label: store.Label{Profile: "p"}, Provider: w.service}
	for _, f := range change {
		f(&r)
	}
	answer, err := w.Token(t.Context(), r)
	if err != nil {
		return "error: " + err.Error()
	}
	return answer.Token.AccessToken.Reveal() + " " + string(answer.Source)
}

func (w *world) want(t *testing.T, want string, change ...func(*broker.Request)) {
	t.Helper()
	got := w.get(t, change...)
	if strings.HasPrefix(want, "error:") {
		// Who was not asked itself says so behind the message.
		got, _, _ = strings.Cut(got, " (so another call")
	}
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func minTTL(d time.Duration) func(*broker.Request) {
	return func(r *broker.Request) { r.MinTTL = &d }
}
func force(r *broker.Request)   { r.ForceRefresh = true }
func noCache(r *broker.Request) { r.NoCache = true }

func TestServedFromTheStoreWhileFresh(t *testing.T) {
	w := newWorld(t)
	w.want(t, "issued-1 issued")
	w.want(t, "issued-1 cache")
	w.advance(400*time.Second - time.Millisecond)
	w.want(t, "issued-1 cache")
	w.advance(time.Millisecond) // two thirds of 600 s: whoever comes renews
	w.want(t, "issued-2 issued")
	w.want(t, "issued-2 cache")
}

func TestMinTTL(t *testing.T) {
	w := newWorld(t)
	w.want(t, "issued-1 issued")
	w.advance(300 * time.Second)
	w.want(t, "issued-1 cache", minTTL(299*time.Second))
	w.want(t, "issued-1 cache", minTTL(0))
	w.want(t, "issued-2 issued", minTTL(300*time.Second))
	w.advance(time.Second)
	w.want(t, "issued-3 issued", minTTL(time.Hour))
	if len(w.warnings) != 1 || !strings.Contains(w.warnings[0], "--min-ttl") {
		t.Errorf("warnings: %q", w.warnings)
	}
}

func TestForceRefreshAndNoCache(t *testing.T) {
	w := newWorld(t)
	w.want(t, "issued-1 issued")
	w.advance(time.Second)
	w.want(t, "issued-2 issued", force)
	w.want(t, "issued-2 cache")
	w.want(t, "issued-3 issued", noCache)
	w.want(t, "issued-2 cache")
}

func TestClockSetBack(t *testing.T) {
	w := newWorld(t)
	w.want(t, "issued-1 issued")
	w.advance(-time.Hour)
	w.want(t, "issued-2 issued")
}

func TestTokenWithoutLifetimeIsNotCached(t *testing.T) {
	w := newWorld(t)
	w.onIssue = func(n int) (oauth.Token, error) {
		token := w.newToken(fmt.Sprint(n), 0)
		token.LifetimeProblem = `expires_in is "soon"`
		return token, nil
	}
	w.want(t, "1 issued")
	w.want(t, "2 issued")
	if len(w.warnings) != 2 || !strings.Contains(w.warnings[0], `expires_in is "soon"`) {
		t.Errorf("warnings: %q", w.warnings)
	}
}

func TestOneRequestForManyAtOnce(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	w.onIssue = func(n int) (oauth.Token, error) {
		<-release
		return w.newToken(fmt.Sprint(n), time.Hour), nil
	}
	var wg sync.WaitGroup
	results := make([]string, 50)
	for i := range results {
		wg.Go(func() { results[i] = w.get(t) })
	}
	close(release)
	wg.Wait()
	for _, r := range results {
		if !strings.HasPrefix(r, "1 ") {
			t.Errorf("got %q", r)
		}
	}
	if n := w.issues.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func refusal(reason providers.Reason) error {
	return &providers.Failure{Reason: reason, Message: "refused", Hint: "do something"}
}

func TestRefusalIsSharedForAMoment(t *testing.T) {
	w := newWorld(t)
	w.onIssue = func(int) (oauth.Token, error) { return oauth.Token{}, refusal(providers.ReasonCredentials) }
	for range 5 {
		w.want(t, "error: refused")
		w.advance(100 * time.Millisecond)
	}
	if n := w.issues.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	w.advance(time.Second)
	w.want(t, "error: refused")
	if n := w.issues.Load(); n != 2 {
		t.Errorf("after the window: %d requests, want 2", n)
	}
}

func TestRefusalIsNotSharedWithOtherCredentials(t *testing.T) {
	w := newWorld(t)
	w.onIssue = func(n int) (oauth.Token, error) {
		if n == 1 {
			return oauth.Token{}, refusal(providers.ReasonCredentials)
		}
		return w.newToken("good", time.Hour), nil
	}
	with := func(text string) func(*broker.Request) {
		return func(r *broker.Request) {
			r.CredentialsTag = func(_ context.Context, salt string) (string, error) { return secret.New(text).Tag(salt), nil }
		}
	}
	w.want(t, "error: refused", with("wrong"))
	w.advance(time.Millisecond)
	w.want(t, "error: refused", with("wrong"))
	w.want(t, "good issued", with("right"))
}

// What changes the request changes the answer, whether somebody waited for the lock or
// came a moment later; a Retry-After binds all.
func TestRefusalIsNotSharedWithAnotherRequest(t *testing.T) {
	for name, row := range map[string]struct {
		asks    string
		later   time.Duration
		failure providers.Failure
		want    string
	}{
		"the same, a moment later":    {"form", time.Millisecond, providers.Failure{Reason: providers.ReasonCredentials}, "error: refused"},
		"another, a moment later":     {"raw", time.Millisecond, providers.Failure{Reason: providers.ReasonCredentials}, "good issued"},
		"another, of those who wait":  {"raw", 0, providers.Failure{Reason: providers.ReasonConfig}, "good issued"},
		"the same, of those who wait": {"form", 0, providers.Failure{Reason: providers.ReasonTemporary}, "error: refused"},
		"another, told to wait": {
			"raw", time.Millisecond,
			providers.Failure{Reason: providers.ReasonTemporary, NotBefore: start.Add(time.Minute)},
			"error: refused",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.onIssue = func(n int) (oauth.Token, error) {
				if n == 1 {
					row.failure.Message = "refused"
					return oauth.Token{}, &row.failure
				}
				return w.newToken("good", time.Hour), nil
			}
			asks := func(how string) func(*broker.Request) {
				return func(r *broker.Request) { r.RequestTag = func(salt string) string { return salt + how } }
			}
			w.want(t, "error: refused", asks("form"))
			w.advance(row.later)
			w.want(t, row.want, asks(row.asks))
		})
	}
}

func TestTemporaryFailureIsNotSharedWithThoseWhoComeLater(t *testing.T) {
	w := newWorld(t)
	w.onIssue = func(n int) (oauth.Token, error) {
		if n == 1 {
			return oauth.Token{}, refusal(providers.ReasonTemporary)
		}
		return w.newToken("good", time.Hour), nil
	}
	w.want(t, "error: refused")
	w.advance(time.Millisecond)
	w.want(t, "good issued")
}

// The clock stands still here, so that the second request counts as one that waited.
func TestInterruptIsNotShared(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.onIssue = func(n int) (oauth.Token, error) {
		if n == 1 {
			cancel()
			return oauth.Token{}, refusal(providers.ReasonTemporary)
		}
		return w.newToken("good", time.Hour), nil
	}
	if _, err := w.Token(ctx, broker.Request{Label: store.Label{Profile: "p"}, Provider: w.service}); err == nil {
		t.Fatal("the interrupted request got a token")
	}
	w.want(t, "good issued")
}

func TestRetryAfterBindsLaterCalls(t *testing.T) {
	w := newWorld(t)
	w.onIssue = func(n int) (oauth.Token, error) {
		if n == 1 {
			return oauth.Token{}, &providers.Failure{
				Reason: providers.ReasonTemporary, Message: "slow down", NotBefore: start.Add(10 * time.Second),
			}
		}
		return w.newToken("good", time.Hour), nil
	}
	w.want(t, "error: slow down")
	w.advance(9 * time.Second)
	w.want(t, "error: slow down")
	w.advance(time.Second)
	w.want(t, "good issued")
}

func TestAnAbsurdRetryAfterEndsAfterFiveMinutes(t *testing.T) {
	w := newWorld(t)
	w.onIssue = func(n int) (oauth.Token, error) {
		if n == 1 {
			return oauth.Token{}, &providers.Failure{
				Reason: providers.ReasonTemporary, Message: "slow down", NotBefore: start.AddDate(1, 0, 0),
			}
		}
		return w.newToken("good", time.Hour), nil
	}
	w.want(t, "error: slow down")
	w.advance(5 * time.Minute)
	w.want(t, "good issued")
}

// withRefresh makes the service issue refresh tokens.
func (w *world) withRefresh() {
	w.onIssue = func(n int) (oauth.Token, error) {
		token := w.newToken(fmt.Sprintf("issued-%d", n), 100*time.Second)
		token.RefreshToken = secret.New(fmt.Sprintf("rt-%d", n))
		return token, nil
	}
}

func TestRefreshTokenThatComesBackReplacesTheOldOne(t *testing.T) {
	w := newWorld(t)
	w.withRefresh()
	var seen []string
	w.onFresh = func(n int, refreshToken string) (oauth.Token, error) {
		seen = append(seen, refreshToken)
		token := w.newToken(fmt.Sprintf("refreshed-%d", n), 100*time.Second)
		if n == 1 {
			token.RefreshToken = secret.New("rotated")
		}
		return token, nil
	}
	w.want(t, "issued-1 issued")
	for i := 1; i <= 3; i++ {
		w.advance(90 * time.Second)
		w.want(t, fmt.Sprintf("refreshed-%d refreshed", i))
	}
	if got := strings.Join(seen, " "); got != "rt-1 rotated rotated" {
		t.Errorf("refresh tokens sent: %s", got)
	}
}

func TestRefusedRefreshTokenLeadsToANewToken(t *testing.T) {
	w := newWorld(t)
	w.withRefresh()
	w.onFresh = func(int, string) (oauth.Token, error) { return oauth.Token{}, refusal(providers.ReasonLogin) }
	w.want(t, "issued-1 issued")
	w.advance(90 * time.Second)
	w.want(t, "issued-2 issued")
}

func TestRefusedRefreshTokenOfALoginIsForgotten(t *testing.T) {
	w := newWorld(t)
	w.grant = "authorization_code"
	w.withRefresh()
	w.onFresh = func(int, string) (oauth.Token, error) { return oauth.Token{}, refusal(providers.ReasonLogin) }
	w.want(t, "issued-1 issued")
	w.onIssue = func(int) (oauth.Token, error) { return oauth.Token{}, refusal(providers.ReasonLogin) }
	w.advance(90 * time.Second)
	w.want(t, "error: refused")
	w.want(t, "error: refused")
	if n := w.refreshs.Load(); n != 1 {
		t.Errorf("a refused refresh token was sent %d times", n)
	}
}

func TestRefreshWithoutAnswerIsNeverSentTwice(t *testing.T) {
	w := newWorld(t)
	w.withRefresh()
	w.onFresh = func(int, string) (oauth.Token, error) {
		return oauth.Token{}, &providers.Failure{Reason: providers.ReasonTemporary, Message: "no answer", Ambiguous: true}
	}
	w.want(t, "issued-1 issued")
	w.advance(96 * time.Second)
	w.want(t, "error: no answer")
	w.advance(time.Second)
	w.want(t, "issued-2 issued")
	if n := w.refreshs.Load(); n != 1 {
		t.Errorf("the refresh token was sent %d times", n)
	}
}

func TestRefreshThatWasNotSentIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.withRefresh()
	w.onFresh = func(n int, _ string) (oauth.Token, error) {
		if n == 1 {
			return oauth.Token{}, refusal(providers.ReasonTemporary)
		}
		return w.newToken("refreshed", time.Hour), nil
	}
	w.want(t, "issued-1 issued")
	w.advance(96 * time.Second)
	w.want(t, "error: refused")
	w.advance(time.Second)
	w.want(t, "refreshed refreshed")
}

func TestRotatedByAnotherMachine(t *testing.T) {
	w := newWorld(t)
	w.withRefresh()
	w.want(t, "issued-1 issued")
	w.advance(90 * time.Second)
	w.onFresh = func(int, string) (oauth.Token, error) {
		token := w.newToken("theirs", time.Hour)
		token.RefreshToken = secret.New("rotated")
		record := &store.Record{Key: w.Key(), Label: store.Label{Profile: "p"}, Token: token}
		if err := w.Store.Put(t.Context(), record); err != nil {
			t.Fatal(err)
		}
		return oauth.Token{}, refusal(providers.ReasonLogin)
	}
	w.want(t, "theirs cache")
	if n := w.issues.Load(); n != 1 {
		t.Errorf("%d tokens issued, want 1", n)
	}
}

// broken is a store of which some operations fail.
type broken struct {
	store.Store
	put, lock error
}

func (b broken) Put(ctx context.Context, r *store.Record) error {
	if b.put != nil {
		return b.put
	}
	return b.Store.Put(ctx, r)
}

func (b broken) Lock(ctx context.Context, key tokenkey.Key) (store.Lock, error) {
	if b.lock != nil {
		return nil, b.lock
	}
	return b.Store.Lock(ctx, key)
}

func (b broken) TryLock(ctx context.Context, key tokenkey.Key) (store.Lock, error) {
	if b.lock != nil {
		return nil, b.lock
	}
	return b.Store.TryLock(ctx, key)
}

func (b broken) Wait(ctx context.Context, key tokenkey.Key) (store.Note, error) {
	if b.lock != nil {
		return store.Note{}, b.lock
	}
	return b.Store.Wait(ctx, key)
}

func TestStoreThatCannotBeWrittenCostsAWarning(t *testing.T) {
	w := newWorld(t)
	w.Store = broken{Store: w.Store, put: errors.New("disk full")}
	w.want(t, "issued-1 issued")
	if len(w.warnings) != 1 || !strings.Contains(w.warnings[0], "disk full") {
		t.Errorf("warnings: %q", w.warnings)
	}
}

func TestLockThatCannotBeHad(t *testing.T) {
	w := newWorld(t)
	inner := w.Store
	w.Store = broken{Store: inner, lock: &store.LockError{Path: "/x", Err: errors.New("read-only")}}
	w.want(t, "issued-1 issued")
	w.want(t, "issued-1 cache")
	if len(w.warnings) != 1 {
		t.Errorf("warnings: %q", w.warnings)
	}
	w.Store = broken{Store: inner, lock: &store.LockError{Busy: true, Path: "/x", Err: errors.New("deadline")}}
	w.advance(time.Hour)
	if got := w.get(t); !strings.Contains(got, "another process holds the lock") {
		t.Errorf("busy lock: %s", got)
	}
}

func TestARefreshTokenIsNotUsedWithoutALock(t *testing.T) {
	for _, change := range [][]func(*broker.Request){nil, {force}} {
		w := newWorld(t)
		w.withRefresh()
		w.want(t, "issued-1 issued")
		inner := w.Store
		w.Store = broken{Store: inner, lock: &store.LockError{Path: "/x", Err: errors.New("read-only")}}
		w.advance(90 * time.Second)
		w.want(t, "issued-2 issued", change...)

		w.grant = "authorization_code"
		w.Store = inner
		w.want(t, "issued-3 issued")
		w.Store = broken{Store: inner, lock: &store.LockError{Path: "/x", Err: errors.New("read-only")}}
		w.advance(90 * time.Second)
		if got := w.get(t, change...); !strings.HasPrefix(got, "error: using the lock") {
			t.Errorf("got %s", got)
		}
		if n := w.refreshs.Load(); n != 0 {
			t.Errorf("%d refreshes without a lock", n)
		}
	}
}

func TestRefreshRefusedForAnotherReason(t *testing.T) {
	w := newWorld(t)
	w.withRefresh()
	w.onFresh = func(int, string) (oauth.Token, error) { return oauth.Token{}, refusal(providers.ReasonCredentials) }
	w.want(t, "issued-1 issued")
	w.advance(90 * time.Second)
	w.want(t, "issued-2 issued")

	w.grant = "authorization_code"
	w.want(t, "issued-3 issued")
	w.advance(90 * time.Second)
	w.want(t, "error: refused")
	w.advance(2 * time.Second)
	w.onFresh = func(int, string) (oauth.Token, error) { return w.newToken("refreshed", time.Hour), nil }
	w.want(t, "refreshed refreshed")
}

func TestARefreshThatWasBrokenOffIsNotRepeated(t *testing.T) {
	for grant, want := range map[oauth.Grant]string{
		"client_credentials": "issued-2 issued",
		"authorization_code": "error: a refresh was broken off before its answer was stored, " +
			"and its refresh token is not sent a second time",
	} {
		w := newWorld(t)
		w.grant = grant
		w.withRefresh()
		w.want(t, "issued-1 issued")
		w.advance(90 * time.Second)
		w.onFresh = func(int, string) (oauth.Token, error) { panic("killed") }
		func() {
			defer func() { _ = recover() }()
			w.get(t)
		}()
		w.want(t, want)
		if n := w.refreshs.Load(); n != 1 {
			t.Errorf("%s: the refresh token was sent %d times", grant, n)
		}
	}
}

func TestAForcedTokenWithoutLifetimeTakesTheOldOneAway(t *testing.T) {
	w := newWorld(t)
	w.want(t, "issued-1 issued")
	w.onIssue = func(n int) (oauth.Token, error) { return w.newToken(fmt.Sprint(n), 0), nil }
	w.advance(time.Second)
	w.want(t, "2 issued", force)
	w.want(t, "3 issued")
}

func TestTypingDoesNotCountAgainstTheTimeout(t *testing.T) {
	w := newWorld(t)
	w.onIssue = func(int) (oauth.Token, error) { return w.newToken("t", time.Hour), nil }
	w.want(t, "t issued", func(r *broker.Request) {
		r.Timeout = 50 * time.Millisecond
		r.Ask = func(ctx context.Context) error {
			if _, bounded := ctx.Deadline(); bounded {
				t.Error("the person is under a deadline")
			}
			return nil
		}
	})
}

func TestNobodyHoldsTheLockWhileAPersonTypes(t *testing.T) {
	w := newWorld(t)
	asked := 0
	ask := func(r *broker.Request) {
		r.Ask = func(context.Context) error {
			asked++
			lock, err := w.Store.TryLock(t.Context(), w.Key())
			if err != nil {
				t.Fatalf("the lock is not free: %v", err)
			}
			return lock.Unlock()
		}
	}
	w.want(t, "issued-1 issued", ask)
	w.want(t, "issued-1 cache", ask)
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

func TestAFetchedTokenCostsOneLook(t *testing.T) {
	w := newWorld(t)
	looks := 0
	w.Store = counting{w.Store, &looks}
	w.want(t, "issued-1 issued")
	w.want(t, "issued-1 cache")
	if looks != 2 {
		t.Errorf("the store was read %d times by two calls", looks)
	}
}

// counting counts how often the store is read.
type counting struct {
	store.Store
	looks *int
}

func (c counting) Get(ctx context.Context, key tokenkey.Key) (*store.Record, error) {
	*c.looks++
	return c.Store.Get(ctx, key)
}
