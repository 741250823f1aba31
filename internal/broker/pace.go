package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/store"
)

// reasonPaced marks the note that tells when an account's last token request was.
const reasonPaced = "paced"

// issue asks for a new token, not sooner after the account's last request than the
// service allows: other processes and other scopes count too.
func (f *fetch) issue(ctx context.Context) (oauth.Token, error) {
	pacer, ok := f.Provider.(providers.Pacer)
	if !ok {
		return f.Provider.Issue(ctx)
	}
	if err := f.pace(ctx, pacer.Pace()); err != nil {
		return oauth.Token{}, err
	}
	token, err := f.Provider.Issue(ctx)
	f.paced()
	return token, err
}

// account is the key under which an account's requests are paced.
func (f *fetch) account() store.Key {
	return store.Key{Provider: f.key.Provider, TokenURL: f.key.TokenURL, Account: f.key.Account}
}

// pace waits for the account's turn. The lock is held while waiting, so that those
// who come meanwhile queue up behind. Where it cannot be had, the service's own
// limit is what is left.
func (f *fetch) pace(ctx context.Context, interval time.Duration) error {
	lock, err := f.Store.Lock(ctx, f.account())
	if err != nil {
		f.explain("pace: not kept: %v", err)
		return nil
	}
	defer func() { _ = lock.Unlock() }()
	note := lock.Note()
	wait := note.At.Add(interval).Sub(f.now())
	if note.Reason == reasonPaced && wait > 0 && wait <= interval {
		f.explain("pace: waiting %s, the service takes one token request in %s", wait.Round(time.Millisecond), interval)
		if err := pause(ctx, wait); err != nil {
			return &providers.Failure{
				Reason: providers.ReasonTemporary, Err: err, Hint: "raise --timeout, or try again",
				Message: fmt.Sprintf("the service takes one token request in %s, and there was no time to wait for it", interval),
			}
		}
	}
	if err := lock.Leave(store.Note{At: f.now(), Reason: reasonPaced}); err != nil {
		f.explain("pace: not kept: %v", err)
	}
	return nil
}

// paced notes that a request has just been answered. It may have been sent some time
// after its turn: a secret had to be fetched first, or a second try was needed. Where
// the next one has its turn already, nobody is kept waiting for this.
func (f *fetch) paced() {
	lock := f.freeLock(f.account())
	if lock == nil {
		return
	}
	defer func() { _ = lock.Unlock() }()
	if err := lock.Leave(store.Note{At: f.now(), Reason: reasonPaced}); err != nil {
		f.explain("pace: not kept: %v", err)
	}
}

// pause waits, or returns why ctx ended.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
