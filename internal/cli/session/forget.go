package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/store"
)

// outcome is one token in `signout -o json`.
type outcome struct {
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

// of names whose a token is, with its scopes where the profile has another one.
func (s *signout) of(profile string, scopes []string) string {
	const most = 5
	switch {
	case s.tokens[profile] < 2:
		return profile
	case len(scopes) == 0:
		return profile + " (no scopes asked)"
	case len(scopes) > most:
		return fmt.Sprintf("%s (%s and %d more)", profile, strings.Join(scopes[:most], " "), len(scopes)-most)
	}
	return profile + " (" + strings.Join(scopes, " ") + ")"
}

// token tells the service of the client's token, if it can be told, and forgets the token
// whatever it answers. In a store that machines share it is forgotten first: no other may be
// served a token that the service has ended.
func (s *signout) token(ctx context.Context, c *client.Client) error {
	record, err := c.Stored(ctx)
	switch {
	case err != nil:
		return err
	case c.Unopened != nil:
		return s.unopened(ctx, c)
	case record == nil:
		s.UI.Note("there is no token of profile " + c.Profile.Name + " here")
		return nil
	}
	first := c.Store().Shared() && !s.Service.DryRun
	if first {
		if err := c.Forget(ctx); err != nil {
			return err
		}
	}
	s.lostElsewhere(c.Store())
	done, remote := s.tellService(ctx, c, record.Token)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	whose := s.of(c.Profile.Name, c.Key().Scopes)
	if s.Service.DryRun {
		return s.dryRan(c, whose, remote)
	}
	if !first {
		if err := c.Forget(ctx); err != nil {
			return err
		}
	}
	switch {
	case remote == nil:
		return s.told(c, whose, done)
	case s.requireRemote:
		return notRemote(whose, remote)
	}
	expiry := record.Token.Expiry()
	s.untold(c.Profile.Name, c.Provider.Name(), expiry, fmt.Sprintf(
		"the token of profile %s is forgotten here, but stays valid until %s: %v", whose, moment.End(expiry), remote))
	return nil
}

// tellService asks the service to end the session.
func (s *signout) tellService(
	ctx context.Context, c *client.Client, token oauth.Token,
) (done providers.SignedOut, err error) {
	if err := c.Profile.Service.Require(providers.SignOut, s.Services()); err != nil {
		return done, err
	}
	err = c.Bounded(ctx, client.SessionOf(token), func(ctx context.Context, with providers.Session) error {
		done, err = c.Provider.SignOut(ctx, with, providers.SignOutOptions{Global: s.global, RedirectURI: s.redirectURI})
		return err
	})
	return done, err
}

// dryRan tells what a sign-out would do.
func (s *signout) dryRan(c *client.Client, whose string, remote error) error {
	s.UI.Note("what signing out of profile " + whose + " would do:")
	if _, lacks := errors.AsType[*providers.UnsupportedError](remote); lacks && !s.requireRemote {
		s.UI.Note("the token of profile " + whose + " would be forgotten; nothing would be sent: " + remote.Error())
		return nil
	}
	return s.DryRan(c, remote)
}

// told tells what the service did, and what it could not.
func (s *signout) told(c *client.Client, whose string, done providers.SignedOut) error {
	s.outcomes = append(s.outcomes, outcome{
		Profile: c.Profile.Name, Provider: c.Provider.Name(), Remote: true, Message: done.Did, RedirectURI: done.RedirectURI,
	})
	s.UI.Note(whose + ": " + done.Did)
	if done.RedirectURI != "" {
		s.UI.Note("a browser would go on to " + done.RedirectURI)
	}
	if done.Lacking == "" {
		return nil
	}
	lacks := &providers.UnsupportedError{Service: c.Profile.Service.Title, Operation: done.Lacking}
	if s.requireRemote {
		return lacks
	}
	s.UI.Warn(lacks.Error())
	return nil
}

// notRemote says that a token is forgotten here alone. It cannot be tried again: what
// the service would have to be told is gone.
func notRemote(whose string, err error) error {
	if failure, ok := errors.AsType[*providers.Failure](err); ok {
		failure.Hint = "the session ends by itself when its tokens do; end it at the service if that is too late"
	}
	return fmt.Errorf("the token of profile %s is forgotten here, but not at the service: %w", whose, err)
}

// unopened forgets a token that is there and cannot be opened, with which the service
// cannot be told of anything.
func (s *signout) unopened(ctx context.Context, c *client.Client) error {
	why := c.Unopened.Problem
	if s.requireRemote {
		return &store.UnusableError{
			Store: c.Store().Name(), Problem: store.Refused, Doing: "reading the token", Err: errors.New(why),
			Hint: "give the key that it was stored with, by " + c.Local.KeyGiver() + "; nothing is forgotten yet",
		}
	}
	whose := "the token of profile " + c.Profile.Name
	if s.Service.DryRun {
		s.lostElsewhere(c.Store())
		s.UI.Note(whose + " would be forgotten, and the service not told: " + why)
		return nil
	}
	if err := c.Forget(ctx); err != nil {
		return err
	}
	s.lostElsewhere(c.Store())
	s.untold(c.Profile.Name, c.Provider.Name(), time.Time{},
		whose+" is forgotten here, but the service was not told, and it stays valid until it ends: "+why)
	return nil
}

// foreign forgets a token that no profile here was got with; why says whose it is.
func (s *signout) foreign(ctx context.Context, kept store.Store, e store.Entry, why string) error {
	whose := "the token of " + s.of(e.Profile, e.Key.Scopes)
	if s.Service.DryRun {
		s.lostElsewhere(kept)
		s.UI.Note(whose + " would be forgotten, and the service not told: " + why)
		return nil
	}
	if err := kept.Delete(ctx, e.Key); err != nil {
		return err
	}
	s.lostElsewhere(kept)
	const text = "%s is forgotten, but %s: %s was not told, and it stays valid until %s"
	s.untold(e.Profile, e.Key.Provider, e.Expiry, fmt.Sprintf(text, whose, why, e.Key.Provider, moment.End(e.Expiry)))
	if s.requireRemote {
		return &providers.UnsupportedError{Service: e.Key.Provider, Operation: "signout without its profile"}
	}
	return nil
}

// lostElsewhere counts a token that is forgotten for other machines too.
func (s *signout) lostElsewhere(kept store.Store) {
	if kept.Shared() {
		s.elsewhere++
	}
}

// untold tells of a token that is forgotten here alone.
func (s *signout) untold(profile, provider string, expiry time.Time, warning string) {
	o := outcome{Profile: profile, Provider: provider, Message: warning}
	o.ValidUntil, _, _ = moment.Fields(expiry, s.Now())
	s.outcomes = append(s.outcomes, o)
	s.UI.Warn(warning)
}
