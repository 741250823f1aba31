package cli

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
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

// passwdOptions are the flags of `passwd`.
type passwdOptions struct {
	verb.Service
	output      verb.Output
	stdin       bool
	user        string
	operationID string
	noVerify    bool
}

func (a *app) passwd() *cobra.Command {
	o := &passwdOptions{}
	command := &cobra.Command{
		Use:   "passwd [PROFILE]",
		Short: "Change the user's password (Genesys)",
		Long: `Change the user's password. The old one and, twice, the new one are typed unseen, or
come from --stdin as two lines. Afterwards the cached tokens of the user are dropped, a
password that the profile keeps in the keyring is replaced, and a new token proves that
the new one works.`,
		Args: verb.Arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.Begin(&o.output); err != nil {
				return err
			}
			return a.runPasswd(a.Watched(command.Context()), o, args)
		},
		ValidArgsFunction: a.CompleteProfile,
	}
	o.Bind(command.Flags())
	o.output.Bind(command.Flags(), "text", "json")
	command.Flags().BoolVar(&o.stdin, "stdin", false, "read the old and the new password from stdin, a line each")
	command.Flags().StringVar(&o.user, "user", "", "the `name` of the user, where it is not the token's")
	command.Flags().StringVar(&o.operationID, "operation-id", "", "an `identifier` that the reply repeats")
	command.Flags().BoolVar(&o.noVerify, "no-verify", false, "do not get a new token with the new password")
	return command
}

func (a *app) runPasswd(ctx context.Context, o *passwdOptions, args []string) error {
	s, err := a.Open(&o.Service, args)
	if err != nil {
		return err
	}
	if err := s.Profile.Service.Require(providers.Passwd, a.Services); err != nil {
		return err
	}
	if grant, _ := s.Profile.Settings.Lookup("grant"); grant.Text == "client_credentials" && o.user == "" {
		return &setting.Error{
			Profile: s.Profile.Name, Name: "grant", Problem: "is client_credentials, whose tokens have no user",
			Help: "name a user with --user, or set {grant=password} in the profile, or authorization_code", Origin: grant.Origin,
		}
	}
	change, err := a.askPasswords(ctx, o)
	if err != nil {
		return err
	}
	with, _, err := s.Present(ctx)
	if err != nil {
		return err
	}
	err = s.Bounded(ctx, with, func(ctx context.Context, with providers.Session) error {
		return s.Provider.ChangePassword(ctx, with.AccessToken, change)
	})
	if failure, ok := errors.AsType[*providers.Failure](err); ok && failure.Ambiguous {
		// Not to be tried again: the old password may not be the old one any more.
		failure.Reason, failure.Message = providers.ReasonProtocol, "the password may or may not be changed: "+failure.Message
		failure.Hint = "get a token with the new password, then with the old one, to see which it is"
	}
	if err != nil {
		return a.DryRan(s, err)
	}
	a.UI.Note("the password is changed")
	verified, err := a.afterChange(ctx, s, o, args, change.New)
	if err != nil || !o.output.JSON() {
		return err
	}
	return a.UI.JSON(map[string]any{
		"profile": s.Profile.Name, "provider": s.Provider.Name(), "changed": true, "verified": verified,
	})
}

