package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/loopback"
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
	noBrowser bool
}

func (a *app) login() *cobra.Command {
	o := &loginOptions{}
	command := &cobra.Command{
		Use:   "login [PROFILE]",
		Short: "Log in with the browser",
		Long: `Log in with the browser: the authorization code grant with a redirect to this machine,
state and PKCE. The token is kept like any other, and token get refreshes it.

The profile needs grant: authorization_code. Where redirect URIs are registered, set
redirect_port and register http://127.0.0.1:PORT/callback.`,
		Args: arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.begin(nil); err != nil {
				return err
			}
			return a.runLogin(a.watched(command.Context()), o, args)
		},
		ValidArgsFunction: a.completeProfile,
	}
	o.bind(command.Flags())
	command.Flags().BoolVar(&o.noBrowser, "no-browser", false, "print the address instead of opening a browser")
	return command
}

func (a *app) runLogin(ctx context.Context, o *loginOptions, args []string) error {
	s, err := a.open(&o.serviceFlags, args)
	if err != nil {
		return err
	}
	starter, err := a.loginStarter(s)
	if err != nil {
		return err
	}
	a.complainOfProfile(s.profile)
	port, err := strconv.ParseUint(s.profile.Settings.Text("redirect_port"), 10, 16)
	if err != nil {
		return &providers.SettingError{Profile: s.profile.Name, Name: "redirect_port", Problem: "is not a port"}
	}
	if !o.dryRun && (a.prompter.Off || !a.Streams.ErrTerminal) {
		return &providers.Failure{
			Reason: providers.ReasonLogin, Message: "a person has to log in with a browser, and there is no terminal here",
			Hint: "run it in a terminal, without CI=true and --no-input",
		}
	}
	receiver, err := loopback.Listen(loopback.Options{Port: int(port)})
	if err != nil {
		return fmt.Errorf("waiting for the redirect: %w", err)
	}
	defer func() { _ = receiver.Close() }()
	login, err := starter.StartLogin(receiver.RedirectURI())
	if err != nil {
		return err
	}
	if o.dryRun {
		return a.print("GET " + login.URL.String() + "\n")
	}
	return a.awaitLogin(ctx, s, o, loginUnderWay{starter, login, receiver})
}

// loginStarter returns what logs in, if the profile is for that.
func (a *app) loginStarter(s *session) (providers.LoginStarter, error) {
	starter, err := providers.As[providers.LoginStarter](s.provider, "login", a.services)
	if err != nil {
		return nil, err
	}
	if grant, _ := s.profile.Settings.Lookup("grant"); grant.Text != providers.AuthorizationCodeGrant {
		return nil, &providers.SettingError{
			Profile: s.profile.Name, Name: "grant", Problem: "is " + grant.Text + ", with which nobody logs in",
			Help: "set grant: authorization_code in the profile", Origin: grant.Origin,
		}
	}
	return starter, nil
}

// loginUnderWay is a login whose answer the receiver waits for.
type loginUnderWay struct {
	starter  providers.LoginStarter
	login    *providers.Login
	receiver *loopback.Receiver
}

func (a *app) awaitLogin(ctx context.Context, s *session, o *loginOptions, l loginUnderWay) error {
	patience := loginPatience
	if o.timeout.set {
		patience = o.timeout.value
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	a.showAddress(ctx, l.login.URL, o.noBrowser)
	stop := term.Spin(a.Streams.Err, a.Streams.ErrTerminal, "waiting for the browser")
	defer stop()
	var token oauth.Token
	err := l.receiver.Wait(ctx, func(answer url.Values) error {
		var err error
		if token, err = l.starter.FinishLogin(ctx, l.login, answer); err != nil {
			return err
		}
		return nil
	})
	stop()
	if err != nil {
		return a.loginFailed(ctx, s, patience, err)
	}
	if err := s.broker.Keep(ctx, s.request, token); err != nil {
		return fmt.Errorf("keeping the token of profile %s: %w", s.profile.Name, err)
	}
	words := "logged in as profile " + s.profile.Name
	if expiry := token.Expiry(); !expiry.IsZero() {
		words += "; the token ends " + remaining(expiry.Sub(a.Now()))
	}
	a.note(words)
	return nil
}

func (a *app) loginFailed(ctx context.Context, s *session, patience time.Duration, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &providers.Failure{
			Reason: providers.ReasonLogin, Err: err,
			Message: fmt.Sprintf("logging in as profile %s: nobody did within %s", s.profile.Name, patience),
		}
	}
	return fmt.Errorf("logging in as profile %s: %w", s.profile.Name, err)
}

// showAddress opens the browser, or says what to open. The address holds no secret:
// what it holds is worth nothing without this process.
func (a *app) showAddress(ctx context.Context, address *url.URL, noBrowser bool) {
	if !noBrowser {
		err := a.openBrowser(ctx, address.String())
		if err == nil {
			a.note("the browser opens " + address.Scheme + "://" + address.Host + "; log in there")
			return
		}
		a.warn("no browser could be opened: " + err.Error())
	}
	a.note("open this address in a browser on this machine:")
	_, _ = fmt.Fprintln(a.Streams.Err, address.String())
}

// openBrowser starts the browser and does not wait for it: $BROWSER, else the
// system's own way.
func (a *app) openBrowser(ctx context.Context, address string) error {
	words := []string{"xdg-open"}
	switch runtime.GOOS {
	case "darwin":
		words = []string{"open"}
	case "windows":
		words = []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	if chosen, _ := a.LookupEnv("BROWSER"); strings.TrimSpace(chosen) != "" {
		words = strings.Fields(chosen)
	}
	browser := exec.CommandContext(context.WithoutCancel(ctx), words[0], append(words[1:], address)...)
	browser.SysProcAttr = apart()
	if err := browser.Start(); err != nil {
		return err
	}
	go func() { _ = browser.Wait() }()
	return nil
}
