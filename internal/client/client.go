// Package client is one configured client, ready to be asked for tokens: a profile, its
// secrets, a store, the broker and the service, joined. It knows no command line and prints
// nothing.
package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/har"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/tokenkey"
)

// Options say how a profile is to be used; the zero value is the usual way.
type Options struct {
	// Store is a name of stores.Names or the address of a shared store, empty for that of the
	// environment or the configuration.
	Store string
	// Timeout and MinTTL are nil for what the environment says.
	Timeout, MinTTL *time.Duration
	// ForceRefresh passes over the cached token; NoCache neither reads nor writes the cache.
	ForceRefresh, NoCache bool
	// DryRun sends nothing and keeps the requests instead.
	DryRun bool
	// CAFile names a file of certificates to trust beside the system's.
	CAFile string
	// UserAgent names the program to the service.
	UserAgent string
	// Watch returns the context for what takes time, as broker.Broker's does.
	Watch func(context.Context) context.Context
	// Explain is told where each setting came from and each decision; nil means nobody is.
	Explain func(format string, args ...any)
	// Trace is told of each request in one line, nil means nobody is; Recorder keeps each, nil for none.
	Trace    func(text string)
	Recorder *har.Recorder
	// behind says that another profile asks for the token.
	behind bool
	// Using is told of each token that an operation is about to use; nil means nobody is.
	Using func(*Client, broker.Answer)
}

// Client is one configured client.
type Client struct {
	Profile  *config.Profile
	Provider *providers.Provider
	Local    *Local
	Options  Options
	// Timeout bounds each call.
	Timeout time.Duration
	// Unopened is what is wrong with the record that was looked for, nil when nothing is.
	Unopened *store.UnopenedError

	http    *oauth.Client
	broker  *broker.Broker
	request broker.Request
}

// Open joins what a profile needs to ask its service. It sends nothing and fetches no
// secret.
func (l *Local) Open(ctx context.Context, p *config.Profile, o Options) (*Client, error) {
	l.tokens.turn.Lock()
	defer l.tokens.turn.Unlock()
	if err := l.tokens.opening(p, o); err != nil {
		return nil, err
	}
	if err := l.tokens.keptHere(p, o); err != nil {
		return nil, err
	}
	c, err := l.open(ctx, p, o)
	if err == nil {
		err = l.tokens.checkKeys(c)
	}
	return c, err
}

func (l *Local) open(ctx context.Context, p *config.Profile, o Options) (*Client, error) {
	c := &Client{Profile: p, Local: l, Options: o, Timeout: l.Timeout(o.Timeout)}
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	if err := p.Settings.Check(p.Service.Settings()); err != nil {
		return nil, err
	}
	var err error
	if c.Provider, err = p.Service.New(p.Settings, c.http); err != nil {
		return nil, err
	}
	if odd := p.Service.Doubt(p.Settings); odd != "" {
		l.Warn(odd)
	}
	// Settings are shown once they are known to be good: a URL with a password in it is
	// refused above.
	if o.Explain != nil {
		explain(l, p, o)
	}
	kept, err := l.Store(o)
	if err != nil {
		return nil, err
	}
	c.watch(kept)
	c.keepDocuments(c.Provider)
	c.broker = &broker.Broker{
		Store: kept, Near: l.Locks(), Now: l.Now, Warn: l.Warn, WarnOnce: l.WarnOnce, Explain: o.Explain, Watch: o.Watch,
	}
	c.request = c.tokenRequest()
	return c, nil
}

// explain tells where each setting came from, and the store.
func explain(l *Local, p *config.Profile, o Options) {
	o.Explain("profile: %s", p.Name)
	for _, item := range p.Describe() {
		o.Explain("setting: %s = %s (%s)", item.Name, item.Value, item.Origin)
	}
	if chosen, err := l.Chosen(o.Store); err == nil {
		o.Explain("setting: store = %s (%s)", chosen.Shown(), chosen.Origin)
	}
	l.hear = func(message string) { o.Explain("store: %s", message) }
}

// connect gives the client its way to the service: for a dry run none at all.
func (c *Client) connect(ctx context.Context) error {
	p, o := c.Profile, c.Options
	c.http = &oauth.Client{
		HTTP: &http.Client{}, Now: c.Local.Now, UserAgent: o.UserAgent, Tell: o.Trace, Warn: c.Local.WarnOnce,
	}
	c.http.Withhold(p.AtHand())
	o.Recorder.Withhold(p.AtHand()...)
	if o.DryRun {
		c.http.DryRun = &oauth.DryRun{}
		p.Settings = p.ForDryRun()
		return nil
	}
	var err error
	if c.Options.CAFile, err = config.Path(c.Local.LookupEnv, "--ca-file", o.CAFile); err != nil {
		return err
	}
	transport, err := c.Local.Transport(ctx, c.Options)
	if err != nil {
		return err
	}
	c.http.HTTP.Transport, c.http.WithCertificate = transport, transport.WithCertificate
	return nil
}

