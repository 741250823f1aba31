package client

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/pipeline"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store/address"
)

// tokens gets the tokens of somebody else that references name: of other profiles, and of the
// pipeline's job. Nothing of it is stored or shown.
type tokens struct {
	local *Local
	// turn is had by who opens a client: the configuration is for one goroutine.
	turn sync.Mutex
	// options are those of the client that was opened last, which what is behind it has too.
	options Options
	// behind are the profiles that those that were opened get tokens from.
	behind map[string]*config.Profile
}

// sources are the kinds of references that it knows.
func (t *tokens) sources() map[string]source.Tokens {
	all := map[string]source.Tokens{
		source.Profile: {Get: t.ofProfile, Look: t.look},
	}
	for kind, system := range systems() {
		all[kind] = source.Tokens{
			Get:  func(ctx context.Context, n source.Need) (secret.Secret, error) { return t.ofJob(ctx, system, n) },
			Look: func(source.Need) (string, error) { return system.Look(t.local.LookupEnv) },
		}
	}
	return all
}

// systems are the pipelines whose jobs have tokens, by the kind of their references.
func systems() map[string]pipeline.System {
	return map[string]pipeline.System{source.GitHub: pipeline.GitHub(), source.AzurePipelines: pipeline.AzurePipelines()}
}

// opening prepares what a profile's references to others need, while it is opened with o. What
// tells their tokens apart is then part of what tells apart its own.
func (t *tokens) opening(p *config.Profile, o Options) error {
	t.options = o
	t.ofJobs(p)
	for _, link := range p.Links() {
		behind, provider, err := t.link(link.Profile, o)
		if err != nil {
			return fmt.Errorf("profile %s: %s: %w", p.Name, link.Setting, err)
		}
		if t.behind == nil {
			t.behind = map[string]*config.Profile{}
		}
		t.behind[link.Profile] = behind
		v, _ := p.Settings.Lookup(link.Setting)
		v.Identity, v.Subject, v.Behind = provider.Key().Digest(), provider.Subject, &behind.Settings
		if provider.Key().Grant.NeedsPerson() {
			v.Subject = ofLogin(v.Secret)
		}
		p.Settings = p.Settings.With(link.Setting, v)
	}
	return nil
}

// ofJobs has the identity of a pipeline's job tell its tokens apart: what it may ask with is its own,
// and what one job exchanged is not for the next on the same machine.
func (t *tokens) ofJobs(p *config.Profile) {
	for name, kind := range p.JobTokens() {
		system, known := systems()[kind]
		if !known {
			continue
		}
		v, _ := p.Settings.Lookup(name)
		v.Subject = func(context.Context) (string, error) {
			sum := system.Secret(t.local.LookupEnv).Sum()
			return hex.EncodeToString(sum[:16]), nil
		}
		p.Settings = p.Settings.With(name, v)
	}
}

// ofLogin tells apart who has logged in: by the token of the login, for nothing else says it. So what
// was exchanged for one is not served when that has been signed out, nor to who logs in next.
func ofLogin(fetch secret.Func) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		token, err := fetch(ctx)
		sum := token.Sum()
		return hex.EncodeToString(sum[:16]), err
	}
}

// ErrLogin is wrapped by the error of a profile that logs in where the store is shared.
var ErrLogin = errors.New("a login is not shared")

// keptHere refuses a profile, or one behind it, whose token only a person can get again, where that
// would be in a store that other machines have too: what one of them renews, the others would lose.
func (t *tokens) keptHere(p *config.Profile, o Options) error {
	chosen, err := t.local.Chosen(o.Store)
	if err != nil || o.DryRun || !address.Is(chosen.Text) {
		return err
	}
	if oauth.Grant(p.Settings.Text("grant")).NeedsPerson() {
		return &setting.Error{
			Profile: p.Name, Name: "store", Origin: chosen.Origin, Err: ErrLogin,
			Problem: "is shared with other machines, and a login must not be: of two that renew it, one ends it for the other",
			Help: "keep this login in a store of this machine: --store auto, AUTHCTL_STORE=auto, or store: auto in a " +
				"configuration of its own, named by --config or AUTHCTL_CONFIG",
		}
	}
	for _, link := range p.Links() {
		if err := t.keptHere(t.behind[link.Profile], o); err != nil {
			return fmt.Errorf("profile %s: %s: %w", p.Name, link.Setting, err)
		}
	}
	return nil
}

