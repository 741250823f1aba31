package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store"
	"github.com/spf13/cobra"
)

// signoutOptions are the flags of `signout`.
type signoutOptions struct {
	verb.Service
	output        verb.Output
	global        bool
	all           bool
	redirectURI   string
	requireRemote bool
	// outcomes are what became of each token, for -o json.
	outcomes []signoutOutcome
	// tokens says how many tokens of each profile there are.
	tokens map[string]int
}

// of names whose a token is, with its scopes where the profile has another one.
func (o *signoutOptions) of(profile string, scopes []string) string {
	const most = 5
	switch {
	case o.tokens[profile] < 2:
		return profile
	case len(scopes) == 0:
		return profile + " (no scopes asked)"
	case len(scopes) > most:
		return fmt.Sprintf("%s (%s and %d more)", profile, strings.Join(scopes[:most], " "), len(scopes)-most)
	}
	return profile + " (" + strings.Join(scopes, " ") + ")"
}

// named is of for the token that a session is about.
func (o *signoutOptions) named(s *client.Client) string {
	return o.of(s.Profile.Name, s.Provider.Key().Scopes)
}

// signoutOutcome is one token in `signout -o json`.
type signoutOutcome struct {
	Profile  string `json:"profile"`
	Provider string `json:"provider"`
	// Remote says that the service ended the session; Message says how, or why not.
	Remote  bool   `json:"remote"`
	Message string `json:"message"`
	// RedirectURI is where a browser would go on to.
	RedirectURI string `json:"redirect_uri,omitempty"`
	// ValidUntil is how long the service still takes the token, RFC 3339 in UTC; null
	// where it does not.
	ValidUntil *string `json:"valid_until"`
}

func (a *app) signout() *cobra.Command {
	o := &signoutOptions{}
	command := &cobra.Command{
		Use: "signout [PROFILE]", SuggestFor: []string{"logout", "signoff"},
		Short: "End the session at the service where it can be, and forget the token",
		Long: `End the session at the service where it can be, and forget the local token in any
case: all that token list shows of the profile, or with --scope the token with just
those. Where the service cannot be told, stderr says so and until when the token stays
valid; with --require-remote that is exit code 6. --all also forgets what belongs to
other configurations, and names it.`,
		Args: verb.Arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.Begin(&o.output); err != nil {
				return err
			}
			return a.runSignout(a.Watched(command.Context()), o, args)
		},
		ValidArgsFunction: a.CompleteProfile,
	}
	o.Bind(command.Flags(), verb.ForCachedTokens()...)
	o.output.Bind(command.Flags(), "text", "json")
	command.Flags().BoolVar(&o.global, "global", false, "end all sessions of the user")
	command.Flags().BoolVar(&o.all, "all", false, "sign out of every profile that has a token here")
	command.Flags().StringVar(&o.redirectURI, "redirect-uri", "", "ask where a browser would go afterwards (`URI`)")
	command.Flags().BoolVar(&o.requireRemote, "require-remote", false, "fail when the service cannot be told")
	return command
}

func (a *app) runSignout(ctx context.Context, o *signoutOptions, args []string) error {
	o.outcomes = []signoutOutcome{}
	if err := a.signOutOfChosen(ctx, o, args); err != nil || !o.output.JSON() || o.DryRun {
		return err
	}
	return a.UI.JSON(map[string]any{"signouts": o.outcomes})
}

func (a *app) signOutOfChosen(ctx context.Context, o *signoutOptions, args []string) error {
	if err := checkRedirectURI(o.redirectURI); err != nil {
		return err
	}
	if !o.all {
		s, err := a.Open(&o.Service, args)
		if err != nil {
			return err
		}
		if len(o.Scopes) > 0 {
			return a.signOutOf(ctx, s, o)
		}
		return a.signOutOfProfile(ctx, s, o)
	}
	if len(args) > 0 || o.Profile.Name != "" || len(o.Scopes) > 0 {
		return verb.Usagef("--all goes through everything that is stored: a profile or --scope do not go with it")
	}
	return a.signOutOfAll(ctx, o)
}

