package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/store"
	"github.com/spf13/cobra"
)

// signoutOptions are the flags of `signout`.
type signoutOptions struct {
	serviceFlags
	global        bool
	all           bool
	redirectURI   string
	requireRemote bool
}

func (a *app) signout() *cobra.Command {
	o := &signoutOptions{}
	command := &cobra.Command{
		Use:   "signout [PROFILE]",
		Short: "End the session at the service where it can be, and forget the token",
		Long: `End the session at the service where it can be, and forget the local token in any
case. Where the service cannot be told, stderr says so and until when the token stays
valid; with --require-remote that is exit code 6.`,
		Args: arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.begin(nil); err != nil {
				return err
			}
			return a.runSignout(a.watched(command.Context()), o, args)
		},
		ValidArgsFunction: a.completeProfile,
	}
	o.bind(command.Flags())
	command.Flags().BoolVar(&o.global, "global", false, "end all sessions of the user")
	command.Flags().BoolVar(&o.all, "all", false, "sign out of every profile that has a token here")
	command.Flags().StringVar(&o.redirectURI, "redirect-uri", "", "ask where a browser would go afterwards (`URI`)")
	command.Flags().BoolVar(&o.requireRemote, "require-remote", false, "fail when the service cannot be told")
	return command
}

func (a *app) runSignout(ctx context.Context, o *signoutOptions, args []string) error {
	if !o.all {
		s, err := a.open(&o.serviceFlags, args)
		if err != nil {
			return err
		}
		return a.signOutOf(ctx, s, o)
	}
	if len(args) > 0 || o.name != "" {
		return usagef("--all and a profile do not go together")
	}
	return a.signOutOfAll(ctx, o)
}

// signOutOfAll goes through what is stored. A token whose profile is gone, or has
// become another client, is forgotten without the service being told.
func (a *app) signOutOfAll(ctx context.Context, o *signoutOptions) error {
	setup, err := a.setup()
	if err != nil {
		return err
	}
	kept, err := setup.store(o.store)
	if err != nil {
		return err
	}
	entries, err := kept.List(ctx)
	if err != nil {
		return err
	}
	var all []error
	for _, e := range entries {
		all = append(all, a.signOutOfEntry(ctx, o, kept, e))
	}
	if len(entries) == 0 {
		a.note("there is no token here")
	}
	return errors.Join(all...)
}

func (a *app) signOutOfEntry(ctx context.Context, o *signoutOptions, kept store.Store, e store.Entry) error {
	s, err := a.open(&o.serviceFlags, []string{e.Profile})
	if err == nil && store.Key(s.provider.Identity()).Equal(e.Key) {
		return a.signOutOf(ctx, s, o)
	}
	if err := kept.Delete(ctx, e.Key); err != nil {
		return err
	}
	a.warn(fmt.Sprintf("the token of %s is forgotten, but its profile has changed: %s was not told, "+
		"and it stays valid until %s", e.Profile, e.Key.Provider, clock(e.Expiry)))
	if o.requireRemote {
		return &providers.UnsupportedError{Service: e.Key.Provider, Operation: "signout without its profile"}
	}
	return nil
}

// signOutOf tells the service, if it can be told, and forgets the token whatever it
// answers.
func (a *app) signOutOf(ctx context.Context, s *session, o *signoutOptions) error {
	record, err := s.stored(ctx)
	if err != nil {
		return err
	}
	if record == nil {
		a.note("there is no token of profile " + s.profile.Name + " here")
		return nil
	}
	remote := a.tellService(ctx, s, o, record)
	if s.dryRun != nil {
		return a.dryRan(s, remote)
	}
	if err := s.broker.Forget(ctx, s.request); err != nil {
		return fmt.Errorf("forgetting the token of profile %s: %w", s.profile.Name, err)
	}
	if remote == nil {
		return nil
	}
	if o.requireRemote {
		return fmt.Errorf("the token of profile %s is forgotten here, but not at the service: %w", s.profile.Name, remote)
	}
	a.warn(fmt.Sprintf("the token of profile %s is forgotten here, but stays valid until %s: %v",
		s.profile.Name, clock(record.Token.Expiry()), remote))
	return nil
}

// tellService asks the service to end the session.
func (a *app) tellService(ctx context.Context, s *session, o *signoutOptions, record *store.Record) error {
	signOuter, err := providers.As[providers.SignOuter](s.provider, "signout", a.services)
	if err != nil {
		return err
	}
	return s.bounded(ctx, sessionOf(record.Token), func(ctx context.Context, with providers.Session) error {
		done, err := signOuter.SignOut(ctx, with, providers.SignOutOptions{Global: o.global, RedirectURI: o.redirectURI})
		if err != nil {
			return err
		}
		a.note(s.profile.Name + ": " + done.Did)
		if done.Lacking != "" {
			lacks := &providers.UnsupportedError{Service: s.profile.Service.Title, Operation: done.Lacking}
			if o.requireRemote {
				return lacks
			}
			a.warn(lacks.Error())
		}
		if done.RedirectURI != "" {
			a.note("a browser would go on to " + done.RedirectURI)
		}
		return nil
	})
}

// clock is a moment for people, in their own time.
func clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }
