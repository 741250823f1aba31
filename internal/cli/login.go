package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"strconv"
	"time"

	"github.com/authctl/authctl/internal/loopback"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

// loginPatience is how long a person may take to log in.
const loginPatience = 5 * time.Minute

// loginOptions are the flags of `login`.
type loginOptions struct {
	serviceFlags
	output    outputFlag
	noBrowser bool
}

func (a *app) login() *cobra.Command {
	o := &loginOptions{}
	command := &cobra.Command{
		Use: "login [PROFILE]", SuggestFor: []string{"signin", "auth"},
		Short: "Log in with the browser",
		Long: `Log in with the browser: the authorization code grant with a redirect to this machine,
state and PKCE. The token is kept like any other, and token get refreshes it.

The profile needs grant: authorization_code. Where redirect URIs are registered, set
redirect_port and register http://127.0.0.1:PORT/callback.

It waits five minutes for the person, or as long as --timeout says.`,
		Args: arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.begin(&o.output); err != nil {
				return err
			}
			return a.runLogin(a.watched(command.Context()), o, args)
		},
		ValidArgsFunction: a.completeProfile,
	}
	o.bind(command.Flags(), forCachedTokens()...)
	command.Flags().Lookup("timeout").Usage = "how long to wait for the person (default 5m)"
	o.output.bind(command.Flags(), "text", "json")
	command.Flags().BoolVar(&o.noBrowser, "no-browser", false, "print the address instead of opening a browser")
	return command
}

func (a *app) runLogin(ctx context.Context, o *loginOptions, args []string) error {
	s, err := a.open(&o.serviceFlags, args)
	if err != nil {
		return err
	}
	if err := s.logsIn(a.services); err != nil {
		return err
	}
	a.warnOfProfile(s.profile)
	port, err := strconv.ParseUint(s.profile.Settings.Text("redirect_port"), 10, 16)
	if err != nil {
		return &providers.SettingError{Profile: s.profile.Name, Name: "redirect_port", Problem: "is not a port"}
	}
	if o.dryRun {
		// Nothing listens: a free port is not known before.
		_, err := s.provider.Login(ctx, providers.Interaction{
			RedirectURI:   fmt.Sprintf("http://127.0.0.1:%d/callback", port),
			OpenURL:       func(_ context.Context, u *url.URL) error { return a.print("GET " + u.String() + "\n") },
			AwaitRedirect: func(context.Context, redeeming) error { return nil },
		})
		return err
	}
	if err := a.nobodyToLogIn(); err != nil {
		return err
	}
	if err := s.keeps(ctx); err != nil {
		return err
	}
	receiver, err := loopback.Listen(int(port))
	if err != nil {
		return fmt.Errorf("waiting for the redirect: %w", err)
	}
	defer func() { _ = receiver.Close() }()
	return a.awaitLogin(ctx, s, o, &loginUnderWay{receiver: receiver})
}

// redeeming trades what the browser brings for a token; see providers.Interaction.
type redeeming = func(context.Context, url.Values) (oauth.Token, error)

// nobodyToLogIn returns an error where no person can be told to log in.
func (a *app) nobodyToLogIn() error {
	why, hint := "stderr is not a terminal", "run it in a terminal"
	switch {
	case a.prompter.Off:
		why, hint = a.prompter.OffBy+" forbids to ask one", "run it without "+a.prompter.OffBy+" in a terminal"
	case a.Streams.ErrTerminal:
		return nil
	}
	return &providers.Failure{
		Reason: providers.ReasonLogin, Message: "a person has to log in with a browser, and " + why, Hint: hint,
	}
}

// keeps returns an error when nothing would be left of a login after it: a person is
// not asked to log in for that.
func (s *session) keeps(ctx context.Context) error {
	if _, err := s.stored(ctx); err != nil {
		return err
	}
	if s.setup.lost != nil {
		return fmt.Errorf("there is nowhere to keep a login: %w", s.setup.lost)
	}
	if s.broker.Store.Name() == "memory" {
		return usagef("--store memory leaves nothing of a login; use --store keyring or --store file")
	}
	return nil
}

