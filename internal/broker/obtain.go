package broker

import (
	"context"
	"errors"
	"strings"

	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/store"
)

// read returns the stored record, nil when there is none.
func (f *fetch) read(ctx context.Context) (*store.Record, error) {
	record, err := f.Store.Get(ctx, f.key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		// Why something that is there counts as nothing comes behind a colon.
		_, why, _ := strings.Cut(err.Error(), store.ErrNotFound.Error())
		f.explain("cache: miss in the %s store%s", f.Store.Name(), why)
		if e, ok := errors.AsType[*store.UnopenedError](err); ok && !f.told {
			f.told = true
			f.warn("what is stored for profile %s counts as none, and a new token takes its place: %s", f.Profile, e.Problem)
		}
		f.stored = nil
		return nil, nil
	case err != nil:
		return nil, err
	}
	f.stored = record
	return record, nil
}

// freeLock takes the key's lock if nobody has it, else nil. That it cannot be had
// at all is no matter while the store may hold the token.
func (f *fetch) freeLock() store.Lock {
	ended, end := context.WithCancel(context.Background())
	end()
	lock, err := f.Store.Lock(ended, f.key)
	if err != nil {
		return nil
	}
	return lock
}

// lock takes the key's lock. A lock that can never be had, because its directory
// is read-only or not ours, costs the single flight and a warning, no more. Only a
// login needs one: its refresh token is all there is, and two processes that spend
// the same one may lose the session.
func (f *fetch) lock(ctx context.Context) (store.Lock, error) {
	waited := f.now()
	lock, err := f.Store.Lock(ctx, f.key)
	if err == nil {
		f.explain("lock: had after %s", moment.Lasting(f.now().Sub(waited)))
		return lock, nil
	}
	unusable, ok := errors.AsType[*store.LockError](err)
	if ok && !unusable.Busy && !f.key.Grant.NeedsPerson() {
		f.warn("calls at the same time are not combined into one request: %v", err)
		return unlocked{}, nil
	}
	return nil, err
}

// unlocked stands for a lock that cannot be had.
type unlocked struct{}

func (unlocked) Waited() bool           { return false }
func (unlocked) Note() store.Note       { return store.Note{} }
func (unlocked) Leave(store.Note) error { return nil }
func (unlocked) Unlock() error          { return nil }

// obtain gets a token from the service: by refresh where a refresh token is
// stored, else newly issued.
func (f *fetch) obtain(ctx context.Context) (Answer, error) {
	if refresher, ok := f.Provider.(providers.Refresher); ok && f.refreshable() {
		answer, err := f.refresh(ctx, refresher)
		if answer != nil || err != nil {
			return value(answer), err
		}
	}
	f.explain("service: asking for a new token")
	token, err := f.issue(ctx)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Token: token, Source: SourceIssued}, nil
}

// issue asks for a new token.
func (f *fetch) issue(ctx context.Context) (oauth.Token, error) {
	return f.paced(ctx, func() (oauth.Token, error) { return f.Provider.Issue(ctx) })
}

// keep stores the token and clears the note of an earlier failure. A store that
// cannot be written costs a warning, not the token; but if it still holds a refresh
// token that is spent, the note of that stays.
func (f *fetch) keep(ctx context.Context, token oauth.Token) {
	f.judgeLifetime(token)
	err := f.write(ctx, f.record(token))
	switch {
	case err == nil:
	case f.spent && f.key.Grant.NeedsPerson():
		f.warn("the token is not cached: %v; the login has to be repeated when this token ends", err)
	default:
		f.warn("the token is not cached: %v", err)
	}
	if err == nil || !f.spent {
		f.settle()
	}
}

// record is a token with what it was issued for.
func (f *fetch) record(token oauth.Token) *store.Record {
	return &store.Record{
		Key: f.key, Profile: f.Profile, Account: f.Account, Environment: f.Environment, Token: token,
	}
}

// judgeLifetime warns of a lifetime that makes every call ask the service.
func (f *fetch) judgeLifetime(t oauth.Token) {
	switch {
	case t.Lifetime > 0 && f.MinTTL != nil && t.Lifetime <= *f.MinTTL:
		f.warn("the service's tokens live %s, not longer than --min-ttl %s: every call asks for a new one",
			moment.Lasting(t.Lifetime), moment.Lasting(*f.MinTTL))
	case t.Lifetime > 0:
	case t.RefreshToken.IsZero():
		f.warn("the token is not cached: %s", t.LifetimeProblem)
	default:
		f.warn("the token is not cached: %s; every call refreshes it", t.LifetimeProblem)
	}
}

// write stores the record, or removes what is stored if the record is of no use: the
// token that it replaces may have been revoked, which is why one asks for another.
func (f *fetch) write(ctx context.Context, r *store.Record) error {
	// The token is issued: an interrupt must not lose it between here and there.
	ctx = context.WithoutCancel(ctx)
	if !storable(r.Token) {
		return f.Store.Delete(ctx, f.key)
	}
	if err := f.Store.Put(ctx, r); err != nil {
		return err
	}
	f.explain("store: written to %s", f.Store.Name())
	return nil
}

// storable reports whether a token can be served or refreshed later. Without a
// lifetime (RFC 6749 §5.1 only recommends expires_in) it is never served.
func storable(t oauth.Token) bool { return t.Lifetime > 0 || !t.RefreshToken.IsZero() }
