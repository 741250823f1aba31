package proxy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/proxy"
	"github.com/authctl/authctl/internal/secret"
)

// source has the tokens of a profile for the proxy; see proxy.Source.
type source struct {
	*verb.Deps
	client *client.Client
	// retries are those since the last token.
	retries client.Retries
}

// first gets the token that the proxy begins with, and what the next ones are got with: once it serves, nobody is to
// be asked, and stdin is the child's. Its errors are the command's.
func (s *source) first(ctx context.Context) (proxy.Token, error) {
	if err := s.client.Ask(ctx); err != nil {
		return proxy.Token{}, err
	}
	answer, err := s.client.Token(ctx)
	if err != nil {
		return proxy.Token{}, err
	}
	token, err := s.token(ctx, answer)
	// From here on signals are the proxy's, or its child's.
	s.client.Unwatched()
	return token, err
}

// Token gets the next one: where the upstream refused the one that is stored, by asking the service.
func (s *source) Token(ctx context.Context, refused *proxy.Token) (proxy.Token, error) {
	answer, err := s.client.Token(ctx)
	if err == nil && refused != nil && answer.Token.AccessToken.Equal(refused.Access) {
		answer, err = s.client.Renewed(ctx)
	}
	var token proxy.Token
	if err == nil {
		token, err = s.token(ctx, answer)
	}
	if err != nil {
		return proxy.Token{}, s.unavailable(err)
	}
	return token, nil
}

// token is an answer of the broker as the proxy sends it.
func (s *source) token(ctx context.Context, answer broker.Answer) (proxy.Token, error) {
	s.TellOfScopes(s.client, answer)
	token := proxy.Token{Access: answer.Token.AccessToken, Headers: map[string]secret.Secret{}}
	for name, fetch := range s.client.Provider.Headers() {
		value, err := fetch(ctx)
		if err != nil {
			return proxy.Token{}, err
		}
		token.Headers[name] = value
	}
	if answer.Token.Lifetime > 0 {
		token.RenewAt, token.GoodUntil = s.times(answer)
	}
	return token, nil
}

// times are when a token is to be renewed, and until when it may be sent. Of one that lives shorter
// than is asked for, and of one that the service has just not renewed, the next is asked for
// after a while.
func (s *source) times(answer broker.Answer) (renewAt, goodUntil time.Time) {
	now := s.Now()
	renewAt = s.retries.Due(answer, s.client.FreshUntil(answer.Token), now)
	goodUntil = s.client.GoodUntil(answer.Token)
	switch {
	case answer.Unrenewed != nil:
		s.tell(answer.Unrenewed)
	case !goodUntil.After(now):
		goodUntil = answer.Token.Expiry()
	}
	return renewAt, goodUntil
}

// unavailable is an error as those who wait for a token are told.
func (s *source) unavailable(err error) *proxy.Unavailable {
	s.tell(err)
	kind, hint := s.Subject.Advise(err)
	u := &proxy.Unavailable{
		Kind: kind, Message: err.Error(), Hint: hint,
		Retryable: kind == "temporary", NotBefore: s.retries.After(err, s.Now()),
	}
	failure, ok := errors.AsType[*providers.Failure](err)
	switch {
	case ok && failure.Reason == providers.ReasonLogin:
		// Nothing was asked, and a login may come at any time.
		u.NotBefore = s.Now().Add(client.LeastWait)
	case client.Refused(err):
		u.NotBefore = s.Now().Add(client.MostWait)
	}
	return u
}

// tell warns that there is no new token.
func (s *source) tell(err error) {
	s.UI.Warn(fmt.Sprintf("the token is not renewed: %v", err))
}
