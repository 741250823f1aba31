// Package session is what a person does with a service: log in, see who that is and whether
// the service answers, change the password, sign out.
package session

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/loopback"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// patience is how long a person may take to log in.
const patience = 5 * time.Minute

// login is `login`.
type login struct {
	*verb.Deps
	verb.Service
	output    verb.Output
	noBrowser bool
}

// Login returns the command `login`.
func Login(d *verb.Deps) *cobra.Command {
	l := &login{Deps: d}
	return d.Command(cobra.Command{
		Use: "login [PROFILE]", SuggestFor: []string{"signin", "auth"},
		Short: "Log in with the browser",
		Long: `Log in with the browser: the authorization code grant with a redirect to this machine,
state and PKCE. The token is kept like any other, and token get refreshes it.

The profile needs grant: authorization_code. Where redirect URIs are registered, set
redirect_port and register http://127.0.0.1:PORT/callback.

It waits five minutes for the person, or as long as --timeout says.`,
	}, verb.Flags{
		Service: &l.Service, Without: verb.ForCachedTokens(), Watched: true,
		Output: &l.output, Formats: []string{"text", "json"},
		Own: func(f *pflag.FlagSet) {
			f.Lookup("timeout").Usage = "how long to wait for the person (default 5m)"
			f.BoolVar(&l.noBrowser, "no-browser", false, "print the address instead of opening a browser")
		},
	}, l.run)
}

func (l *login) run(ctx context.Context, args []string) error {
	c, err := l.OpenFor(providers.Login, &l.Service, args)
	if err != nil {
		return err
	}
	if err := logsIn(c); err != nil {
		return err
	}
	l.WarnOfProfile(c.Profile)
	port, err := strconv.ParseUint(c.Profile.Settings.Text("redirect_port"), 10, 16)
	if err != nil {
		return &setting.Error{Profile: c.Profile.Name, Name: "redirect_port", Problem: "is not a port"}
	}
	if l.Service.DryRun {
		return l.dryRun(ctx, c, port)
	}
	if err := l.nobodyToLogIn(); err != nil {
		return err
	}
	if err := keeps(ctx, c); err != nil {
		return err
	}
	receiver, err := loopback.Listen(int(port))
	if err != nil {
		return fmt.Errorf("waiting for the redirect: %w", err)
	}
	defer func() { _ = receiver.Close() }()
	token, err := l.await(ctx, c, receiver)
	if err != nil {
		return err
	}
	return l.loggedIn(c, token)
}

// dryRun prints where the browser would go. Nothing listens: a free port is not known
// before.
func (l *login) dryRun(ctx context.Context, c *client.Client, port uint64) error {
	_, err := c.Provider.Login(ctx, providers.Interaction{
		RedirectURI:   fmt.Sprintf("http://127.0.0.1:%d/callback", port),
		OpenURL:       func(_ context.Context, u *url.URL) error { return l.UI.Print("GET " + u.String() + "\n") },
		AwaitRedirect: func(context.Context, redeeming) error { return nil },
	})
	return err
}

// nobodyToLogIn returns an error where no person can be told to log in.
func (l *login) nobodyToLogIn() error {
	why, hint := "stderr is not a terminal", "run it in a terminal"
	switch by := l.UI.Prompter.OffBy; {
	case l.UI.Prompter.Off:
		why, hint = by+" forbids to ask one", "run it without "+by+" in a terminal"
	case l.UI.ErrTerminal:
		return nil
	}
	return &providers.Failure{
		Reason: providers.ReasonLogin, Message: "a person has to log in with a browser, and " + why, Hint: hint,
	}
}

// keeps returns an error when nothing would be left of a login after it: a person is
// not asked to log in for that. That a store can be read says little: a keyring without a collection
// can be, and is not written to without a person.
func keeps(ctx context.Context, c *client.Client) error {
	if _, err := c.Stored(ctx); err != nil {
		return err
	}
	if _, err := store.Probe(ctx, c.Store(), c.Local.Now()); err != nil {
		return err
	}
	if lost := client.Lost(c.Store()); lost != nil {
		return fmt.Errorf("there is nowhere to keep a login: %w", lost)
	}
	if c.Store().Name() == "memory" {
		return verb.Usagef("--store memory leaves nothing of a login; use --store keyring or --store file")
	}
	return nil
}

// logsIn returns an error where the profile is not for logging in.
func logsIn(c *client.Client) error {
	grant, _ := c.Profile.Settings.Lookup("grant")
	if oauth.Grant(grant.Text).NeedsPerson() {
		return nil
	}
	return &setting.Error{
		Profile: c.Profile.Name, Name: "grant", Problem: "is " + grant.Text + ", with which nobody logs in",
		Help: "set {grant=authorization_code} in the profile", Origin: grant.Origin,
	}
}

// loggedIn tells of a login that is kept, never its tokens.
func (l *login) loggedIn(c *client.Client, token oauth.Token) error {
	expiry := token.Expiry()
	answer := c.Judge(token)
	l.TellOfScopes(c, answer)
	l.needsPersonAgain(c, token)
	if l.output.JSON() {
		at, _, _ := moment.Fields(expiry, l.Now())
		return l.UI.JSON(map[string]any{
			"profile": c.Profile.Name, "provider": c.Provider.Name(), "scopes": c.Granted(token),
			"missing_scopes": append([]string{}, verb.MissingScopes(answer)...),
			"expires_at":     at, "refreshable": !token.RefreshToken.IsZero(),
		})
	}
	words := "logged in as profile " + c.Profile.Name
	if !expiry.IsZero() {
		words += "; the token ends " + moment.Away(expiry.Sub(l.Now()))
	}
	l.UI.Note(words)
	if c.Store().Name() == (&store.Kernel{}).Name() {
		until := "the machine is off"
		if c.Local.Kernel().UntilLogout() {
			until = "you log out"
		}
		l.UI.Note("the kernel keeps the login until " + until + ", or nobody has used it for three days; " +
			"to keep it longer: authctl store init")
	}
	return nil
}

// needsPersonAgain warns of a login that cannot be refreshed.
func (l *login) needsPersonAgain(c *client.Client, token oauth.Token) {
	if !token.RefreshToken.IsZero() {
		return
	}
	words := c.Profile.Service.Title + " gave no refresh token: a person has to log in again "
	if expiry := token.Expiry(); expiry.IsZero() {
		words += "when the token ends, and it does not say when"
	} else {
		words += moment.Away(expiry.Sub(l.Now()))
	}
	if where := c.Profile.Service.RefreshTokensGivenIn; where != "" {
		words += "; " + where
	}
	l.UI.Warn(words)
}
