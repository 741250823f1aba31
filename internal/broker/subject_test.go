package broker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
)

func of(subject string, err error) func(*broker.Request) {
	return func(r *broker.Request) {
		r.Subject = func(context.Context) (string, error) { return subject, err }
	}
}

// TestATokenIsServedToItsSubjectAlone: the token that is exchanged may be another one at each call.
func TestATokenIsServedToItsSubjectAlone(t *testing.T) {
	w := newWorld(t)
	w.want(t, "issued-1 issued", of("jane", nil))
	w.want(t, "issued-1 cache", of("jane", nil))
	w.want(t, "issued-2 issued", of("joe", nil))
	w.want(t, "issued-2 cache", of("joe", nil))
	w.want(t, "issued-3 issued", of("jane", nil))
	w.want(t, "issued-4 issued")
	w.want(t, "issued-4 cache")
	w.want(t, "error: no subject", of("", errors.New("no subject")))
}

// TestNobodysRefreshTokenIsSentForAnother: what one subject got is not renewed for the next.
func TestNobodysRefreshTokenIsSentForAnother(t *testing.T) {
	w := newWorld(t)
	w.onIssue = func(int) (oauth.Token, error) {
		token := w.newToken("issued", time.Minute)
		token.RefreshToken = secret.New("fake-refresh")
		return token, nil
	}
	w.onFresh = func(int, string) (oauth.Token, error) { return w.newToken("refreshed", time.Minute), nil }
	w.want(t, "issued issued", of("jane", nil))
	w.advance(time.Minute)
	w.want(t, "issued issued", of("joe", nil))
	w.advance(time.Minute)
	w.want(t, "refreshed refreshed", of("joe", nil))
}