// checkKeys refuses a client whose token is got with a token that is kept in its own place: getting
// the one would wait for the other, for ever.
func (t *tokens) checkKeys(c *Client) error {
	own := c.Key().Digest()
	for _, link := range c.Profile.Links() {
		if same := t.keptAs(own, c.Profile, link); same != "" {
			return &setting.Error{
				Profile: c.Profile.Name, Name: link.Setting,
				Problem: "needs the token of profile " + same + ", which is kept as this one's own: service, client, grant, " +
					"user and scopes are the same",
				Help: "give one of them another client or other scopes",
			}
		}
	}
	return nil
}

// keptAs returns the profile at the end of a link, or behind that, whose token has the key of that
// digest, empty when none has.
func (t *tokens) keptAs(digest string, p *config.Profile, link config.Link) string {
	if v, _ := p.Settings.Lookup(link.Setting); v.Identity == digest {
		return link.Profile
	}
	behind := t.behind[link.Profile]
	for _, next := range behind.Links() {
		if same := t.keptAs(digest, behind, next); same != "" {
			return same
		}
	}
	return ""
}

// link reads a profile that another one gets a token from, and those that it needs itself.
func (t *tokens) link(name string, o Options) (*config.Profile, *providers.Provider, error) {
	file, err := t.local.File()
	if err != nil {
		return nil, nil, err
	}
	p, err := file.Behind(name)
	if err == nil {
		err = t.opening(p, o)
	}
	if err == nil {
		err = p.Settings.Check(p.Service.Settings())
	}
	if err != nil {
		return nil, nil, err
	}
	provider, err := p.Service.New(p.Settings, &oauth.Client{})
	return p, provider, err
}

// CheckProfile looks whether a profile, and those that it gets tokens from, can be used as far as
// their settings and the store of the options go. Nothing is fetched or sent.
func (l *Local) CheckProfile(p *config.Profile, o Options) error {
	// The caller's profile is not opened, and stays without what is behind it.
	other := *p
	if err := l.tokens.opening(&other, o); err != nil {
		return err
	}
	if err := l.tokens.keptHere(&other, o); err != nil {
		return err
	}
	if err := other.Settings.Check(other.Service.Settings()); err != nil {
		return err
	}
	_, err := other.Service.New(other.Settings, &oauth.Client{})
	return err
}

// look tells whether another profile can be asked as far as its settings go.
func (t *tokens) look(n source.Need) (note string, err error) {
	if _, _, err := t.link(n.Arg, t.options); err != nil {
		help := "mend profile " + n.Arg
		if wrong, ok := errors.AsType[*setting.Error](err); ok && wrong.Help != "" {
			help = wrong.Help
		}
		return "", setting.Wrong("", err.Error(), help)
	}
	return "asked when it is needed", nil
}

// ofProfile gets the access token of another profile: from its cache, or by asking its service.
func (t *tokens) ofProfile(ctx context.Context, n source.Need) (secret.Secret, error) {
	c, err := t.open(ctx, n.Arg)
	if err != nil {
		return secret.Secret{}, t.chained(n, err)
	}
	answer, err := c.broker.Token(ctx, c.request)
	return answer.Token.AccessToken, t.chained(n, err)
}