// checkRedirectURI takes what a browser may be sent to: an absolute URI (RFC 3986 §4.3)
// and, where it names a host, one that everybody reads alike.
func checkRedirectURI(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Opaque == "" && u.Host == "" {
		return verb.Usagef("--redirect-uri is not an absolute URI: write it as https://HOST/PATH")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	if err := oauth.CheckEndpoint(&url.URL{Scheme: "https", User: u.User, Host: u.Host}); err != nil {
		return verb.Usagef("--redirect-uri cannot be used: %v", err)
	}
	return nil
}

// signOutOfProfile goes through all that is filed under a profile: also what other scopes
// got, by a flag or before the profile was changed, because token list shows it.
func (a *app) signOutOfProfile(ctx context.Context, s *client.Client, o *signoutOptions) error {
	record, err := s.Stored(ctx)
	if err != nil {
		return err
	}
	if s.Unopened != nil {
		s.Local.Known = 1
	}
	entries, err := s.Local.Listed(ctx, s.Store())
	if err != nil {
		return err
	}
	own := s.Key()
	others := slices.DeleteFunc(entries, func(e store.Entry) bool {
		return e.Profile != s.Profile.Name || e.Key.Equal(own)
	})
	o.count(others)
	if record != nil {
		o.tokens[s.Profile.Name]++
	}
	var all []error
	if record != nil || s.Unopened != nil || len(others) == 0 {
		all = append(all, a.signOutOf(ctx, s, o))
	}
	return errors.Join(append(all, a.signOutOfEntries(ctx, o, s.Store(), others))...)
}

// count counts the tokens of each profile.
func (o *signoutOptions) count(entries []store.Entry) {
	o.tokens = map[string]int{}
	for _, e := range entries {
		o.tokens[e.Profile]++
	}
}

// signOutOfEntries goes through some of what is stored.
func (a *app) signOutOfEntries(ctx context.Context, o *signoutOptions, kept store.Store, entries []store.Entry) error {
	var all []error
	for _, e := range entries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		all = append(all, a.signOutOfEntry(ctx, o, kept, e))
	}
	return errors.Join(all...)
}

// untold tells of a token that is forgotten here alone.
func (a *app) untold(o *signoutOptions, profile, provider string, expiry time.Time, warning string) {
	outcome := signoutOutcome{Profile: profile, Provider: provider, Message: warning}
	outcome.ValidUntil, _, _ = moment.Fields(expiry, a.Now())
	o.outcomes = append(o.outcomes, outcome)
	a.UI.Warn(warning)
}

// signOutOfAll goes through what is stored. A token whose profile is gone, or has
// become another client, is forgotten without the service being told.
func (a *app) signOutOfAll(ctx context.Context, o *signoutOptions) error {
	setup, err := a.Local()
	if err != nil {
		return err
	}
	kept, err := setup.Store(o.Store.Name)
	if err != nil {
		return err
	}
	entries, err := setup.Listed(ctx, kept)
	if err != nil {
		return err
	}
	if len(entries) == 0 && setup.Unopened == 0 {
		a.UI.Note("there is no token here")
	}
	o.count(entries)
	return a.signOutOfEntries(ctx, o, kept, entries)
}

func (a *app) signOutOfEntry(ctx context.Context, o *signoutOptions, kept store.Store, e store.Entry) error {
	s, foreign, err := a.openEntry(o, e)
	if err != nil {
		return fmt.Errorf("signing out of profile %s: %w", e.Profile, err)
	}
	if s != nil {
		return a.signOutOf(ctx, s, o)
	}
	whose := o.of(e.Profile, e.Key.Scopes)
	if o.DryRun {
		a.UI.Note("the token of " + whose + " would be forgotten, and the service not told: " + foreign)
		return nil
	}
	if err := kept.Delete(ctx, e.Key); err != nil {
		return err
	}
	a.untold(o, e.Profile, e.Key.Provider, e.Expiry, fmt.Sprintf(
		"the token of %s is forgotten, but %s: %s was not told, and it stays valid until %s",
		whose, foreign, e.Key.Provider, moment.End(e.Expiry)))
	if o.requireRemote {
		return &providers.UnsupportedError{Service: e.Key.Provider, Operation: "signout without its profile"}
	}
	return nil
}

// openEntry opens the profile that a token was got with, with the scopes it was got
// with. Where there is none, foreign says whose the token is: another configuration's, or
// a client's that the profile was before.
func (a *app) openEntry(o *signoutOptions, e store.Entry) (s *client.Client, foreign string, err error) {
	name := []string{e.Profile}
	if e.Profile == config.EnvironmentProfile {
		name = nil
	}
	for _, scopes := range []map[string]setting.Value{
		nil, {"scopes": {List: e.Key.Scopes, Origin: "the stored token"}},
	} {
		var p *config.Profile
		if p, err = a.Pick(&o.Service, name, scopes); err == nil {
			s, err = a.OpenProfile(&o.Service, p)
		}
		if errors.Is(err, config.ErrNoProfile) {
			return nil, fmt.Sprintf("it belongs to another configuration, client %s of %s",
				secret.CleanText(e.Key.ClientID), secret.CleanText(cmp.Or(e.Account, e.Key.TokenURL))), nil
		}
		if err != nil || s.Key().Equal(e.Key) {
			return s, "", err
		}
	}
	return nil, fmt.Sprintf("its profile has changed, or is another configuration's: it was got by client %s of %s",
		secret.CleanText(e.Key.ClientID), secret.CleanText(cmp.Or(e.Account, e.Key.TokenURL))), nil
}