// logsIn returns an error where the profile is not for logging in.
func (s *session) logsIn(services []providers.Spec) error {
	if err := s.profile.Service.Require(providers.Login, services); err != nil {
		return err
	}
	if grant, _ := s.profile.Settings.Lookup("grant"); !oauth.Grant(grant.Text).NeedsPerson() {
		return &providers.SettingError{
			Profile: s.profile.Name, Name: "grant", Problem: "is " + grant.Text + ", with which nobody logs in",
			Help: "set {grant=authorization_code} in the profile", Origin: grant.Origin,
		}
	}
	return nil
}

// loginUnderWay is a login whose answer the receiver waits for.
type loginUnderWay struct {
	receiver *loopback.Receiver
	// answered says that the browser came back.
	answered bool
	// inVain is told once of each kind of answer that belongs to no login of ours; last is
	// the last of them.
	inVain func(*oauth.CallbackError)
	seen   map[oauth.CallbackError]bool
	last   *oauth.CallbackError
}

// finish trades the browser's answer for a token and keeps it, so that the page says
// what became of the login.
func (l *loginUnderWay) finish(ctx context.Context, s *session, redeem redeeming, answer url.Values) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	token, err := redeem(ctx, answer)
	if callback, ok := errors.AsType[*oauth.CallbackError](err); ok && callback.Foreign() {
		if !l.seen[*callback] {
			l.inVain(callback)
		}
		l.seen[*callback], l.last = true, callback
		return err
	}
	l.answered = true
	if err != nil {
		return err
	}
	if err := s.broker.Keep(ctx, s.request, token); err != nil {
		return fmt.Errorf("keeping the token: %w", err)
	}
	return nil
}

