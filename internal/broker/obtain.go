package broker

import (
	"context"
	"errors"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/store"
)

// read returns the stored record, nil when there is none.
func (f *fetch) read(ctx context.Context) (*store.Record, error) {
	record, err := f.Store.Get(ctx, f.key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		f.explain("cache: miss in the %s store", f.Store.Name())
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
// is read-only or not ours, costs the single flight and a warning, no more. Only a refresh token is not used without a lock, because two
// processes that spend the same one may lose the session.
func (f *fetch) lock(ctx context.Context) (store.Lock, error) {
	waited := f.now()
	lock, err := f.Store.Lock(ctx, f.key)
	if err == nil {
		f.explain("lock: had after %s", f.now().Sub(waited).Round(1e6))
		return lock, nil
	}
	var unusable *store.LockError
	if errors.As(err, &unusable) && !unusable.Busy && (f.stored == nil || f.stored.Token.RefreshToken.IsZero()) {
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
	token, err := f.Provider.Issue(ctx)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Token: token, Source: SourceIssued}, nil
}

func (f *fetch) refreshable() bool {
	return f.stored != nil && !f.stored.Token.RefreshToken.IsZero()
}

// refresh trades the stored refresh token. Both results nil mean that the
// service does not take it any more and a new token has to be issued.
func (f *fetch) refresh(ctx context.Context, refresher providers.Refresher) (*Answer, error) {
	old := f.stored.Token
	f.explain("service: refreshing")
	token, err := refresher.Refresh(ctx, old.RefreshToken)
	if err == nil {
		return &Answer{Token: inherit(token, old), Source: SourceRefreshed}, nil
	}
	var failure *providers.Failure
	if !errors.As(err, &failure) {
		return nil, err
	}
	if failure.Ambiguous {
		f.forgetRefreshToken(ctx)
		return nil, err
	}
	if failure.Reason != providers.ReasonLogin {
		return nil, err
	}
	f.explain("service: the refresh token is refused")
	if answer, err := f.rotatedElsewhere(ctx, old); answer != nil || err != nil {
		return answer, err
	}
	f.forgetRefreshToken(ctx)
	return nil, nil
}

// inherit fills in what a refresh reply may leave out: the refresh token stays
// the old one (RFC 6749 §6) and so does the scope.
func inherit(token, old oauth.Token) oauth.Token {
	if token.RefreshToken.IsZero() {
		token.RefreshToken = old.RefreshToken
	}
	if token.Scope == nil {
		token.Scope = old.Scope
	}
	return token
}

// rotatedElsewhere looks once more after a refused refresh token: somebody who
// does not share our lock may have rotated it and stored what came of it.
func (f *fetch) rotatedElsewhere(ctx context.Context, old oauth.Token) (*Answer, error) {
	record, err := f.read(ctx)
	if err != nil || record == nil || record.Token.RefreshToken.Equal(old.RefreshToken) {
		return nil, err
	}
	if ok, _ := f.usable(record.Token); ok {
		return &Answer{Token: record.Token, Source: SourceCache}, nil
	}
	return nil, nil
}

// forgetRefreshToken takes a refresh token out of the store that is refused, or
// that may have been used up by a request without an answer: it is never sent
// twice.
func (f *fetch) forgetRefreshToken(ctx context.Context) {
	if f.stored == nil {
		return
	}
	record := *f.stored
	record.Token.RefreshToken = oauth.Secret{}
	if err := f.Store.Put(context.WithoutCancel(ctx), &record); err != nil {
		f.warn("the used refresh token could not be removed: %v", err)
		return
	}
	f.stored = &record
}

// keep stores the token and clears the note of an earlier failure. A store that
// cannot be written costs a warning, not the token.
func (f *fetch) keep(ctx context.Context, lock store.Lock, token oauth.Token) {
	_ = lock.Leave(store.Note{})
	if token.Lifetime <= 0 {
		f.warn("the token is not cached: %s", token.LifetimeProblem)
		return
	}
	if f.MinTTL != nil && token.Lifetime <= *f.MinTTL {
		f.warn("the service's tokens live %s, less than --min-ttl %s: every call asks for a new one",
			token.Lifetime, *f.MinTTL)
	}
	record := &store.Record{Key: f.key, Profile: f.Profile, Token: token}
	// The token is issued: an interrupt must not lose it between here and there.
	if err := f.Store.Put(context.WithoutCancel(ctx), record); err != nil {
		f.warn("the token is not cached: %v", err)
		return
	}
	f.explain("store: written to %s", f.Store.Name())
}
