// Package broker holds the policy of a token: served from the store while it is
// fresh, else refreshed or issued by one process for all that wait, then stored.
// It knows no command line and prints nothing.
package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/tokenkey"
)

// Broker gets tokens. The zero value lacks only a Store.
type Broker struct {
	// Store keeps the tokens and gives the lock to fetch one under.
	Store store.Store
	// Near are the locks of this machine, which keep a service's pace while a shared store cannot
	// be used; nil means that nothing does.
	Near interface {
		Lock(ctx context.Context, key tokenkey.Key) (store.Lock, error)
	}
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Warn is told, in one line each, what a person should know although the
	// token was had; nil means nobody is.
	Warn func(message string)
	// WarnOnce is as Warn for what many calls of a process may find; nil means Warn.
	WarnOnce func(message string)
	// Explain is told each decision and its reason; nil means nobody is.
	Explain func(format string, args ...any)
	// Watch is called before anything that takes time, and returns the context for
	// it: one that a signal ends, for instance. A token from the store does not
	// need it. Nil means that the context stays.
	Watch func(context.Context) context.Context
}

// Provider is who is asked for tokens: one configured client of one service.
type Provider interface {
	// Key states what a token depends on. It needs no network, no secret and no person.
	Key() tokenkey.Key
	// Issue asks for a new token. Errors are a *providers.Failure, a *setting.Error
	// or what a secret reference returned.
	Issue(ctx context.Context) (oauth.Token, error)
	// Refresh trades a refresh token (RFC 6749 §6). The new token's RefreshToken is zero when
	// the service sent none back; the old one then stays valid. Whoever sends it by other means
	// than an oauth.Client calls oauth.Announce right before.
	Refresh(ctx context.Context, refreshToken secret.Secret) (oauth.Token, error)
	// Pace is the least time between two token requests of one account; 0 for none.
	Pace() time.Duration
}

// Request asks for a token of one configured client.
type Request struct {
	// Label names the client for listings and messages.
	store.Label

	Provider Provider
	// MinTTL is how much life a token must have left to be served from the
	// store; nil means min(60 s, a fifth of its lifetime).
	MinTTL *time.Duration
	// ForceRefresh passes over what is stored, unless another process fetched it
	// after this request began.
	ForceRefresh bool
	// NoCache neither reads nor writes the store and takes no lock.
	NoCache bool
	// Timeout bounds the look into the store, and then the wait for the lock and
	// the service together; 0 means no bound but the context's.
	Timeout time.Duration
	// Ask fetches the secrets that need a person. It is called before the lock
	// is taken, so that nobody waits for somebody's typing, and typing does not
	// count against Timeout. Nil means none do.
	Ask func(context.Context) error
	// CredentialsTag returns secret.Secret.Tag over the credentials of the client, so that
	// a refusal is shared only with those who would have asked with the same ones.
	// Nil means that refusals are shared with all who waited.
	CredentialsTag func(ctx context.Context, salt string) (string, error)
	// Subject returns what tells one subject from another whose tokens have one key: a digest of
	// the token that is exchanged. A stored token of another one is none. Nil means that the key
	// says it all.
	Subject func(ctx context.Context) (string, error)
	// RequestTag returns a tag of everything else that the request is made of and the way
	// it takes: every setting, the proxy, the certificates that are trusted. It fetches
	// nothing. Nil means that there is nothing else.
	RequestTag func(salt string) string
}

// Source says how a token was come by.
type Source string

// The sources, as `token get -o json` prints them.
const (
	SourceCache     Source = "cache"
	SourceRefreshed Source = "refreshed"
	SourceIssued    Source = "issued"
)

// Answer is a token and where it came from.
type Answer struct {
	Token  oauth.Token
	Source Source
	// Missing are the scopes that were asked for and are not granted. A reply without
	// scope means as asked (RFC 6749 §5.1).
	Missing []string
	// Lost are the scopes of the stored token that this one has just taken the place
	// of, and has not.
	Lost []string
	// Unrenewed is why the service gave this call no new token, so that one is served which should
	// have been renewed; nil where that is not so, or another call was told.
	Unrenewed error
}

// had reports whether there is a token.
func (a Answer) had() bool { return a.Source != "" }

// Token returns a token that is fresh enough, asking the service only when it
// must. Errors are a *providers.Failure, a *setting.Error, a
// *store.UnusableError, a *store.LockError, or what Ask returned.
func (b *Broker) Token(ctx context.Context, r Request) (Answer, error) {
	c := b.begin(r)
	answer, err := (&cache{call: c}).answer(ctx)
	if err != nil {
		return Answer{}, err
	}
	return c.complete(answer), nil
}

// call is one Request under way: what does not change until it is answered.
type call struct {
	Broker
	Request
	key   tokenkey.Key
	began time.Time
	// subject is what Subject has returned.
	subject string
}

// begin takes up a request; what the broker leaves nil does nothing from here on.
func (b *Broker) begin(r Request) *call {
	c := &call{Broker: *b, Request: r, key: r.Provider.Key()}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Warn == nil {
		c.Warn = func(string) {}
	}
	if c.WarnOnce == nil {
		c.WarnOnce = c.Warn
	}
	if c.Explain == nil {
		c.Explain = func(string, ...any) {}
	}
	if c.Watch == nil {
		c.Watch = func(ctx context.Context) context.Context { return ctx }
	}
	c.began = c.Now()
	return c
}

// bounded returns ctx with the time that a phase of the request may take.
func (c *call) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.Timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, c.Timeout)
}

func (c *call) ask(ctx context.Context) error {
	if c.Ask == nil {
		return nil
	}
	return c.Ask(ctx)
}

func (c *call) warn(format string, args ...any) { c.Warn(fmt.Sprintf(format, args...)) }
