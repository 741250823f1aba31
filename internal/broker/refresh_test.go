package broker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/tokenkey"
)

const (
	login       = oauth.AuthorizationCode
	brokenOff   = "error: a refresh was broken off before its answer was stored, and its refresh token is not sent a second time"
	noExpiresIn = "the reply has no expires_in"
)

// withRotation makes the service take each refresh token once; a second use ends the
// test. The last that it gave is rt-1, then fresh-1, fresh-2 and so on.
func (w *world) withRotation(t *testing.T) {
	t.Helper()
	w.withRefresh()
	seen := map[string]bool{}
	w.onFresh = func(n int, refreshToken string) (oauth.Token, error) {
		if seen[refreshToken] {
			t.Errorf("the refresh token %s was sent twice", refreshToken)
		}
		seen[refreshToken] = true
		token := w.newToken(fmt.Sprintf("refreshed-%d", n), 100*time.Second)
		token.RefreshToken = secret.New(fmt.Sprintf("fresh-%d", n))
		return token, nil
	}
}

// wantWarnings requires as many warnings as parts, each with its part, and forgets them.
func (w *world) wantWarnings(t *testing.T, parts ...string) {
	t.Helper()
	ok := len(w.warnings) == len(parts)
	for i := 0; ok && i < len(parts); i++ {
		ok = strings.Contains(w.warnings[i], parts[i])
	}
	if !ok {
		t.Errorf("warnings: %q, want %q", w.warnings, parts)
	}
	w.warnings = nil
}

func TestARefreshThatCouldNotBeStoredIsNotRepeated(t *testing.T) {
	for _, mended := range []bool{false, true} {
		w := newWorld(t)
		w.grant = login
		w.withRotation(t)
		w.want(t, "issued-1 issued")
		w.advance(90 * time.Second)
		inner := w.Store
		w.Store = broken{Store: inner, put: errors.New("disk full")}
		w.want(t, "refreshed-1 refreshed")
		w.wantWarnings(t, "disk full; the login has to be repeated when this token ends")
		if mended {
			w.Store = inner
		}
		w.want(t, brokenOff)
		w.advance(time.Hour)
		w.onIssue = func(int) (oauth.Token, error) { return oauth.Token{}, refusal(providers.ReasonLogin) }
		w.get(t)
		if n := w.refreshs.Load(); n != 1 {
			t.Errorf("%d refreshes, want 1", n)
		}
	}
}

// A grant that needs no person gets a new token, however often the store fails, and
// whatever the service says meanwhile.
func TestAStoreThatFailsCostsANewToken(t *testing.T) {
	w := newWorld(t)
	w.withRotation(t)
	w.want(t, "issued-1 issued")
	inner := w.Store
	w.Store = broken{Store: inner, put: errors.New("disk full")}
	w.advance(96 * time.Second)
	w.want(t, "refreshed-1 refreshed")
	w.wantWarnings(t, "the token is not cached: disk full")
	w.want(t, "issued-2 issued")
	issue := w.onIssue
	w.onIssue = func(int) (oauth.Token, error) { return oauth.Token{}, refusal(providers.ReasonTemporary) }
	w.want(t, "error: refused")
	w.onIssue = issue
	w.advance(time.Second)
	w.want(t, "issued-4 issued")
	w.Store = inner
	w.want(t, "issued-5 issued")
	w.advance(90 * time.Second)
	w.want(t, "refreshed-2 refreshed")
}

func TestARefreshWithoutAnswerIsNotRepeatedThoughTheStoreFails(t *testing.T) {
	w := newWorld(t)
	w.grant = login
	w.withRefresh()
	w.want(t, "issued-1 issued")
	w.Store = broken{Store: w.Store, put: errors.New("disk full")}
	w.onFresh = func(int, string) (oauth.Token, error) {
		return oauth.Token{}, &providers.Failure{Reason: providers.ReasonTemporary, Message: "no answer", Ambiguous: true}
	}
	w.advance(96 * time.Second)
	w.want(t, "error: no answer")
	w.advance(time.Second)
	w.want(t, brokenOff)
	if n := w.refreshs.Load(); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
}

// RFC 6749 §6: a refresh token that does not come back stays good.
func TestARefreshTokenThatStaysOutlivesAStoreThatFails(t *testing.T) {
	w := newWorld(t)
	w.grant = login
	w.withRefresh()
	w.onFresh = func(n int, _ string) (oauth.Token, error) {
		return w.newToken(fmt.Sprintf("refreshed-%d", n), 100*time.Second), nil
	}
	w.want(t, "issued-1 issued")
	inner := w.Store
	w.Store = broken{Store: inner, put: errors.New("disk full")}
	w.advance(90 * time.Second)
	w.want(t, "refreshed-1 refreshed")
	if len(w.warnings) != 1 || strings.Contains(w.warnings[0], "login") {
		t.Errorf("warnings: %q", w.warnings)
	}
	w.Store = inner
	w.want(t, "refreshed-2 refreshed")
}

