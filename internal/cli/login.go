package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"strconv"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/loopback"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

// loginPatience is how long a person may take to log in.
const loginPatience = 5 * time.Minute

// loginOptions are the flags of `login`.
type loginOptions struct {
	verb.Service
	output    verb.Output
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
		Args: verb.Arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.Begin(&o.output); err != nil {
				return err
			}
			return a.runLogin(a.Watched(command.Context()), o, args)
		},
		ValidArgsFunction: a.CompleteProfile,
	}
	o.Bind(command.Flags(), verb.ForCachedTokens()...)
	command.Flags().Lookup("timeout").Usage = "how long to wait for the person (default 5m)"
	o.output.Bind(command.Flags(), "text", "json")
	command.Flags().BoolVar(&o.noBrowser, "no-browser", false, "print the address instead of opening a browser")
	return command
}

func (a *app) runLogin(ctx context.Context, o *loginOptions, args []string) error {
	s, err := a.Open(&o.Service, args)
	if err != nil {
		return err
	}
	if err := logsIn(a.Services, s); err != nil {
		return err
	}
	a.WarnOfProfile(s.Profile)
	port, err := strconv.ParseUint(s.Profile.Settings.Text("redirect_port"), 10, 16)
	if err != nil {
		return &setting.Error{Profile: s.Profile.Name, Name: "redirect_port", Problem: "is not a port"}
	}
	if o.DryRun {
		// Nothing listens: a free port is not known before.
		_, err := s.Provider.Login(ctx, providers.Interaction{
			RedirectURI:   fmt.Sprintf("http://127.0.0.1:%d/callback", port),
			OpenURL:       func(_ context.Context, u *url.URL) error { return a.UI.Print("GET " + u.String() + "\n") },
			AwaitRedirect: func(context.Context, redeeming) error { return nil },
		})
		return err
	}
	if err := a.nobodyToLogIn(); err != nil {
		return err
	}
	if err := keeps(ctx, s); err != nil {
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
	case a.UI.Prompter.Off:
		why, hint = a.UI.Prompter.OffBy+" forbids to ask one", "run it without "+a.UI.Prompter.OffBy+" in a terminal"
	case a.UI.ErrTerminal:
		return nil
	}
	return &providers.Failure{
		Reason: providers.ReasonLogin, Message: "a person has to log in with a browser, and " + why, Hint: hint,
	}
}

// keeps returns an error when nothing would be left of a login after it: a person is
// not asked to log in for that.
func keeps(ctx context.Context, s *client.Client) error {
	if _, err := s.Stored(ctx); err != nil {
		return err
	}
	if s.Local.Lost != nil {
		return fmt.Errorf("there is nowhere to keep a login: %w", s.Local.Lost)
	}
	if s.Store().Name() == "memory" {
		return verb.Usagef("--store memory leaves nothing of a login; use --store keyring or --store file")
	}
	return nil
}

