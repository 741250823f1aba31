// Package session is what a person does with a service: log in, see who that is and whether
// the service answers, change the password, sign out.
package session

import (
	"context"
	"fmt"
	"net/url"
	"slices"
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
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return completeLogin(d, args)
		},
		Use: "login [PROFILE]", SuggestFor: []string{"signin", "auth"},
		Short: "Log in with the browser",
		Long: `Log in with a browser. The token is kept like any other, and token get refreshes it.

With grant: authorization_code it is the browser of this machine: the service redirects it
back here, with state and PKCE. Where redirect URIs are registered, set redirect_port and
register http://127.0.0.1:PORT/callback. It waits five minutes for the person.

With grant: device_code it is any browser, also over SSH and from the log of a pipeline: stderr
shows an address and a code, and in a terminal with colour a QR code too. It waits as long as
the code is good, at most half an hour.

--timeout says how long to wait instead.`,
	}, verb.Flags{
		Service: &l.Service, Without: verb.ForCachedTokens(), Watched: true,
		Output: &l.output, Formats: []string{"text", "json"},
		Own: func(f *pflag.FlagSet) {
			f.Lookup("timeout").Usage = "how long to wait for the person (default the life of a device code, else 5m)"
			f.BoolVar(&l.noBrowser, "no-browser", false, "print the address instead of opening a browser")
		},
	}, l.run)
}

// completeLogin offers the profiles that a person logs in with, and those that cannot be read.
func completeLogin(d *verb.Deps, args []string) (found []string, _ cobra.ShellCompDirective) {
	file, err := d.File()
	if len(args) > 0 || err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all, _ := file.List()
	for _, s := range all {
		if s.Profile == nil || oauth.Grant(s.Profile.Settings.Text("grant")).NeedsPerson() {
			found = append(found, s.Name)
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
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
		return err // which no profile has that was opened
	}
	if l.Service.DryRun {
		return l.dryRun(ctx, c, port)
	}
	device := c.Key().Grant == oauth.DeviceCode
	if err := l.nobodyToLogIn(device); err != nil {
		return err
	}
	if err := keeps(ctx, c); err != nil {
		return err
	}
	// A person reads along from here.
	l.UI.TellPending()
	var token oauth.Token
	if device {
		token, err = l.onDevice(ctx, c)
	} else {
		token, err = l.here(ctx, c, int(port))
	}
	if err != nil {
		return err
	}
	return l.loggedIn(c, token)
}

// here has a person log in with this machine's browser.
func (l *login) here(ctx context.Context, c *client.Client, port int) (oauth.Token, error) {
	receiver, err := loopback.Listen(port)
	if err != nil {
		return oauth.Token{}, fmt.Errorf("waiting for the redirect: %w", err)
	}
	defer func() { _ = receiver.Close() }()
	return l.await(ctx, c, receiver)
}

// dryRun prints where the browser would go, or what would be sent for a device. Nothing
// listens: a free port is not known before.
func (l *login) dryRun(ctx context.Context, c *client.Client, port uint64) error {
	_, err := c.Provider.Login(ctx, providers.Interaction{
		RedirectURI:   fmt.Sprintf("http://127.0.0.1:%d/callback", port),
		OpenURL:       func(_ context.Context, u *url.URL) error { return l.UI.Print("GET " + u.String() + "\n") },
		AwaitRedirect: func(context.Context, redeeming) error { return nil },
	})
	if err != nil {
		return l.DryRan(c, err)
	}
	return nil
}

// nobodyToLogIn returns an error where no person can be told to log in. What is to be done on
// any device, somebody may read in a log.
func (l *login) nobodyToLogIn(device bool) error {
	why, hint := "stderr is not a terminal", "run it in a terminal"
	switch by := l.UI.Prompter.OffBy; {
	case l.UI.Prompter.Off:
		why, hint = by+" forbids to ask one", "run it without "+by
		if !device {
			hint += " in a terminal"
		}
	case l.UI.ErrTerminal || device:
		return nil
	}
	return &providers.Failure{
		Reason: providers.ReasonLogin, Message: "a person has to log in with a browser, and " + why, Hint: hint,
	}
}

// keep stores the token, whatever interrupts: the person has logged in.
func keep(ctx context.Context, c *client.Client, token oauth.Token) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Timeout)
	defer cancel()
	if err := c.Keep(ctx, token); err != nil {
		return fmt.Errorf("keeping the token: %w", err)
	}
	return nil
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
		return verb.Usagef("--store memory leaves nothing of a login; " +
			"use --store keyring, --store file or, on Linux, --store kernel")
	}
	return nil
}

// logsIn returns an error where the profile is not for logging in.
func logsIn(c *client.Client) error {
	grant, _ := c.Profile.Settings.Lookup("grant")
	if oauth.Grant(grant.Text).NeedsPerson() {
		return nil
	}
	help := "set {grant=authorization_code} in the profile"
	if device := string(oauth.DeviceCode); slices.Contains(c.Profile.Service.Grants(), device) {
		help += ", or " + device
	}
	return &setting.Error{
		Profile: c.Profile.Name, Name: "grant", Problem: "is " + grant.Text + ", with which nobody logs in",
		Help: help, Origin: grant.Origin,
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