func TestALoginOutlivesARefreshWithoutLifetime(t *testing.T) {
	w := newWorld(t)
	w.grant = login
	w.withRotation(t)
	w.want(t, "issued-1 issued")
	w.advance(90 * time.Second)
	fresh := w.onFresh
	w.onFresh = func(n int, refreshToken string) (oauth.Token, error) {
		token, err := fresh(n, refreshToken)
		token.Lifetime, token.LifetimeProblem = 0, noExpiresIn
		return token, err
	}
	w.want(t, "refreshed-1 refreshed")
	w.want(t, "refreshed-2 refreshed")
	const every = "the token is not cached: the reply has no expires_in; every call refreshes it"
	w.wantWarnings(t, every, every)
	w.onFresh = fresh
	w.want(t, "refreshed-3 refreshed", minTTL(0))
	w.want(t, "refreshed-3 cache")
}

// Without a lifetime, a refresh token is all that a record is kept for.
func TestARefusedRefreshTokenTakesATokenWithoutLifetimeAway(t *testing.T) {
	w := newWorld(t)
	w.withRefresh()
	issue := w.onIssue
	w.onIssue = func(n int) (oauth.Token, error) {
		token, err := issue(n)
		token.Lifetime, token.LifetimeProblem = 0, noExpiresIn
		return token, err
	}
	w.want(t, "issued-1 issued")
	w.onFresh = func(int, string) (oauth.Token, error) { return oauth.Token{}, refusal(providers.ReasonLogin) }
	w.onIssue = func(int) (oauth.Token, error) { return oauth.Token{}, refusal(providers.ReasonTemporary) }
	w.want(t, "error: refused")
	if list, err := w.Store.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("stored: %v, %v; want nothing", list, err)
	}
	w.wantWarnings(t, noExpiresIn)
}

func TestKeep(t *testing.T) {
	for name, tt := range map[string]struct {
		life         time.Duration
		refreshToken string
		want         providers.Reason
	}{
		"both":          {time.Hour, "rt", ""},
		"no refresh":    {time.Hour, "", ""},
		"no lifetime":   {0, "rt", ""},
		"none of these": {0, "", providers.ReasonProtocol},
	} {
		w := newWorld(t)
		w.grant = login
		token := w.newToken("login", tt.life)
		token.LifetimeProblem, token.RefreshToken = noExpiresIn, secret.New(tt.refreshToken)
		r := broker.Request{Label: store.Label{Profile: "p"}, Provider: w.service}
		err := w.Keep(t.Context(), r, token)
		failure, _ := errors.AsType[*providers.Failure](err)
		if (err != nil) != (tt.want != "") || err != nil && (failure == nil || failure.Reason != tt.want) {
			t.Errorf("%s: Keep() = %v, want %q", name, err, tt.want)
		}
		if _, err := w.Stored(t.Context(), r); (err == nil) != (tt.want == "") {
			t.Errorf("%s: Stored() = %v", name, err)
		}
	}
}

// rotateElsewhere stores what another machine got for the refresh token: a token that
// is not fresh enough by now, and the refresh token theirs.
func (w *world) rotateElsewhere(t *testing.T) {
	t.Helper()
	token := w.newToken("theirs", 5*time.Second)
	token.RequestedAt = token.RequestedAt.Add(-4800 * time.Millisecond)
	token.RefreshToken = secret.New("theirs")
	record := &store.Record{Key: w.Key(), Label: store.Label{Profile: "p"}, Token: token}
	if err := w.Store.Put(t.Context(), record); err != nil {
		t.Fatal(err)
	}
}

