package broker

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

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
		f.explain("lock: had after %s", f.now().Sub(waited).Round(1e6))
		return lock, nil
	}
	unusable, ok := errors.AsType[*store.LockError](err)
	if ok && !unusable.Busy && f.key.Grant != grantOfLogins {
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

// refreshable reports whether a refresh token is there that may be used: not
// without the lock.
func (f *fetch) refreshable() bool {
	_, alone := f.held.(unlocked)
	return f.stored != nil && !f.stored.Token.RefreshToken.IsZero() && !alone
}

// grantOfLogins is the grant whose tokens only a person can get anew.
const grantOfLogins = "authorization_code"

// reasonRefreshing marks the note of a refresh that is under way. Whoever finds it
// under the lock knows that its holder died before the answer was stored.
const reasonRefreshing = "refreshing"

// announce leaves word that a refresh token is about to be sent.
func (f *fetch) announce(refreshToken oauth.Secret) {
	salt := rand.Text()
	note := store.Note{At: f.now(), Reason: reasonRefreshing, Credentials: salt + ":" + refreshToken.Tag(salt)}
	if err := f.held.Leave(note); err != nil {
		f.explain("lock: the refresh could not be announced: %v", err)
	}
}

// recover deals with a refresh whose holder died: the refresh token may have been
// used up, and sending it a second time may end the session for good (RFC 9700
// §4.14.2). It is dropped; a login then has to be repeated.
func (f *fetch) recover(ctx context.Context) error {
	note := f.held.Note()
	salt, tag, ok := strings.Cut(note.Credentials, ":")
	if note.Reason != reasonRefreshing || !ok {
		return nil
	}
	if !f.refreshable() || f.stored.Token.RefreshToken.Tag(salt) != tag {
		return nil
	}
	f.forgetRefreshToken(ctx)
	if f.key.Grant != grantOfLogins {
		f.warn("a refresh was broken off before its answer was stored; a new token is asked for")
		return nil
	}
	return &providers.Failure{
		Reason: providers.ReasonLogin,
		Message: "a refresh was broken off before its answer was stored, " +
			"and its refresh token is not sent a second time",
	}
}

// refresh trades the stored refresh token. Both results nil mean that a new token
// has to be issued.
func (f *fetch) refresh(ctx context.Context, refresher providers.Refresher) (*Answer, error) {
	old := f.stored.Token
	f.explain("service: refreshing")
	f.announce(old.RefreshToken)
	token, err := refresher.Refresh(ctx, old.RefreshToken)
	if err == nil {
		return &Answer{Token: inherit(token, old), Source: SourceRefreshed}, nil
	}
	defer func() { _ = f.held.Leave(store.Note{}) }()
	failure, ok := errors.AsType[*providers.Failure](err)
	if !ok {
		return nil, err
	}
	return f.refreshFailed(ctx, failure, old, err)
}

// refreshFailed decides what a failed refresh means: an outcome nobody knows costs
// the refresh token, a refused one is replaced by a new token, and so is one that the
// service refuses for another reason, unless only a person could get it.
func (f *fetch) refreshFailed(
	ctx context.Context, failure *providers.Failure, old oauth.Token, err error,
) (*Answer, error) {
	switch {
	case failure.Ambiguous:
		f.forgetRefreshToken(ctx)
		return nil, err
	case failure.Reason == providers.ReasonTemporary, failure.Reason == providers.ReasonProtocol:
		return nil, err
	case failure.Reason == providers.ReasonLogin:
		f.explain("service: the refresh token is refused")
		if answer, err := f.rotatedElsewhere(ctx, old); answer != nil || err != nil {
			return answer, err
		}
		f.forgetRefreshToken(ctx)
		return nil, nil
	case f.key.Grant == grantOfLogins:
		return nil, err
	}
	f.explain("service: the refresh is refused: %v", failure)
	return nil, nil
}

// inherit fills in what a refresh reply may leave out: the refresh token stays
// the old one (RFC 6749 §6), and so do the scope and what is kept of the login.
func inherit(token, old oauth.Token) oauth.Token {
	if token.RefreshToken.IsZero() {
		token.RefreshToken = old.RefreshToken
	}
	if token.Scope == nil {
		token.Scope = old.Scope
	}
	if token.IDToken.IsZero() {
		token.IDToken = old.IDToken
	}
	if token.SessionID == "" {
		token.SessionID = old.SessionID
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
func (f *fetch) keep(ctx context.Context, token oauth.Token) {
	defer func() { _ = f.held.Leave(store.Note{}) }()
	if token.Lifetime <= 0 {
		f.warn("the token is not cached: %s", token.LifetimeProblem)
		// The token it replaces may have been revoked: that is why one asks for another.
		_ = f.Store.Delete(context.WithoutCancel(ctx), f.key)
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
