package session

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/oauth/authcode"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/term"
)

// overSSH reports whether the person's browser is most likely on another machine, whose own
// 127.0.0.1 it comes back to.
func overSSH(d *verb.Deps) bool {
	connection, _ := d.LookupEnv("SSH_CONNECTION")
	return connection != ""
}

// eitherWay waits for the browser, which a forwarded port may bring, and for a person who pastes
// the address that it ended at. The first answer that is judged ends both.
func (a *attempt) eitherWay(ctx context.Context, accept func(url.Values) error) error {
	ctx, done := context.WithCancel(ctx)
	defer done()
	var outcome error
	turn := make(chan struct{}, 1)
	once := func(answer url.Values) error {
		turn <- struct{}{}
		defer func() { <-turn }()
		if !a.answered {
			outcome = accept(answer)
		}
		return outcome
	}
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		if a.askForAddress(ctx, once) {
			done()
		}
	}()
	err := a.receiver.Wait(ctx, once)
	done()
	<-asked // the terminal is as it was
	if a.answered {
		return outcome
	}
	return err
}

// askForAddress asks a person for the address until one is judged, and reports whether one was.
// What is pasted holds the code: it is not shown, and no message repeats it.
func (a *attempt) askForAddress(ctx context.Context, accept func(url.Values) error) bool {
	for {
		text, err := a.UI.Prompter.Hidden(ctx, "the address that the browser ended at (it is not shown)")
		_, typed := errors.AsType[*term.TypedError](err)
		switch {
		case typed:
			a.UI.Warn("this cannot be taken: " + err.Error())
			continue
		case err != nil:
			return false
		}
		answer, problem := answerIn(text, a.receiver.RedirectURI())
		if problem != "" {
			a.UI.Warn("this cannot be taken: " + problem)
			continue
		}
		if foreign, ok := errors.AsType[*authcode.CallbackError](accept(answer)); !ok || !foreign.Foreign() {
			return true
		}
	}
}

// answerIn reads the answer out of an address that a browser ended at, with which it could not
// come back to the redirect URI. The second result says what is wrong, and repeats nothing.
func answerIn(text, redirectURI string) (answer url.Values, problem string) {
	text = strings.TrimFunc(text, func(r rune) bool {
		return r <= ' ' || secret.Invisible(r) || strings.ContainsRune(`"'<>`, r)
	})
	if !strings.Contains(text, "://") {
		text = "http://" + text // browsers hide it
	}
	address, err := url.Parse(text)
	if err != nil || address.User != nil || address.Scheme+"://"+address.Host+address.Path != redirectURI {
		return nil, "the whole address is wanted, which begins with " + redirectURI
	}
	if answer, err = url.ParseQuery(address.RawQuery); err != nil || len(answer) == 0 {
		return nil, "nothing that can be read stands behind " + redirectURI
	}
	return answer, ""
}
