package session

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// passwd is `passwd`.
type passwd struct {
	*verb.Deps
	verb.Service
	output      verb.Output
	stdin       bool
	user        string
	operationID string
	noVerify    bool
}

// Passwd returns the command `passwd`.
func Passwd(d *verb.Deps) *cobra.Command {
	p := &passwd{Deps: d}
	return d.Command(cobra.Command{
		Use:   "passwd [PROFILE]",
		Short: "Change the user's password (Genesys)",
		Long: `Change the user's password. The old one and, twice, the new one are typed unseen, or
come from --stdin as two lines. Afterwards the cached tokens of the user are dropped, a
password that the profile keeps in the keyring is replaced, and a new token proves that
the new one works.`,
	}, verb.Flags{
		Service: &p.Service, Output: &p.output, Formats: []string{"text", "json"}, Watched: true,
		Own: func(f *pflag.FlagSet) {
			f.BoolVar(&p.stdin, "stdin", false, "read the old and the new password from stdin, a line each")
			f.StringVar(&p.user, "user", "", "the `name` of the user, where it is not the token's")
			f.StringVar(&p.operationID, "operation-id", "", "an `identifier` that the reply repeats")
			f.BoolVar(&p.noVerify, "no-verify", false, "do not get a new token with the new password")
		},
	}, p.run)
}

func (p *passwd) run(ctx context.Context, args []string) error {
	c, err := p.OpenFor(providers.Passwd, &p.Service, args)
	if err != nil {
		return err
	}
	if grant, _ := c.Profile.Settings.Lookup("grant"); grant.Text == string(oauth.ClientCredentials) && p.user == "" {
		return &setting.Error{
			Profile: c.Profile.Name, Name: "grant", Problem: "is client_credentials, whose tokens have no user",
			Help: "name a user with --user, or set {grant=password} in the profile, or authorization_code", Origin: grant.Origin,
		}
	}
	change := providers.PasswordChange{User: p.user, OperationID: p.operationID}
	read := p.typed
	if p.stdin {
		read = p.piped
	}
	if change.Old, change.New, err = read(ctx); err != nil {
		return err
	}
	if err := send(ctx, c, change); err != nil {
		return p.DryRan(c, err)
	}
	p.UI.Note("the password is changed")
	verified, err := p.afterChange(ctx, c, args, change.New)
	if err != nil || !p.output.JSON() {
		return err
	}
	return p.UI.JSON(map[string]any{
		"profile": c.Profile.Name, "provider": c.Provider.Name(), "changed": true, "verified": verified,
	})
}

// send asks the service for the change.
func send(ctx context.Context, c *client.Client, change providers.PasswordChange) error {
	with, _, err := c.Present(ctx)
	if err != nil {
		return err
	}
	err = c.Bounded(ctx, with, func(ctx context.Context, with providers.Session) error {
		return c.Provider.ChangePassword(ctx, with.AccessToken, change)
	})
	if failure, ok := errors.AsType[*providers.Failure](err); ok && failure.Ambiguous {
		// Not to be tried again: the old password may not be the old one any more.
		failure.Reason, failure.Message = providers.ReasonProtocol, "the password may or may not be changed: "+failure.Message
		failure.Hint = "get a token with the new password, then with the old one, to see which it is"
	}
	return err
}

// piped reads the old and the new password from stdin.
func (p *passwd) piped(ctx context.Context) (before, fresh secret.Secret, err error) {
	lines, err := verb.FromStdin(ctx, p.Deps, &p.Service, func() ([2]string, error) { return twoLines(p.UI.Streams.In) })
	if err != nil {
		return before, fresh, err
	}
	before, fresh = secret.New(files.TidySecret(lines[0])), secret.New(files.TidySecret(lines[1]))
	if before.IsZero() || fresh.IsZero() {
		return before, fresh, verb.Usagef("--stdin wants two lines: the old password and the new one")
	}
	return before, fresh, nil
}

// twoLines reads two lines, and not what follows.
func twoLines(r io.Reader) (lines [2]string, err error) {
	text := bufio.NewReader(io.LimitReader(r, 1<<16))
	for i := range lines {
		if lines[i], err = text.ReadString('\n'); err != nil && !errors.Is(err, io.EOF) {
			return lines, err
		}
	}
	return lines, nil
}

