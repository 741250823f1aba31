package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// signout is `signout`.
type signout struct {
	*verb.Deps
	verb.Service
	output        verb.Output
	global        bool
	all           bool
	redirectURI   string
	requireRemote bool
	// outcomes are what became of each token, for -o json.
	outcomes []outcome
	// tokens says how many tokens of each profile there are.
	tokens map[string]int
	// elsewhere is how many tokens other machines lose too.
	elsewhere int
}

// SignOut returns the command `signout`.
func SignOut(d *verb.Deps) *cobra.Command {
	s := &signout{Deps: d, outcomes: []outcome{}, tokens: map[string]int{}}
	return d.Command(cobra.Command{
		Use: "signout [PROFILE]", SuggestFor: []string{"logout", "signoff"},
		Short: "End the session at the service where it can be, and forget the token",
		Long: `End the session at the service where it can be, and forget the local token in any
case: all that token list shows of the profile, or with --scope the token with just
those. Where the service cannot be told, stderr says so and until when the token stays
valid; with --require-remote that is exit code 6. --all also forgets what belongs to
other configurations, and names it. Of a shared store other machines lose it too.`,
	}, verb.Flags{
		Service: &s.Service, Without: verb.ForCachedTokens(), Watched: true,
		Output: &s.output, Formats: []string{"text", "json"},
		Own: func(f *pflag.FlagSet) {
			f.BoolVar(&s.global, "global", false, "end all sessions of the user")
			f.BoolVar(&s.all, "all", false, "sign out of every profile that has a token here")
			f.StringVar(&s.redirectURI, "redirect-uri", "", "ask where a browser would go afterwards (`URI`)")
			f.BoolVar(&s.requireRemote, "require-remote", false, "fail when the service cannot be told")
		},
	}, s.run)
}

func (s *signout) run(ctx context.Context, args []string) error {
	err := s.chosen(ctx, args)
	if s.elsewhere > 0 {
		verb.TellOthersLose(s.Deps, &s.Service.Store, s.elsewhere, s.Service.DryRun)
	}
	if err != nil || !s.output.JSON() || s.Service.DryRun {
		return err
	}
	return s.UI.JSON(map[string]any{"signouts": s.outcomes})
}

// chosen signs out of what the flags and arguments choose.
func (s *signout) chosen(ctx context.Context, args []string) error {
	if err := checkRedirectURI(s.redirectURI); err != nil {
		return err
	}
	if s.all {
		if len(args) > 0 || s.Profile.Name != "" || len(s.Scopes) > 0 {
			return verb.Usagef("--all goes through everything that is stored: a profile or --scope do not go with it")
		}
		return s.everything(ctx)
	}
	c, err := s.Open(&s.Service, args)
	if err != nil {
		return err
	}
	if len(s.Scopes) > 0 {
		return s.token(ctx, c)
	}
	return s.profile(ctx, c)
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

// profile goes through all that is filed under a profile: also what other scopes got, by a
// flag or before the profile was changed, because token list shows it.
func (s *signout) profile(ctx context.Context, c *client.Client) error {
	record, err := c.Stored(ctx)
	if err != nil {
		return err
	}
	if c.Unopened != nil {
		c.Local.Known = 1
	}
	entries, closed := client.Listed(ctx, c.Store())
	if closed != nil && record == nil && len(entries) == 0 {
		return closed
	}
	own := c.Key()
	others := slices.DeleteFunc(entries, func(e store.Entry) bool {
		// On another machine that shares the store, a profile of this name may be another client's.
		return e.Profile != c.Profile.Name || e.Key.Equal(own) || c.Store().Shared() && !e.Key.SameClient(own)
	})
	if record != nil {
		s.tokens[c.Profile.Name]++
	}
	s.count(others)
	var first error
	if record != nil || c.Unopened != nil || len(others) == 0 {
		first = s.token(ctx, c)
	}
	// Each token that is removed meets what is wrong with the store again.
	if err := errors.Join(first, s.entries(ctx, c.Store(), others)); err != nil {
		return err
	}
	return closed
}

// everything goes through what is stored. A token whose profile is gone, or has become
// another client, is forgotten without the service being told.
func (s *signout) everything(ctx context.Context) error {
	local, kept, err := s.Deps.Store(&s.Service.Store)
	if err != nil {
		return err
	}
	entries, closed := client.Listed(ctx, kept)
	if closed == nil && len(entries) == 0 && local.Unopened == 0 {
		s.UI.Note("there is no token here")
	}
	s.count(entries)
	if err := s.entries(ctx, kept, entries); err != nil {
		return err
	}
	return closed
}

// count counts the tokens of each profile.
func (s *signout) count(entries []store.Entry) {
	for _, e := range entries {
		s.tokens[e.Profile]++
	}
}

// entries goes through some of what is stored.
func (s *signout) entries(ctx context.Context, kept store.Store, entries []store.Entry) error {
	var all []error
	for _, e := range entries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c, foreign, err := s.openEntry(e)
		switch {
		case err != nil:
			err = fmt.Errorf("signing out of profile %s: %w", e.Profile, err)
		case c != nil:
			err = s.token(ctx, c)
		default:
			err = s.foreign(ctx, kept, e, foreign)
		}
		all = append(all, err)
	}
	return errors.Join(all...)
}

// openEntry opens the profile that a token was got with, with the scopes it was got
// with. Where there is none, foreign says whose the token is: another configuration's, or
// a client's that the profile was before.
func (s *signout) openEntry(e store.Entry) (c *client.Client, foreign string, err error) {
	name := []string{e.Profile}
	if e.Profile == config.EnvironmentProfile {
		name = nil
	}
	whose := fmt.Sprintf("client %s of %s",
		secret.CleanText(e.Key.ClientID), secret.CleanText(cmp.Or(e.Account, e.Key.TokenURL, e.Key.Issuer)))
	for _, scopes := range []map[string]setting.Value{
		nil, {"scopes": {List: e.Key.Scopes, Origin: "the stored token"}},
	} {
		var p *config.Profile
		if p, err = s.Pick(&s.Service, name, scopes); err == nil {
			c, err = s.OpenProfile(&s.Service, p)
		}
		if errors.Is(err, client.ErrLogin) {
			// What its profile gets now is not kept in a store like this one.
			break
		}
		if errors.Is(err, config.ErrNoProfile) {
			return nil, "it belongs to another configuration, " + whose, nil
		}
		if err != nil || c.Key().Equal(e.Key) {
			return c, "", err
		}
	}
	return nil, "its profile has changed, or is another configuration's: it was got by " + whose, nil
}
