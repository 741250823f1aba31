package broker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
)

// reasonRefreshing marks the note of a refresh token that is sent. Whoever finds it
// under the lock knows that its holder died, or could not write, before what came of
// it was stored.
const reasonRefreshing = "refreshing"

// refreshable reports whether a refresh token is there that may be used: not
// without the lock.
func (f *fetch) refreshable() bool {
	_, alone := f.held.(unlocked)
	return f.stored != nil && !f.stored.Token.RefreshToken.IsZero() && !alone
}

// announce leaves word that the refresh token of a stored token is about to be sent.
func (f *fetch) announce(t oauth.Token) error {
	salt := rand.Text()
	note := store.Note{At: f.now(), Reason: reasonRefreshing, Credentials: salt + ":" + mark(t, salt)}
	if err := f.held.Leave(note); err != nil {
		return fmt.Errorf("the refresh token is not sent, because word of that could not be left: %w", err)
	}
	f.spent = true
	return nil
}

// mark tells a stored token by its refresh token and its access token: when a service
// gives the old refresh token back, the new access token says that the answer was stored.
func mark(t oauth.Token, salt string) string {
	return t.RefreshToken.Tag(salt) + t.AccessToken.Tag(salt)
}

// settle clears the note: the store holds no refresh token that must not be sent.
func (f *fetch) settle() {
	f.spent = false
	_ = f.held.Leave(store.Note{})
}

// recover deals with a refresh whose answer was not stored: the refresh token may
// have been used up, and sending it a second time may end the session for good (RFC
// 9700 §4.14.2). It is dropped; a login then has to be repeated.
func (f *fetch) recover(ctx context.Context) error {
	note := f.held.Note()
	salt, sent, ok := strings.Cut(note.Credentials, ":")
	if note.Reason != reasonRefreshing || !ok {
		return nil
	}
	if !f.refreshable() || mark(f.stored.Token, salt) != sent {
		return nil
	}
	f.spent = true
	f.forgetRefreshToken(ctx)
	if !f.key.Grant.NeedsPerson() {
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
	answer, err := f.trade(ctx, refresher)
	if refused(err) {
		f.explain("service: the refresh token is refused")
		answer, err = f.rotatedElsewhere(ctx, refresher, err)
	}
	if err != nil {
		return nil, f.refreshFailed(ctx, err)
	}
	return answer, nil
}

// trade sends the stored refresh token, and announces that when it is about to be
// written: until then a process that dies has not used it up. An error without the
// announcement means that it was not sent.
func (f *fetch) trade(ctx context.Context, refresher providers.Refresher) (*Answer, error) {
	old := f.stored.Token
	f.explain("service: refreshing")
	announced := false
	announcing := oauth.WithAnnouncement(ctx, func() error {
		err := f.announce(old)
		announced = err == nil
		return err
	})
	token, err := f.paced(ctx, func() (oauth.Token, error) { return refresher.Refresh(announcing, old.RefreshToken) })
	if failure, ok := errors.AsType[*providers.Failure](err); ok && !announced {
		failure.Ambiguous = false
	}
	if err != nil {
		return nil, err
	}
	token = inherit(token, old)
	f.spent = !token.RefreshToken.Equal(old.RefreshToken)
	return &Answer{Token: token, Source: SourceRefreshed}, nil
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

// refused reports whether the service will have nothing of the refresh token.
func refused(err error) bool {
	failure, ok := errors.AsType[*providers.Failure](err)
	return ok && failure.Reason == providers.ReasonLogin && !failure.Ambiguous
}

// rotatedElsewhere looks once more after a refused refresh token: somebody who does
// not share our lock may have rotated it and stored what came of it. That is served
// or, where it is not fresh enough, its refresh token is tried; only this once.
func (f *fetch) rotatedElsewhere(
	ctx context.Context, refresher providers.Refresher, refusal error,
) (*Answer, error) {
	sent := f.stored.Token.RefreshToken
	record, err := f.read(ctx)
	if err != nil {
		return nil, err
	}
	if record == nil || record.Token.RefreshToken.Equal(sent) {
		return nil, refusal
	}
	if ok, _ := f.usable(record.Token); ok {
		return &Answer{Token: record.Token, Source: SourceCache}, nil
	}
	if !f.refreshable() {
		return nil, refusal
	}
	return f.trade(ctx, refresher)
}

// refreshFailed decides what a failed refresh means: an outcome nobody knows costs
// the refresh token, a refused one is replaced by a new token, and so is one that the
// service refuses for another reason, unless only a person could get it. Nil means
// that a new token has to be issued.
func (f *fetch) refreshFailed(ctx context.Context, err error) error {
	failure, ok := errors.AsType[*providers.Failure](err)
	switch {
	case ok && failure.Ambiguous:
		f.forgetRefreshToken(ctx)
		return err
	case refused(err):
		f.forgetRefreshToken(ctx)
		return nil
	}
	f.settle()
	if _, unannounced := errors.AsType[*store.LockError](err); unannounced && !f.key.Grant.NeedsPerson() {
		f.explain("lock: %v", err)
		return nil
	}
	if !ok || f.key.Grant.NeedsPerson() ||
		failure.Reason == providers.ReasonTemporary || failure.Reason == providers.ReasonProtocol {
		return err
	}
	f.explain("service: the refresh is refused: %v", failure)
	return nil
}

// forgetRefreshToken takes a refresh token out of the store that is refused, or
// that may have been used up by a request without an answer: it is never sent twice.
// Where the store cannot be written, the note stays and says so to those who follow.
func (f *fetch) forgetRefreshToken(ctx context.Context) {
	if f.stored == nil {
		return
	}
	record := *f.stored
	record.Token.RefreshToken = secret.Secret{}
	f.stored = &record
	if err := f.write(ctx, &record); err != nil {
		f.warn("the used refresh token could not be removed: %v", err)
		return
	}
	f.settle()
}