// typed asks for the old password and, twice, for the new one.
func (p *passwd) typed(ctx context.Context) (before, fresh secret.Secret, err error) {
	answers := [3]secret.Secret{}
	for i, label := range []string{"old password", "new password", "new password again"} {
		answer, err := p.UI.Prompter.Hidden(ctx, label)
		if errors.Is(err, term.ErrNoInput) {
			return before, fresh, fmt.Errorf("%s: %w; --stdin takes the passwords from a pipe", label, err)
		}
		if err != nil {
			p.SayIfInterrupted(err, "nothing is changed")
			return before, fresh, fmt.Errorf("%s: %w", label, err)
		}
		if answers[i] = secret.New(answer); answers[i].IsZero() {
			return before, fresh, verb.Usagef("the %s is empty", label)
		}
	}
	if !answers[1].Equal(answers[2]) {
		return before, fresh, &verb.Error{
			Kind: "usage", Message: "the new password was typed in two ways; nothing is changed",
			Hint: "run it again, and type the new password the same way twice",
		}
	}
	return answers[0], answers[1], nil
}

// afterChange drops what the old password gave and proves the new one, and reports whether
// it has: only the password grant can.
func (p *passwd) afterChange(ctx context.Context, c *client.Client, args []string, fresh secret.Secret) (bool, error) {
	user := c.Profile.Settings.Text("username")
	others := p.user != "" && p.user != user && !strings.HasSuffix(user, `\`+p.user)
	if others {
		user = p.user
	}
	if err := p.dropTokens(ctx, c, user); err != nil {
		return false, fmt.Errorf("the password is changed, but tokens of the old one are still stored: %w", err)
	}
	if others {
		return false, nil
	}
	if err := p.keepPassword(ctx, c, fresh); err != nil {
		return false, err
	}
	if p.noVerify || c.Profile.Settings.Text("grant") != string(oauth.Password) {
		return false, nil
	}
	if err := p.verify(ctx, args, fresh); err != nil {
		return false, err
	}
	p.UI.Note("a new token was had with it")
	return true, nil
}

// verify gets a token with the new password.
func (p *passwd) verify(ctx context.Context, args []string, fresh secret.Secret) error {
	profile, err := p.Pick(&p.Service, args, map[string]setting.Value{
		"password": {Secret: secret.Known(fresh), Origin: "the new password"},
	})
	if err != nil {
		return err
	}
	again, err := p.OpenProfile(&p.Service, profile)
	if err != nil {
		return err
	}
	if _, err := again.Token(ctx); err != nil {
		return fmt.Errorf("the password is changed, but no token can be had with it: %w", err)
	}
	return nil
}

// keepPassword puts the new password where the profile has the old one, which only a
// keyring lets us do.
func (p *passwd) keepPassword(ctx context.Context, c *client.Client, fresh secret.Secret) error {
	kept := c.Profile.Settings.Text("password")
	name, ok := strings.CutPrefix(kept, "keyring:")
	if !ok {
		if kept != "" {
			p.UI.Warn("the profile's password comes from " + kept + ": change it there too")
		}
		return nil
	}
	if err := c.Local.Keyring.SetSecret(ctx, name, fresh); err != nil {
		return fmt.Errorf("the password is changed, but the keyring still holds the old one: %w", err)
	}
	p.UI.Note("the keyring holds the new password")
	return nil
}

// dropTokens removes every cached token of a user at this service. An empty user is
// whoever logged in with the browser as this client.
func (p *passwd) dropTokens(ctx context.Context, c *client.Client, user string) error {
	own := c.Provider.Key()
	entries, err := c.Store().List(ctx)
	if err != nil {
		return err
	}
	for _, e := range entries {
		same := e.Key.Provider == own.Provider && e.Key.TokenURL == own.TokenURL && e.Key.User == user
		if !same || user == "" && (e.Key.ClientID != own.ClientID || e.Key.Grant != own.Grant) {
			continue
		}
		if err := c.Store().Delete(ctx, e.Key); err != nil {
			return err
		}
		if e.Key.Grant.NeedsPerson() {
			p.UI.Note("the login of profile " + e.Profile + " is dropped; log in again: " + p.CommandFor(e.Profile, "login"))
		}
	}
	return nil
}
