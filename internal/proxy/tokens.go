package proxy

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/secret"
)

// Token is what the upstream is shown.
type Token struct {
	// Access is sent as the header Authorization (RFC 6750 §2.1).
	Access secret.Secret
	// Headers are what the service's API wants beside it, by name.
	Headers map[string]secret.Secret
	// RenewAt is from when on another one is asked for beside the requests, and GoodUntil until when
	// this one is sent meanwhile. Zero means never, and for ever.
	RenewAt, GoodUntil time.Time
}

func (t Token) isDue(now time.Time) bool { return !t.RenewAt.IsZero() && !now.Before(t.RenewAt) }

func (t Token) isGood(now time.Time) bool { return t.GoodUntil.IsZero() || now.Before(t.GoodUntil) }

// Source gets tokens. It is asked by one goroutine at a time.
type Source interface {
	// Token returns a token for the next requests. Where refused is not nil the upstream did not take
	// that one any more, and the answer should be another. An error is told to those who wait, for
	// a second or as long as it says, when it is an *Unavailable.
	Token(ctx context.Context, refused *Token) (Token, error)
}

// firstPause and lastPause bound the time in which a refusal by the upstream asks for no token,
// because the one before helped nobody; pause is the time after an error that says nothing of it.
const (
	pause      = time.Second
	firstPause = time.Second
	lastPause  = time.Minute
)

// tokens has the token at hand and sees to the next one: one call for all requests that want it.
type tokens struct {
	source Source
	now    func() time.Time
	// life ends when the proxy does: a request that is given up takes no token from the others.
	life context.Context //nolint:containedctx // it bounds what goes on beside the requests

	calls sync.WaitGroup
	mu    sync.Mutex // guards what follows
	token Token
	// used says that a request was sent with it: what nobody uses is not renewed.
	used  bool
	timer *time.Timer
	// under is the call that is under way, nil when none is.
	under *call
	// failed is why the last call got no token, until which time nobody asks again.
	failed error
	again  time.Time
	// vain is how often in a row the upstream refused a token that took a refused one's place, and
	// patience until when a refusal asks for no other.
	vain     int
	patience time.Time
}

// call is one call of the source; token and err are set when done is closed.
type call struct {
	done   chan struct{}
	forced bool
	token  Token
	err    error
}

func (c *call) wait(ctx context.Context) (Token, error) {
	select {
	case <-c.done:
		return c.token, c.err
	case <-ctx.Done():
		return Token{}, context.Cause(ctx)
	}
}

// wall is the time by the clock on the wall: the monotonic one stands while a machine sleeps.
func (t *tokens) wall() time.Time { return t.now().Round(0) }

// get returns the token for a request: the one at hand as long as it is good.
func (t *tokens) get(ctx context.Context) (Token, error) {
	t.mu.Lock()
	t.used = true
	now, token := t.wall(), t.token
	var under *call
	if token.isDue(now) || !token.isGood(now) {
		under = t.ask(now, nil)
	}
	failed := t.failed
	t.mu.Unlock()
	switch {
	case token.isGood(now):
		return token, nil
	case under == nil:
		return Token{}, failed
	}
	return under.wait(ctx)
}

// instead returns a token in place of one that the upstream refused; false where there is none, or
// where the last ones that were asked for were refused too.
func (t *tokens) instead(ctx context.Context, refused Token) (Token, bool) {
	for {
		t.mu.Lock()
		now, token := t.wall(), t.token
		if !token.Access.Equal(refused.Access) && token.isGood(now) {
			t.mu.Unlock()
			return token, true
		}
		var under *call
		if !now.Before(t.patience) {
			under = t.ask(now, &refused)
		}
		t.mu.Unlock()
		if under == nil {
			return Token{}, false
		}
		token, err := under.wait(ctx)
		switch {
		case err != nil:
			return Token{}, false
		case !token.Access.Equal(refused.Access):
			return token, true
		case under.forced:
			t.helped(false)
			return Token{}, false
		}
		// A call that was under way before the refusal brought the same token.
	}
}

// renewSoon has a token in place of one that was refused by the time of the next request.
func (t *tokens) renewSoon(refused Token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := t.wall(); t.token.Access.Equal(refused.Access) && !now.Before(t.patience) {
		_ = t.ask(now, &refused)
	}
}

// helped notes whether the upstream took a token that came in a refused one's place. Where it does
// not, the reason is another than the token's age, and asking on and on would be for nothing.
func (t *tokens) helped(yes bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if yes {
		t.vain, t.patience = 0, time.Time{}
		return
	}
	t.patience = t.wall().Add(min(firstPause<<min(t.vain, 10), lastPause))
	t.vain++
}

// ask returns the call that is under way, or begins one; nil while the last failure counts.
// t.mu is held.
func (t *tokens) ask(now time.Time, refused *Token) *call {
	if t.under != nil {
		return t.under
	}
	if now.Before(t.again) || t.life.Err() != nil {
		return nil
	}
	c := &call{done: make(chan struct{}), forced: refused != nil}
	t.under = c
	t.calls.Go(func() {
		token, err := t.source.Token(t.life, refused)
		t.end(c, token, err)
	})
	return c
}

// end takes over what a call brought.
func (t *tokens) end(c *call, token Token, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c.token, c.err, t.under = token, err, nil
	if err != nil {
		t.failed, t.again = err, t.wall().Add(pause)
		if unavailable, ok := errors.AsType[*Unavailable](err); ok && !unavailable.NotBefore.IsZero() {
			t.again = unavailable.NotBefore.Round(0)
		}
	} else {
		t.failed, t.again = nil, time.Time{}
		t.keep(token)
	}
	close(c.done)
}

// keep makes a token the one at hand. t.mu is held, or nobody else knows t.
func (t *tokens) keep(token Token) {
	token.RenewAt, token.GoodUntil = token.RenewAt.Round(0), token.GoodUntil.Round(0)
	t.token, t.used = token, false
	if t.timer != nil {
		t.timer.Stop()
	}
	if !token.RenewAt.IsZero() {
		t.timer = time.AfterFunc(token.RenewAt.Sub(t.wall()), t.renewUsed)
	}
}

// renewUsed is called when the token at hand is due.
func (t *tokens) renewUsed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := t.wall(); t.used && t.token.isDue(now) {
		_ = t.ask(now, nil)
	}
}

// close waits for what goes on; life has ended.
func (t *tokens) close() {
	t.mu.Lock()
	if t.timer != nil {
		t.timer.Stop()
	}
	t.mu.Unlock()
	t.calls.Wait()
}