// logsIn returns an error where the profile is not for logging in.
func logsIn(services []providers.Spec, s *client.Client) error {
	if err := s.Profile.Service.Require(providers.Login, services); err != nil {
		return err
	}
	if grant, _ := s.Profile.Settings.Lookup("grant"); !oauth.Grant(grant.Text).NeedsPerson() {
		return &setting.Error{
			Profile: s.Profile.Name, Name: "grant", Problem: "is " + grant.Text + ", with which nobody logs in",
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
func (l *loginUnderWay) finish(ctx context.Context, s *client.Client, redeem redeeming, answer url.Values) error {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
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
	return s.Keep(ctx, token)
}

func (a *app) awaitLogin(ctx context.Context, s *client.Client, o *loginOptions, l *loginUnderWay) error {
	patience := loginPatience
	if o.Timeout.Given != nil {
		patience = *o.Timeout.Given
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// A person reads along from here.
	a.UI.TellPending()
	a.showRedirect(s, l.receiver.RedirectURI())
	stop := func() {}
	l.seen = map[oauth.CallbackError]bool{}
	l.inVain = func(e *oauth.CallbackError) {
		stop()
		a.UI.Warn("somebody came with an answer that is not taken, and the wait goes on: " + explained(e))
		stop = a.spin("waiting for the browser")
	}
	token, err := s.Provider.Login(waiting, providers.Interaction{
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
		return fmt.Errorf("logging in as profile %s: %w", s.Profile.Name, err)
	}
	return a.loggedIn(s, o, token)
}

// spin shows that something is being waited for, until stop is called.
func (a *app) spin(text string) (stop func()) {
	if a.Global.Quiet {
		return func() {}
	}
	return term.Spin(a.UI.Streams.Err, a.UI.ErrTerminal, text)
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
func (a *app) nobodyCame(s *client.Client, l *loginUnderWay, patience time.Duration, err error) error {
	failure := &providers.Failure{
		Reason: providers.ReasonLogin, Err: err,
		Message: fmt.Sprintf("logging in as profile %s: nobody did within %s", s.Profile.Name, moment.Lasting(patience)),
		Hint: "log in: " + a.Subject.LoginCommand + "; if the service showed an error in the browser, " +
			"have it register the redirect URI " + registered(s, l.receiver.RedirectURI()),
	}
	if l.last != nil {
		failure.Message += "; somebody came, but " + explained(l.last)
	}
	return failure
}

// registered is the redirect URI as a service has to know it. A free port is another one
// each time.
func registered(s *client.Client, redirectURI string) string {
	if s.Profile.Settings.Text("redirect_port") == "0" {
		return "http://127.0.0.1:PORT/callback, with redirect_port: PORT in the profile"
	}
	return redirectURI
}

// showRedirect says where the browser will come back to, which a service may want to be
// told before.
func (a *app) showRedirect(s *client.Client, redirectURI string) {
	words := "the redirect URI is " + redirectURI
	if s.Profile.Settings.Text("redirect_port") == "0" {
		words += ", on a free port; where the service wants it registered, choose one with redirect_port"
	}
	a.UI.Note(words)
}

// needsPersonAgain warns of a login that cannot be refreshed.
func (a *app) needsPersonAgain(s *client.Client, token oauth.Token) {
	if !token.RefreshToken.IsZero() {
		return
	}
	words := s.Profile.Service.Title + " gave no refresh token: a person has to log in again "
	if expiry := token.Expiry(); expiry.IsZero() {
		words += "when the token ends, and it does not say when"
	} else {
		words += moment.Away(expiry.Sub(a.Now()))
	}
	if where := s.Profile.Service.RefreshTokensGivenIn; where != "" {
		words += "; " + where
	}
	a.UI.Warn(words)
}

// loggedIn tells of a login that is kept, never its tokens.
func (a *app) loggedIn(s *client.Client, o *loginOptions, token oauth.Token) error {
	expiry := token.Expiry()
	answer := s.Judge(token)
	a.TellOfScopes(s, answer)
	a.needsPersonAgain(s, token)
	if o.output.JSON() {
		at, _, _ := moment.Fields(expiry, a.Now())
		return a.UI.JSON(map[string]any{
			"profile": s.Profile.Name, "provider": s.Provider.Name(), "scopes": s.Granted(token),
			"missing_scopes": append([]string{}, verb.MissingScopes(answer)...),
			"expires_at":     at, "refreshable": !token.RefreshToken.IsZero(),
		})
	}
	words := "logged in as profile " + s.Profile.Name
	if !expiry.IsZero() {
		words += "; the token ends " + moment.Away(expiry.Sub(a.Now()))
	}
	a.UI.Note(words)
	return nil
}

// showAddress opens the browser, or says what to open. The address holds no secret:
// what it holds is worth nothing without this process.
func (a *app) showAddress(ctx context.Context, s *client.Client, address *url.URL, noBrowser bool) {
	words := "open this address in a browser on this machine:"
	if !noBrowser {
		err := a.openBrowser(ctx, s, address.String())
		if err == nil {
			words = "the browser opens " + address.Scheme + "://" + address.Host + "; if it does not, open there:"
		} else {
			a.UI.Warn("no browser could be opened: " + err.Error())
		}
		if err == nil && a.Global.Quiet {
			return
		}
	}
	a.UI.Note(words)
	_, _ = fmt.Fprintln(a.UI.Streams.Err, address.String())
}

// openBrowser starts the browser and does not wait for it: $BROWSER, else the
// system's own way. It gets no secret: what it starts stays for days.
func (a *app) openBrowser(ctx context.Context, s *client.Client, address string) error {
	environment := s.Local.ChildEnvironment(s.Profile, nil, "AUTHCTL_TOKEN")
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
