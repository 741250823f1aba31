package broker

import (
	"context"
	"crypto/rand"
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

// announce leaves word that the refresh token of a stored token is about to be sent.
func (h *holder) announce(t oauth.Token) error {
	salt := rand.Text()
	note := store.Note{At: h.Now(), Reason: reasonRefreshing, Credentials: salt + ":" + mark(t, salt)}
	h.noted = true
	if err := h.lock.Leave(note); err != nil {
		return fmt.Errorf("the refresh token is not sent, because word of that could not be left: %w", err)
	}
	h.spent = true
	return nil
}

// mark tells a stored token by its refresh token and its access token: when a service
// gives the old refresh token back, the new access token says that the answer was stored.
func mark(t oauth.Token, salt string) string {
	return t.RefreshToken.Tag(salt) + t.AccessToken.Tag(salt)
}

// settle clears the note: the store holds no refresh token that must not be sent.
func (h *holder) settle() {
	h.spent = false
	if h.noted || h.before != (store.Note{}) {
		h.noted = false
		_ = h.lock.Leave(store.Note{})
	}
}

// recover deals with a refresh whose answer was not stored: the refresh token may
// have been used up, and sending it a second time may end the session for good (RFC
// 9700 §4.14.2). It is dropped; a login then has to be repeated, and the note that says why
// stays until it is: whoever drops the token may be killed before it has said so.
func (h *holder) recover(ctx context.Context) error {
	salt, sent, ok := strings.Cut(h.before.Credentials, ":")
	if h.before.Reason != reasonRefreshing || !ok || h.stored == nil {
		return nil
	}
	needsPerson := h.key.Grant.NeedsPerson()
	switch {
	case h.refreshable() && mark(h.stored.Token, salt) == sent:
		h.spent = true
		if h.dropRefreshToken(ctx) && !needsPerson {
			h.settle()
		}
	case needsPerson && h.dropped(sent, salt):
		h.spent = true
	default:
		return nil
	}
	if !needsPerson {
		h.warn("a refresh was broken off before its answer was stored; a new token is asked for")
		return nil
	}
	return &providers.Failure{
		Reason: providers.ReasonLogin,
		Message: "a refresh was broken off before its answer was stored, " +
			"and its refresh token is not sent a second time",
	}
}

// dropped reports whether what is stored is the token of a mark without its refresh token.
func (h *holder) dropped(sent, salt string) bool {
	t := h.stored.Token
	return t.RefreshToken.IsZero() && strings.HasSuffix(sent, t.AccessToken.Tag(salt))
}

// forgetRefreshToken takes a refresh token out of the store that is refused, or
// that may have been used up by a request without an answer: it is never sent twice.
// Where the store cannot be written, the note stays and says so to those who follow.
func (h *holder) forgetRefreshToken(ctx context.Context) {
	if h.stored != nil && h.dropRefreshToken(ctx) {
		h.settle()
	}
}

// dropRefreshToken writes the stored token without its refresh token, and reports whether
// it could.
func (h *holder) dropRefreshToken(ctx context.Context) bool {
	record := *h.stored
	record.Token.RefreshToken = secret.Secret{}
	h.stored = &record
	err := h.write(ctx, &record)
	if err != nil {
		h.warn("the used refresh token could not be removed: %v", err)
	}
	return err == nil
}