// tokenRequest is what the broker is asked.
func (c *Client) tokenRequest() broker.Request {
	p, o := c.Profile, c.Options
	r := broker.Request{
		Label:    store.Label{Profile: p.Name, Account: p.Settings.Text("account"), Environment: environmentOf(p)},
		Provider: c.Provider, MinTTL: o.MinTTL, ForceRefresh: o.ForceRefresh, NoCache: o.NoCache || o.DryRun,
		Timeout: c.Timeout, CredentialsTag: p.Settings.Tag, Subject: c.Provider.Subject,
		RequestTag: func(salt string) string { return p.Settings.RequestTag(salt, c.Local.route(c.Options.CAFile)...) },
	}
	if r.MinTTL == nil && !o.behind {
		r.MinTTL = c.Local.Env.MinTTL
	}
	if len(p.Interactive()) > 0 && !o.DryRun {
		r.Ask = func(ctx context.Context) error { return p.Ask(ctx, c.Timeout) }
	}
	return r
}

// environmentOf says which of a service's installations a profile is for: the host of its
// base_url, else its environment, else its region.
func environmentOf(p *config.Profile) string {
	if base, err := url.Parse(p.Settings.Text("base_url")); err == nil && base.Host != "" {
		return base.Host
	}
	return cmp.Or(p.Settings.Text("environment"), p.Settings.Text("region"))
}

// Token returns a valid token, asking the service only when it must. Errors are as
// broker.Broker.Token has them.
func (c *Client) Token(ctx context.Context) (broker.Answer, error) {
	answer, err := c.broker.Token(ctx, c.request)
	if err != nil {
		return broker.Answer{}, fmt.Errorf("getting a token of profile %s: %w", c.Profile.Name, err)
	}
	c.withhold(answer.Token)
	return answer, nil
}

// Ask fetches the secrets that a person types or stdin has, for what goes on when neither is there any more.
func (c *Client) Ask(ctx context.Context) error {
	if c.request.Ask == nil {
		return nil
	}
	return c.request.Ask(ctx)
}

// Renewed returns a token past the stored one, unless another process has fetched that meanwhile. It may be
// called while others use the client.
func (c *Client) Renewed(ctx context.Context) (broker.Answer, error) {
	other := *c
	other.renew()
	return other.Token(ctx)
}

// Lasting returns the way to what the tokens are for, for many requests at once, which are recorded where any
// are.
func (c *Client) Lasting(ctx context.Context) (http.RoundTripper, error) {
	transport, err := c.Local.Transport(ctx, c.Options)
	if err != nil {
		return nil, err
	}
	return observed(c.Local, transport.Lasting(), Options{Recorder: c.Options.Recorder}), nil
}

// withhold has a token that is held be shown by no record of requests.
func (c *Client) withhold(t oauth.Token) {
	c.Options.Recorder.Withhold(t.AccessToken, t.RefreshToken, t.IDToken)
}

// renew has the next Token pass over what is stored.
func (c *Client) renew() { c.request.ForceRefresh = true }

// Unwatched has signals be no longer this client's, nor what is stored passed over: for what
// goes on beside a child.
func (c *Client) Unwatched() { c.broker.Watch, c.request.ForceRefresh = nil, false }

// FreshUntil is when a token is to be renewed.
func (c *Client) FreshUntil(token oauth.Token) time.Time { return c.request.FreshUntil(token) }

// GoodUntil is until when a token may be sent while there is no other. It means nothing for one without a
// lifetime.
func (c *Client) GoodUntil(token oauth.Token) time.Time { return c.request.GoodUntil(token) }

// Key names the token of this client in every store.
func (c *Client) Key() tokenkey.Key { return c.Provider.Key() }

// Store is where the token is kept.
func (c *Client) Store() store.Store { return c.broker.Store }

// Stored returns what is cached for the client, nil when nothing is. A record that is there
// and cannot be opened is none; then Unopened says why.
func (c *Client) Stored(ctx context.Context) (*store.Record, error) {
	record, err := c.broker.Stored(ctx, c.request)
	c.Unopened, _ = errors.AsType[*store.UnopenedError](err)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err == nil {
		c.withhold(record.Token)
	}
	return record, err
}

// Keep stores a token that was got elsewhere, as by a login.
func (c *Client) Keep(ctx context.Context, token oauth.Token) error {
	return c.broker.Keep(ctx, c.request, token)
}

// Judge says which scopes a token lacks.
func (c *Client) Judge(token oauth.Token) broker.Answer { return c.broker.Judge(c.request, token) }

// Forget removes the token from the store.
func (c *Client) Forget(ctx context.Context) error {
	if err := c.broker.Forget(ctx, c.request); err != nil {
		return fmt.Errorf("forgetting the token of profile %s: %w", c.Profile.Name, err)
	}
	return nil
}

// Granted are the scopes of a token or, where the service did not say, those that were
// asked for (RFC 6749 §5.1).
func (c *Client) Granted(token oauth.Token) []string {
	if token.Scope != nil {
		return token.Scope
	}
	return append([]string{}, c.Profile.Settings.List("scopes")...)
}

// Asking returns the client as it is with other scopes, none for nil, and past the cache. A
// request may take as long as limit.
func (c *Client) Asking(names []string, limit time.Duration) (*Client, error) {
	other := *c
	provider, err := c.Profile.Service.New(c.Profile.Settings.With("scopes", setting.Value{List: names}), c.http)
	if err != nil {
		return nil, err
	}
	c.keepDocuments(provider)
	other.Provider = provider
	other.request.Provider, other.request.NoCache, other.request.Timeout = provider, true, limit
	return &other, nil
}
