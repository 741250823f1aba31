package broker

import (
	"cmp"
	"context"
	"errors"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/store"
)

// refreshable reports whether a refresh token is there that may be used: not
// without the lock.
func (h *holder) refreshable() bool {
	_, alone := h.lock.(unlocked)
	return h.stored != nil && !h.stored.Token.RefreshToken.IsZero() && !alone
}

// refresh trades the stored refresh token. Neither an answer nor an error means that a new
// token has to be issued.
func (h *holder) refresh(ctx context.Context) (Answer, error) {
	answer, err := h.trade(ctx)
	if refused(err) {
		h.Explain("service: the refresh token is refused")
		answer, err = h.rotatedElsewhere(ctx, err)
	}
	if err != nil {
		return Answer{}, h.refreshFailed(ctx, err)
	}
	return answer, nil
}

// trade sends the stored refresh token, and announces that when it is about to be
// written: until then a process that dies has not used it up. An error without the
// announcement means that it was not sent.
func (h *holder) trade(ctx context.Context) (Answer, error) {
	old := h.stored.Token
	h.Explain("service: refreshing")
	announced := false
	announcing := oauth.WithAnnouncement(ctx, func() error {
		err := h.announce(old)
		announced = err == nil
		return err
	})
	token, err := h.paced(ctx, func() (oauth.Token, error) { return h.Provider.Refresh(announcing, old.RefreshToken) })
	if failure, ok := errors.AsType[*providers.Failure](err); ok && !announced {
		failure.Ambiguous = false
	}
	if err != nil {
		return Answer{}, err
	}
	token = inherit(token, old)
	h.spent = !token.RefreshToken.Equal(old.RefreshToken)
	return Answer{Token: token, Source: SourceRefreshed}, nil
}

// inherit fills in what a refresh reply may leave out: the refresh token stays
// the old one (RFC 6749 §6), and so do the scope and what is kept of the login.
func inherit(token, old oauth.Token) oauth.Token {
	token.RefreshToken = cmp.Or(token.RefreshToken, old.RefreshToken)
	token.IDToken = cmp.Or(token.IDToken, old.IDToken)
	token.SessionID = cmp.Or(token.SessionID, old.SessionID)
	if token.Scope == nil {
		token.Scope = old.Scope
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
func (h *holder) rotatedElsewhere(ctx context.Context, refusal error) (Answer, error) {
	sent := h.stored.Token.RefreshToken
	record, err := h.read(ctx)
	if err != nil {
		return Answer{}, err
	}
	if record == nil || record.Token.RefreshToken.Equal(sent) {
		return Answer{}, refusal
	}
	if worth, _ := h.judge(record.Token); worth >= ageing {
		return Answer{Token: record.Token, Source: SourceCache}, nil
	}
	if !h.refreshable() {
		return Answer{}, refusal
	}
	return h.trade(ctx)
}

// refreshFailed decides what a failed refresh means: an outcome nobody knows costs
// the refresh token, a refused one is replaced by a new token, and so is one that the
// service refuses for another reason, unless only a person could get it. Nil means
// that a new token has to be issued.
func (h *holder) refreshFailed(ctx context.Context, err error) error {
	failure, ok := errors.AsType[*providers.Failure](err)
	switch {
	case ok && failure.Ambiguous:
		h.forgetRefreshToken(ctx)
		return err
	case refused(err):
		h.forgetRefreshToken(ctx)
		return nil
	}
	h.settle()
	if _, unannounced := errors.AsType[*store.LockError](err); unannounced && !h.key.Grant.NeedsPerson() {
		h.Explain("lock: %v", err)
		return nil
	}
	if !ok || h.key.Grant.NeedsPerson() ||
		failure.Reason == providers.ReasonTemporary || failure.Reason == providers.ReasonProtocol {
		return err
	}
	h.Explain("service: the refresh is refused: %v", failure)
	return nil
}