func TestTheRefreshTokenOfAnotherMachineIsTriedOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		theirs func(*world) (oauth.Token, error)
		want   string
		left   bool // whether a refresh token is stored in the end
	}{
		"taken": {
			func(w *world) (oauth.Token, error) { return w.newToken("refreshed", time.Hour), nil },
			"refreshed refreshed", true,
		},
		"refused": {
			func(*world) (oauth.Token, error) { return oauth.Token{}, refusal(providers.ReasonLogin) },
			"error: log in", false,
		},
		"not answered": {
			func(*world) (oauth.Token, error) { return oauth.Token{}, refusal(providers.ReasonTemporary) },
			"error: refused", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.grant = login
			w.withRefresh()
			w.want(t, "issued-1 issued")
			w.advance(90 * time.Second)
			w.onIssue = func(int) (oauth.Token, error) {
				return oauth.Token{}, &providers.Failure{Reason: providers.ReasonLogin, Message: "log in"}
			}
			var sent []string
			w.onFresh = func(_ int, refreshToken string) (oauth.Token, error) {
				sent = append(sent, refreshToken)
				if refreshToken == "theirs" {
					return tt.theirs(w)
				}
				w.rotateElsewhere(t)
				return oauth.Token{}, refusal(providers.ReasonLogin)
			}
			w.want(t, tt.want)
			if got := strings.Join(sent, " "); got != "rt-1 theirs" {
				t.Errorf("refresh tokens sent: %s", got)
			}
			record, err := w.Stored(t.Context(), broker.Request{Provider: w.service})
			if err != nil || record.Token.RefreshToken.IsZero() == tt.left {
				t.Errorf("stored: %v, %v; want a refresh token: %t", record, err, tt.left)
			}
		})
	}
}

// mute is a store whose locks take no word of a refresh, or none that clears it.
type mute struct {
	store.Store
	words, clearing error
}

func (s mute) Lock(ctx context.Context, key tokenkey.Key) (store.Lock, error) {
	lock, err := s.Store.Lock(ctx, key)
	return muteLock{lock, s}, err
}

func (s mute) TryLock(ctx context.Context, key tokenkey.Key) (store.Lock, error) {
	lock, err := s.Store.TryLock(ctx, key)
	if err != nil {
		return nil, err
	}
	return muteLock{lock, s}, nil
}

type muteLock struct {
	store.Lock
	mute mute
}

func (l muteLock) Leave(n store.Note) error {
	switch {
	case n == (store.Note{}) && l.mute.clearing != nil:
		return l.mute.clearing
	case n != (store.Note{}) && l.mute.words != nil:
		return &store.LockError{Path: "note", Err: l.mute.words}
	}
	return l.Lock.Leave(n)
}

// TestWhatIsNotSentIsNotLost has refreshes that end before the token is sent: the login is there still.
func TestWhatIsNotSentIsNotLost(t *testing.T) {
	unclear := &providers.Failure{Reason: providers.ReasonTemporary, Message: "no answer", Ambiguous: true}
	for name, tt := range map[string]struct {
		before error
		words  error
		want   string
	}{
		"no secret":       {before: errors.New("no secret"), want: "error: no secret"},
		"no answer":       {before: unclear, want: "error: no answer"},
		"no announcement": {words: errors.New("disk full"), want: "error: the refresh token is not sent, because word of that could not be left: using the lock note: disk full"},
	} {
		w := newWorld(t)
		w.grant = login
		w.withRotation(t)
		w.want(t, "issued-1 issued")
		w.advance(96 * time.Second)
		w.beforeFresh = func() error { return tt.before }
		inner := w.Store
		w.Store = mute{Store: inner, words: tt.words}
		w.want(t, tt.want)
		if n := w.refreshs.Load(); n != 0 {
			t.Errorf("%s: %d refreshes", name, n)
		}
		w.beforeFresh, w.Store = nil, inner
		w.advance(time.Second)
		w.want(t, "refreshed-1 refreshed")
	}
}

// Where nobody has to log in again, a refresh that cannot be announced costs no more than a new token.
func TestARefreshThatCannotBeAnnouncedCostsANewToken(t *testing.T) {
	w := newWorld(t)
	w.withRotation(t)
	w.want(t, "issued-1 issued")
	w.advance(90 * time.Second)
	w.Store = mute{Store: w.Store, words: errors.New("disk full")}
	w.want(t, "issued-2 issued")
	if n := w.refreshs.Load(); n != 0 {
		t.Errorf("%d refreshes", n)
	}
}

// Who died after the answer was stored, and before the word of it was cleared, has lost nothing; be the refresh token
// the same as before or not.
func TestAStoredAnswerIsNotBrokenOff(t *testing.T) {
	for _, rotates := range []bool{true, false} {
		w := newWorld(t)
		w.grant = login
		w.withRefresh()
		if w.withRotation(t); !rotates {
			w.onFresh = func(n int, _ string) (oauth.Token, error) {
				return w.newToken(fmt.Sprintf("refreshed-%d", n), 100*time.Second), nil
			}
		}
		w.want(t, "issued-1 issued")
		w.advance(90 * time.Second)
		inner := w.Store
		w.Store = mute{Store: inner, clearing: errors.New("killed")}
		w.want(t, "refreshed-1 refreshed")
		w.Store = inner
		w.advance(90 * time.Second)
		w.want(t, "refreshed-2 refreshed")
	}
}