// open opens a profile behind another with that one's options. What was said of that one's own
// token, how long it has to be good and that it is to be renewed, is not said of this one.
func (t *tokens) open(ctx context.Context, name string) (*Client, error) {
	t.turn.Lock()
	defer t.turn.Unlock()
	p, ok := t.behind[name]
	if !ok {
		return nil, setting.Wrong("profile "+name, "is not behind the one that was asked for", "")
	}
	o := t.options
	o.MinTTL, o.ForceRefresh, o.Using, o.behind = nil, false, nil, true
	if tell := o.Explain; tell != nil {
		o.Explain = func(format string, args ...any) { tell("profile "+name+": "+format, args...) }
	}
	// What a store tells from here on is told of both.
	hear := t.local.hear
	defer func() { t.local.hear = hear }()
	other := *p
	return t.local.open(ctx, &other, o)
}

// chained says of an error which token could not be had. A refusal stays one, and is not the
// refusal of the service that the token is for.
func (t *tokens) chained(n source.Need, err error) error {
	what := "getting the " + strings.ReplaceAll(n.Setting, "_", " ") + " from profile " + n.Arg
	failure, ok := errors.AsType[*providers.Failure](err)
	switch {
	case err == nil:
		return nil
	case !ok:
		return fmt.Errorf("%s: %w", what, err)
	}
	other := *failure
	other.Message, other.Err = what+": "+failure.Message, nil
	other.StaleToken, other.RefreshToken, other.Ambiguous, other.Throttled = false, false, false, false
	switch {
	case other.Hint != "":
		other.Hint = "for profile " + n.Arg + ": " + other.Hint
	case other.Reason == providers.ReasonLogin:
		other.Hint = "log in: " + t.local.CommandFor(n.Arg, "login")
	case other.Reason != providers.ReasonTemporary:
		other.Hint = "see what is wrong: " + t.local.CommandFor(n.Arg, "token", "get")
	}
	return &other
}

// ofJob gets the identity token of the pipeline's job, by the client's own way.
func (t *tokens) ofJob(ctx context.Context, s pipeline.System, n source.Need) (secret.Secret, error) {
	t.turn.Lock()
	o := t.options
	t.turn.Unlock()
	env := t.local.LookupEnv
	transport, err := t.local.Transport(ctx, o)
	if err != nil {
		return secret.Secret{}, err
	}
	c := &oauth.Client{
		HTTP: &http.Client{Transport: transport}, Now: t.local.Now, UserAgent: o.UserAgent, Tell: o.Trace, Warn: t.local.Warn,
	}
	c.Withhold([]secret.Secret{s.Secret(env)})
	token, err := s.Token(ctx, env, c, n.Arg)
	if err == nil {
		return token, nil
	}
	return secret.Secret{}, ofSystem(s.Name, n, err)
}

// ofSystem is the error of a pipeline's system that gave no token.
func ofSystem(name string, n source.Need, err error) error {
	failure := &providers.Failure{
		Message: "getting the job's identity token from " + name + ": " + err.Error(),
		Reason:  providers.ReasonProtocol, Hint: "see that " + n.String() + " is what the job may ask for",
	}
	network, unreached := errors.AsType[*oauth.NetworkError](err)
	answered, refused := errors.AsType[*oauth.Error](err)
	_, unusable := errors.AsType[*oauth.ReplyError](err)
	switch {
	case unreached && network.Obstacle != nil:
		failure.Reason, failure.Hint = providers.ReasonConfig, network.Obstacle.Hint
	case unreached:
		failure.Reason, failure.Hint = providers.ReasonTemporary, ""
	case refused && (answered.Throttled() || answered.StatusCode >= http.StatusInternalServerError):
		failure.Reason, failure.Hint, failure.NotBefore = providers.ReasonTemporary, "", answered.NotBefore
	case refused:
		failure.Reason = providers.ReasonCredentials
	case !unusable:
		if _, ok := errors.AsType[*setting.Error](err); ok {
			return n.Failed(err)
		}
		return fmt.Errorf("getting the job's identity token from %s: %w", name, err)
	}
	return failure
}
