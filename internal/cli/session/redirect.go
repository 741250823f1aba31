package session

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/loopback"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/oauth/authcode"
	"github.com/authctl/authctl/internal/providers"
)

// redeeming trades what the browser brings for a token; see providers.Interaction.
type redeeming = func(context.Context, url.Values) (oauth.Token, error)

// attempt is a login whose answer the receiver waits for.
type attempt struct {
	*login
	client   *client.Client
	receiver *loopback.Receiver
	// asks says that a person may paste the address that the browser ended at.
	asks bool
	// answered says that the browser came back.
	answered bool
	// seen are the answers that belong to no login of ours, each told once; last is the last
	// of them.
	seen map[authcode.CallbackError]bool
	last *authcode.CallbackError
	// stop ends what shows that the browser is waited for.
	stop func()
}

// await has a person log in, and keeps the token.
func (l *login) await(ctx context.Context, c *client.Client, receiver *loopback.Receiver) (oauth.Token, error) {
	a := &attempt{
		login: l, client: c, receiver: receiver, asks: overSSH(l.Deps) && l.UI.Prompter.CanAsk(),
		seen: map[authcode.CallbackError]bool{}, stop: func() {},
	}
	if a.asks {
		// One question at a time: a secret may be needed as soon as the browser comes.
		if err := c.Profile.Ask(ctx, c.Timeout); err != nil {
			return oauth.Token{}, err
		}
	}
	limit := l.Timeout.Or(patience)
	waiting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	a.showRedirect()
	token, err := c.Provider.Login(waiting, providers.Interaction{
		RedirectURI: receiver.RedirectURI(),
		OpenURL: func(_ context.Context, address *url.URL) error {
			l.show(ctx, c, address, a.asks)
			return nil
		},
		AwaitRedirect: func(waiting context.Context, redeem redeeming) error {
			accept := func(answer url.Values) error { return a.finish(ctx, redeem, answer) }
			if a.asks {
				return a.eitherWay(waiting, accept)
			}
			a.spin()
			return receiver.Wait(waiting, accept)
		},
	})
	a.stop()
	if err != nil && !a.answered && errors.Is(waiting.Err(), context.DeadlineExceeded) {
		return token, a.nobodyCame(limit, err)
	}
	if err != nil {
		return token, fmt.Errorf("logging in as profile %s: %w", c.Profile.Name, err)
	}
	return token, nil
}

// finish trades the browser's answer for a token and keeps it, so that the page says
// what became of the login.
func (a *attempt) finish(ctx context.Context, redeem redeeming, answer url.Values) error {
	ctx, cancel := context.WithTimeout(ctx, a.client.Timeout)
	defer cancel()
	token, err := redeem(ctx, answer)
	if callback, ok := errors.AsType[*authcode.CallbackError](err); ok && callback.Foreign() {
		a.inVain(callback)
		return err
	}
	a.answered = true
	if err != nil {
		return err
	}
	return keep(ctx, a.client, token)
}

// inVain tells, once of each kind, of an answer that belongs to no login of ours.
func (a *attempt) inVain(e *authcode.CallbackError) {
	if !a.seen[*e] {
		a.stop()
		a.UI.Warn("somebody came with an answer that is not taken, and the wait goes on: " + explained(e))
		a.spin()
	}
	a.seen[*e], a.last = true, e
}

// spin shows that the browser is waited for, until stop is called; a question shows it by itself.
func (a *attempt) spin() {
	if !a.Global.Quiet && !a.asks {
		a.stop = a.UI.Spin("waiting for the browser")
	}
}

// explained says what an answer lacks, and what to do where services are known to leave
// it out.
func explained(e *authcode.CallbackError) string {
	text := e.Error()
	if e.Stateless {
		text += "; if the service never sends one, set require_state: false in the profile"
	}
	return text
}

// nobodyCame is how a login ends that nobody finished in time. The most usual reason
// after a person who went away is a redirect URI that the service does not know.
func (a *attempt) nobodyCame(limit time.Duration, err error) error {
	uri := a.receiver.RedirectURI()
	if a.freePort() {
		uri = "http://127.0.0.1:PORT/callback, with redirect_port: PORT in the profile"
	}
	failure := &providers.Failure{
		Reason: providers.ReasonLogin, Err: err,
		Message: fmt.Sprintf("logging in as profile %s: nobody did within %s", a.client.Profile.Name, moment.Lasting(limit)),
		Hint: "log in: " + a.Subject.LoginCommand + "; if the service showed an error in the browser, " +
			"have it register the redirect URI " + uri,
	}
	if a.last != nil {
		failure.Message += "; somebody came, but " + explained(a.last)
	}
	return failure
}

// freePort reports whether the redirect URI is another one each time.
func (a *attempt) freePort() bool { return a.client.Profile.Settings.Text("redirect_port") == "0" }

// showRedirect says where the browser will come back to, which a service may want to be
// told before.
func (a *attempt) showRedirect() {
	words := "the redirect URI is " + a.receiver.RedirectURI()
	if a.freePort() {
		words += ", on a free port; where the service wants it registered, choose one with redirect_port"
	}
	a.UI.Note(words)
}