// askPasswords reads the old and the new password.
func (a *app) askPasswords(ctx context.Context, o *passwdOptions) (providers.PasswordChange, error) {
	change := providers.PasswordChange{User: o.user, OperationID: o.operationID}
	if o.stdin {
		lines, err := verb.FromStdin(ctx, a.Deps, &o.Service, func() ([2]string, error) { return twoLines(a.UI.Streams.In) })
		if err != nil {
			return change, err
		}
		change.Old, change.New = secret.New(files.TidySecret(lines[0])), secret.New(files.TidySecret(lines[1]))
		if change.Old.IsZero() || change.New.IsZero() {
			return change, verb.Usagef("--stdin wants two lines: the old password and the new one")
		}
		return change, nil
	}
	answers := [3]secret.Secret{}
	for i, label := range []string{"old password", "new password", "new password again"} {
		answer, err := a.UI.Prompter.Hidden(ctx, label)
		if errors.Is(err, term.ErrNoInput) {
			return change, fmt.Errorf("%s: %w; --stdin takes the passwords from a pipe", label, err)
		}
		if err != nil {
			a.SayIfInterrupted(err, "nothing is changed")
			return change, fmt.Errorf("%s: %w", label, err)
		}
		if answers[i] = secret.New(answer); answers[i].IsZero() {
			return change, verb.Usagef("the %s is empty", label)
		}
	}
	if !answers[1].Equal(answers[2]) {
		return change, &verb.Error{
			Kind: "usage", Message: "the new password was typed in two ways; nothing is changed",
			Hint: "run it again, and type the new password the same way twice",
		}
	}
	change.Old, change.New = answers[0], answers[1]
	return change, nil
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

// afterChange drops what the old password gave and proves the new one, which verified
// reports: only the password grant can.
func (a *app) afterChange(
	ctx context.Context, s *client.Client, o *passwdOptions, args []string, fresh secret.Secret,
) (verified bool, err error) {
	own := s.Profile.Settings.Text("username")
	others := o.user != "" && o.user != own && !strings.HasSuffix(own, `\`+o.user)
	user := own
	if others {
		user = o.user
	}
	if err := a.dropTokens(ctx, s, user); err != nil {
		return false, fmt.Errorf("the password is changed, but tokens of the old one are still stored: %w", err)
	}
	if !others {
		if err := a.keepPassword(ctx, s, fresh); err != nil {
			return false, err
		}
	}
	if o.noVerify || others || s.Profile.Settings.Text("grant") != "password" {
		return false, nil
	}
	p, err := a.Pick(&o.Service, args, map[string]setting.Value{
		"password": {Secret: secret.Known(fresh), Origin: "the new password"},
	})
	if err != nil {
		return false, err
	}
	again, err := a.OpenProfile(&o.Service, p)
	if err != nil {
		return false, err
	}
	if _, err := again.Token(ctx); err != nil {
		return false, fmt.Errorf("the password is changed, but no token can be had with it: %w", err)
	}
	a.UI.Note("a new token was had with it")
	return true, nil
}

// keepPassword puts the new password where the profile has the old one, which only a
// keyring lets us do.
func (a *app) keepPassword(ctx context.Context, s *client.Client, fresh secret.Secret) error {
	kept := s.Profile.Settings.Text("password")
	name, ok := strings.CutPrefix(kept, "keyring:")
	if !ok {
		if kept != "" {
			a.UI.Warn("the profile's password comes from " + kept + ": change it there too")
		}
		return nil
	}
	if err := s.Local.Keyring.SetSecret(ctx, name, fresh); err != nil {
		return fmt.Errorf("the password is changed, but the keyring still holds the old one: %w", err)
	}
	a.UI.Note("the keyring holds the new password")
	return nil
}

// dropTokens removes every cached token of a user at this service. An empty user is
// whoever logged in with the browser as this client.
func (a *app) dropTokens(ctx context.Context, s *client.Client, user string) error {
	own := s.Provider.Key()
	entries, err := s.Store().List(ctx)
	if err != nil {
		return err
	}
	for _, e := range entries {
		same := e.Key.Provider == own.Provider && e.Key.TokenURL == own.TokenURL && e.Key.User == user
		if !same || user == "" && (e.Key.ClientID != own.ClientID || e.Key.Grant != own.Grant) {
			continue
		}
		if err := s.Store().Delete(ctx, e.Key); err != nil {
			return err
		}
		if e.Key.Grant.NeedsPerson() {
			a.UI.Note("the login of profile " + e.Profile + " is dropped; log in again: " + a.CommandFor(e.Profile, "login"))
		}
	}
	return nil
}
