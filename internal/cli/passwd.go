package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/spf13/cobra"
)

// passwdOptions are the flags of `passwd`.
type passwdOptions struct {
	serviceFlags
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
		Args: arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.begin(nil); err != nil {
				return err
			}
			return a.runPasswd(a.watched(command.Context()), o, args)
		},
		ValidArgsFunction: a.completeProfile,
	}
	o.bind(command.Flags())
	command.Flags().BoolVar(&o.stdin, "stdin", false, "read the old and the new password from stdin, a line each")
	command.Flags().StringVar(&o.user, "user", "", "the `name` of the user, where it is not the token's")
	command.Flags().StringVar(&o.operationID, "operation-id", "", "an `identifier` that the reply repeats")
	command.Flags().BoolVar(&o.noVerify, "no-verify", false, "do not get a new token with the new password")
	return command
}

func (a *app) runPasswd(ctx context.Context, o *passwdOptions, args []string) error {
	s, err := a.open(&o.serviceFlags, args)
	if err != nil {
		return err
	}
	changer, err := providers.As[providers.PasswordChanger](s.provider, "passwd", a.services)
	if err != nil {
		return err
	}
	change, err := a.askPasswords(ctx, o)
	if err != nil {
		return err
	}
	with, _, err := s.present(ctx)
	if err != nil {
		return err
	}
	err = s.bounded(ctx, with, func(ctx context.Context, with providers.Session) error {
		return changer.ChangePassword(ctx, with.AccessToken, change)
	})
	if err != nil {
		return a.dryRan(s, err)
	}
	a.note("the password is changed")
	return a.afterChange(ctx, s, o, args, change.New)
}

// askPasswords reads the old and the new password.
func (a *app) askPasswords(ctx context.Context, o *passwdOptions) (providers.PasswordChange, error) {
	change := providers.PasswordChange{User: o.user, OperationID: o.operationID}
	if o.stdin {
		lines := bufio.NewReader(io.LimitReader(a.Streams.In, 1<<16))
		for _, to := range []*oauth.Secret{&change.Old, &change.New} {
			line, err := lines.ReadString('\n')
			if err != nil && !errors.Is(err, io.EOF) {
				return change, fmt.Errorf("reading stdin: %w", err)
			}
			*to = oauth.NewSecret(strings.TrimRight(line, "\r\n"))
		}
		if change.Old.IsZero() || change.New.IsZero() {
			return change, usagef("--stdin wants two lines: the old password and the new one")
		}
		return change, nil
	}
	answers := [3]oauth.Secret{}
	for i, label := range []string{"old password", "new password", "new password again"} {
		answer, err := a.prompter.Hidden(ctx, label)
		if err != nil {
			return change, fmt.Errorf("%s: %w", label, err)
		}
		if answers[i] = oauth.NewSecret(answer); answers[i].IsZero() {
			return change, usagef("the %s is empty", label)
		}
	}
	if !answers[1].Equal(answers[2]) {
		return change, usagef("the new password was typed in two ways; nothing is changed")
	}
	change.Old, change.New = answers[0], answers[1]
	return change, nil
}

// afterChange drops what the old password gave and proves the new one.
func (a *app) afterChange(ctx context.Context, s *session, o *passwdOptions, args []string, fresh oauth.Secret) error {
	setup, err := a.setup()
	if err != nil {
		return err
	}
	kept := s.profile.Settings.Text("password")
	if name, ok := strings.CutPrefix(kept, "keyring:"); ok && o.user == "" {
		if err := setup.keyring.SetSecret(ctx, name, fresh); err != nil {
			return fmt.Errorf("the password is changed, but the keyring still holds the old one: %w", err)
		}
		a.note("the keyring holds the new password")
	} else if kept != "" && o.user == "" {
		a.warn("the profile's password comes from " + kept + ": change it there too")
	}
	if err := a.dropTokens(ctx, s, o.user); err != nil {
		return err
	}
	if o.noVerify || o.user != "" || s.profile.Settings.Text("grant") != "password" {
		return nil
	}
	o.override = map[string]providers.Value{"password": {Secret: oauth.Known(fresh), Origin: "the new password"}}
	again, err := a.open(&o.serviceFlags, args)
	if err != nil {
		return err
	}
	if _, err := again.token(ctx); err != nil {
		return fmt.Errorf("the password is changed, but no token can be had with it: %w", err)
	}
	a.note("a new token was had with it")
	return nil
}

// dropTokens removes every cached token of a user at this service. Nobody is the
// user that the profile is for: where it names none, because one logs in with the
// browser, that is whoever logged in as this client.
func (a *app) dropTokens(ctx context.Context, s *session, user string) error {
	own := s.provider.Identity()
	if user == "" {
		user = own.User
	}
	entries, err := s.broker.Store.List(ctx)
	if err != nil {
		return err
	}
	for _, e := range entries {
		same := e.Key.Provider == own.Provider && e.Key.TokenURL == own.TokenURL && e.Key.User == user
		if !same || user == "" && (e.Key.ClientID != own.ClientID || e.Key.Grant != own.Grant) {
			continue
		}
		if err := s.broker.Store.Delete(ctx, e.Key); err != nil {
			return err
		}
	}
	return nil
}