func (a *app) awaitLogin(ctx context.Context, s *session, o *loginOptions, l *loginUnderWay) error {
	patience := loginPatience
	if o.timeout.set {
		patience = o.timeout.value
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// A person reads along from here.
	a.tellPending()
	a.showRedirect(s, l.receiver.RedirectURI())
	stop := func() {}
	l.seen = map[oauth.CallbackError]bool{}
	l.inVain = func(e *oauth.CallbackError) {
		stop()
		a.warn("somebody came with an answer that is not taken, and the wait goes on: " + explained(e))
		stop = a.spin("waiting for the browser")
	}
	token, err := s.provider.Login(waiting, providers.Interaction{
		RedirectURI: l.receiver.RedirectURI(),
		OpenURL: func(_ context.Context, address *url.URL) error {
			a.showAddress(ctx, s, address, o.noBrowser)
			return nil
		},
		AwaitRedirect: func(waiting context.Context, redeem redeeming) error {
			stop = a.spin("waiting for the browser")
			return l.receiver.Wait(waiting, func(answer url.Values) error { return l.finish(ctx, s, redeem, answer) })
		},
	})
	stop()
	if err != nil && !l.answered && errors.Is(waiting.Err(), context.DeadlineExceeded) {
		return a.nobodyCame(s, l, patience, err)
	}
	if err != nil {
		return fmt.Errorf("logging in as profile %s: %w", s.profile.Name, err)
	}
	return a.loggedIn(s, o, token)
}

// spin shows that something is being waited for, until stop is called.
func (a *app) spin(text string) (stop func()) {
	if a.flags.quiet {
		return func() {}
	}
	return term.Spin(a.Streams.Err, a.Streams.ErrTerminal, text)
}

// explained says what an answer lacks, and what to do where services are known to leave
// it out.
func explained(e *oauth.CallbackError) string {
	text := e.Error()
	if e.Stateless {
		text += "; if the service never sends one, set require_state: false in the profile"
	}
	return text
}

// nobodyCame is how a login ends that nobody finished in time. The most usual reason
// after a person who went away is a redirect URI that the service does not know.
func (a *app) nobodyCame(s *session, l *loginUnderWay, patience time.Duration, err error) error {
	failure := &providers.Failure{
		Reason: providers.ReasonLogin, Err: err,
		Message: fmt.Sprintf("logging in as profile %s: nobody did within %s", s.profile.Name, moment.Lasting(patience)),
		Hint: "log in: " + a.loginCommand + "; if the service showed an error in the browser, " +
			"have it register the redirect URI " + registered(s, l.receiver.RedirectURI()),
	}
	if l.last != nil {
		failure.Message += "; somebody came, but " + explained(l.last)
	}
	return failure
}

// registered is the redirect URI as a service has to know it. A free port is another one
// each time.
func registered(s *session, redirectURI string) string {
	if s.profile.Settings.Text("redirect_port") == "0" {
		return "http://127.0.0.1:PORT/callback, with redirect_port: PORT in the profile"
	}
	return redirectURI
}

// showRedirect says where the browser will come back to, which a service may want to be
// told before.
func (a *app) showRedirect(s *session, redirectURI string) {
	words := "the redirect URI is " + redirectURI
	if s.profile.Settings.Text("redirect_port") == "0" {
		words += ", on a free port; where the service wants it registered, choose one with redirect_port"
	}
	a.note(words)
}

// needsPersonAgain warns of a login that cannot be refreshed.
func (a *app) needsPersonAgain(s *session, token oauth.Token) {
	if !token.RefreshToken.IsZero() {
		return
	}
	words := s.profile.Service.Title + " gave no refresh token: a person has to log in again "
	if expiry := token.Expiry(); expiry.IsZero() {
		words += "when the token ends, and it does not say when"
	} else {
		words += moment.Away(expiry.Sub(a.Now()))
	}
	if where := s.profile.Service.RefreshTokensGivenIn; where != "" {
		words += "; " + where
	}
	a.warn(words)
}

// loggedIn tells of a login that is kept, never its tokens.
func (a *app) loggedIn(s *session, o *loginOptions, token oauth.Token) error {
	expiry := token.Expiry()
	answer := s.broker.Judge(s.request, token)
	a.tellOfScopes(s, answer)
	a.needsPersonAgain(s, token)
	if o.output.json() {
		at, _, _ := moments(expiry, a.Now())
		return a.json(map[string]any{
			"profile": s.profile.Name, "provider": s.provider.Name(), "scopes": grantedScopes(s, token),
			"missing_scopes": append([]string{}, missingScopes(answer)...),
			"expires_at":     at, "refreshable": !token.RefreshToken.IsZero(),
		})
	}
	words := "logged in as profile " + s.profile.Name
	if !expiry.IsZero() {
		words += "; the token ends " + moment.Away(expiry.Sub(a.Now()))
	}
	a.note(words)
	return nil
}

// showAddress opens the browser, or says what to open. The address holds no secret:
// what it holds is worth nothing without this process.
func (a *app) showAddress(ctx context.Context, s *session, address *url.URL, noBrowser bool) {
	words := "open this address in a browser on this machine:"
	if !noBrowser {
		err := a.openBrowser(ctx, s, address.String())
		if err == nil {
			words = "the browser opens " + address.Scheme + "://" + address.Host + "; if it does not, open there:"
		} else {
			a.warn("no browser could be opened: " + err.Error())
		}
		if err == nil && a.flags.quiet {
			return
		}
	}
	a.note(words)
	_, _ = fmt.Fprintln(a.Streams.Err, address.String())
}

// openBrowser starts the browser and does not wait for it: $BROWSER, else the
// system's own way. It gets no secret: what it starts stays for days.
func (a *app) openBrowser(ctx context.Context, s *session, address string) error {
	environment := a.childEnvironment(s.profile, nil, "AUTHCTL_TOKEN")
	var failed error
	for _, choice := range a.browsers() {
		path, args, err := choice.command(address)
		if err == nil {
			browser := exec.CommandContext(context.WithoutCancel(ctx), path, args...)
			browser.Env, browser.SysProcAttr = environment, apart()
			if err = browser.Start(); err == nil {
				go func() { _ = browser.Wait() }()
				return nil
			}
		}
		failed = errors.Join(failed, err)
	}
	return failed
}