// forgetUnopened forgets a token that is there and cannot be opened, with which the service
// cannot be told of anything.
func (a *app) forgetUnopened(ctx context.Context, s *client.Client, o *signoutOptions) error {
	why := s.Unopened.Problem
	if o.requireRemote {
		return &store.UnusableError{
			Store: s.Store().Name(), Problem: store.Refused, Doing: "reading the token", Err: errors.New(why),
			Hint: "give the key that it was stored with, by AUTHCTL_STORE_KEY_FILE or its twins; nothing is forgotten yet",
		}
	}
	if o.DryRun {
		a.UI.Note("the token of profile " + s.Profile.Name + " would be forgotten, and the service not told: " + why)
		return nil
	}
	if err := s.Forget(ctx); err != nil {
		return fmt.Errorf("forgetting the token of profile %s: %w", s.Profile.Name, err)
	}
	a.untold(o, s.Profile.Name, s.Provider.Name(), time.Time{}, "the token of profile "+s.Profile.Name+
		" is forgotten here, but the service was not told, and it stays valid until it ends: "+why)
	return nil
}

// signOutOf tells the service, if it can be told, and forgets the token whatever it
// answers.
func (a *app) signOutOf(ctx context.Context, s *client.Client, o *signoutOptions) error {
	record, err := s.Stored(ctx)
	if err != nil {
		return err
	}
	if s.Unopened != nil {
		return a.forgetUnopened(ctx, s, o)
	}
	if record == nil {
		a.UI.Note("there is no token of profile " + s.Profile.Name + " here")
		return nil
	}
	done, remote := a.tellService(ctx, s, o, record)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if s.Options.DryRun {
		a.UI.Note("what signing out of profile " + o.named(s) + " would do:")
		return a.dryRanSignout(s, o, remote)
	}
	if err := s.Forget(ctx); err != nil {
		return fmt.Errorf("forgetting the token of profile %s: %w", o.named(s), err)
	}
	if remote == nil {
		return a.signedOut(s, o, done)
	}
	if o.requireRemote {
		return notRemote(o.named(s), remote)
	}
	expiry := record.Token.Expiry()
	a.untold(o, s.Profile.Name, s.Provider.Name(), expiry, fmt.Sprintf(
		"the token of profile %s is forgotten here, but stays valid until %s: %v", o.named(s), moment.End(expiry), remote))
	return nil
}

// notRemote says that a token is forgotten here alone. It cannot be tried again: what
// the service would have to be told is gone.
func notRemote(profile string, err error) error {
	if failure, ok := errors.AsType[*providers.Failure](err); ok {
		failure.Hint = "the session ends by itself when its tokens do; end it at the service if that is too late"
	}
	return fmt.Errorf("the token of profile %s is forgotten here, but not at the service: %w", profile, err)
}

// dryRanSignout tells what a sign-out would do.
func (a *app) dryRanSignout(s *client.Client, o *signoutOptions, remote error) error {
	if _, lacks := errors.AsType[*providers.UnsupportedError](remote); lacks && !o.requireRemote {
		a.UI.Note("the token of profile " + o.named(s) + " would be forgotten; nothing would be sent: " + remote.Error())
		return nil
	}
	return a.DryRan(s, remote)
}

// tellService asks the service to end the session.
func (a *app) tellService(
	ctx context.Context, s *client.Client, o *signoutOptions, record *store.Record,
) (done providers.SignedOut, err error) {
	if err := s.Profile.Service.Require(providers.SignOut, a.Services); err != nil {
		return done, err
	}
	err = s.Bounded(ctx, client.SessionOf(record.Token), func(ctx context.Context, with providers.Session) error {
		done, err = s.Provider.SignOut(ctx, with, providers.SignOutOptions{Global: o.global, RedirectURI: o.redirectURI})
		return err
	})
	return done, err
}

// signedOut tells what the service did, and what it could not.
func (a *app) signedOut(s *client.Client, o *signoutOptions, done providers.SignedOut) error {
	o.outcomes = append(o.outcomes, signoutOutcome{
		Profile: s.Profile.Name, Provider: s.Provider.Name(), Remote: true, Message: done.Did, RedirectURI: done.RedirectURI,
	})
	a.UI.Note(o.named(s) + ": " + done.Did)
	if done.RedirectURI != "" {
		a.UI.Note("a browser would go on to " + done.RedirectURI)
	}
	if done.Lacking == "" {
		return nil
	}
	lacks := &providers.UnsupportedError{Service: s.Profile.Service.Title, Operation: done.Lacking}
	if o.requireRemote {
		return lacks
	}
	a.UI.Warn(lacks.Error())
	return nil
}
