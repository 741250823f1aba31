package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/store"
)

// defaultTimeout bounds a call that says nothing else.
const defaultTimeout = 30 * time.Second

// session is one configured client, ready to be asked for tokens.
type session struct {
	profile  *config.Profile
	provider *providers.Provider
	client   *oauth.Client
	broker   *broker.Broker
	request  broker.Request
	timeout  time.Duration
	dryRun   *oauth.DryRun
	setup    *setup
	// unopened is what is wrong with the record that was looked for, nil when nothing is.
	unopened *store.UnopenedError
}

// open reads the configuration and builds what a command needs to ask the service
// of the chosen profile. It sends nothing and fetches no secret.
func (a *app) open(f *serviceFlags, args []string) (*session, error) {
	name, err := f.choose(args)
	if err != nil {
		return nil, err
	}
	if f.timeout.set && f.timeout.value == 0 {
		return nil, usagef("--timeout 0 leaves no time")
	}
	if config.MayBeShown(name) {
		a.profile = name
	}
	setup, err := a.setup()
	if err != nil {
		return nil, err
	}
	profile, err := setup.profile(name, f)
	if err != nil {
		return nil, err
	}
	a.profile, a.provider = profile.Name, profile.Service.Name
	if f.prepare != nil {
		if err := f.prepare(profile); err != nil {
			return nil, err
		}
	}
	a.loginCommand = a.commandToLogIn(profile.Name, f)
	a.names = profile.Settings.Applying(profile.Service.Settings)
	a.pipelineGrant = a.grantForPipeline(profile)
	s := &session{profile: profile, timeout: setup.timeout(f), setup: setup}
	transport, err := a.transport(f, s)
	if err != nil {
		return nil, err
	}
	s.client = &oauth.Client{HTTP: &http.Client{Transport: transport}, DryRun: s.dryRun, Now: a.Now, UserAgent: "authctl/" + version}
	s.client.Withhold(profile.AtHand())
	if a.flags.verbose {
		s.client.Tell = func(text string) { a.say(a.err.Faint("trace:"), text) }
	}
	if s.dryRun != nil {
		profile.Settings = profile.ForDryRun()
	}
	if err := profile.Settings.Check(profile.Service.Settings); err != nil {
		return nil, err
	}
	if s.provider, err = profile.Service.New(profile.Settings, s.client); err != nil {
		return nil, err
	}
	a.warnOfScopes(profile.Service, f.scopeList(), "")
	if odd := profile.Service.Doubt(profile.Settings); odd != "" {
		a.warn(odd)
	}
	// Settings are shown once they are known to be good: a URL with a password in
	// it is refused above.
	if f.explain {
		a.explainSettings(profile)
	}
	return s, a.connect(s, f)
}

// grantForPipeline says which grant needs no person, where a profile says nothing of its
// grant and nobody is here to log in.
func (a *app) grantForPipeline(p *config.Profile) string {
	const grant = "client_credentials"
	value, _ := p.Settings.Lookup("grant")
	i := slices.IndexFunc(p.Service.Settings, func(d providers.Setting) bool { return d.Name == "grant" })
	if i < 0 || value.Origin != "default" || !slices.Contains(p.Service.Settings[i].Values, grant) ||
		!a.prompter.Off && p.Name != config.EnvironmentProfile {
		return ""
	}
	return "in a pipeline set grant: " + grant + " (AUTHCTL_GRANT=" + grant + "), " +
		"which the client has to be allowed at the service"
}

// commandToLogIn is the command line that fills the very cache entry these flags
// ask for.
func (a *app) commandToLogIn(profile string, f *serviceFlags) string {
	return a.commandFor(profile, append([]string{"login"}, f.entry()...)...)
}

// entry are the flags that choose the cache entry.
func (f *serviceFlags) entry() []string {
	var words []string
	if scopes := f.scopeList(); len(scopes) > 0 {
		words = append(words, "--scope", strings.Join(scopes, " "))
	}
	if f.store != "" {
		words = append(words, "--store", f.store)
	}
	return words
}

// connect gives the session its store and its broker.
func (a *app) connect(s *session, f *serviceFlags) error {
	chosen, err := s.setup.store(f.store)
	if err != nil {
		return err
	}
	s.broker = &broker.Broker{Store: chosen, Now: a.Now, Warn: a.warn, Watch: a.watchedWith(s.profile)}
	if f.explain {
		s.broker.Explain = a.explain
	}
	s.request = broker.Request{
		Label: store.Label{
			Profile: s.profile.Name, Account: s.profile.Settings.Text("account"), Environment: environmentOf(s.profile),
		},
		Provider: s.provider, MinTTL: s.setup.minTTL(f),
		ForceRefresh: f.forceRefresh, NoCache: f.noCache || s.dryRun != nil,
		Timeout: s.timeout, CredentialsTag: s.profile.Settings.Tag,
		RequestTag: func(salt string) string { return s.profile.Settings.RequestTag(salt, a.route(f)...) },
	}
	if len(s.profile.Interactive()) > 0 && s.dryRun == nil {
		s.request.Ask = func(ctx context.Context) error { return s.profile.Ask(ctx, s.timeout) }
	}
	return nil
}

// environmentOf says which of a service's installations a profile is for: the host of its
// base_url, else its environment, else its region.
func environmentOf(p *config.Profile) string {
	if base, err := url.Parse(p.Settings.Text("base_url")); err == nil && base.Host != "" {
		return base.Host
	}
	return cmp.Or(p.Settings.Text("environment"), p.Settings.Text("region"))
}

// route is what decides on the way to a service and whom to trust there, beside the
// profile: a refusal by one proxy is not the answer of another.
func (a *app) route(f *serviceFlags) []string {
	words := []string{f.caFile}
	if info, err := os.Stat(f.caFile); err == nil {
		words = append(words, fmt.Sprint(info.Size(), info.ModTime()))
	}
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		upper, _ := a.LookupEnv(name)
		lower, _ := a.LookupEnv(strings.ToLower(name))
		words = append(words, upper, lower)
	}
	return words
}

// token asks the broker.
func (s *session) token(ctx context.Context) (broker.Answer, error) {
	answer, err := s.broker.Token(ctx, s.request)
	if err != nil {
		return broker.Answer{}, fmt.Errorf("getting a token of profile %s: %w", s.profile.Name, err)
	}
	return answer, nil
}

// profile returns the profile that is asked for, with what the flags say on top.
func (u *setup) profile(name string, f *serviceFlags) (*config.Profile, error) {
	u.options.Timeout = u.timeout(f)
	file, err := u.load()
	if err != nil {
		return nil, err
	}
	flags := maps.Clone(f.override)
	if flags == nil {
		flags = map[string]providers.Value{}
	}
	if scopes := f.scopeList(); scopes != nil {
		flags["scopes"] = providers.Value{List: slices.Clip(scopes), Origin: "flag --scope"}
	}
	return file.Profile(name, flags)
}

func (u *setup) timeout(f *serviceFlags) time.Duration {
	switch {
	case f.timeout.set:
		return f.timeout.value
	case u.env.Timeout > 0:
		return u.env.Timeout
	}
	return defaultTimeout
}

func (u *setup) minTTL(f *serviceFlags) *time.Duration {
	if f.minTTL.set {
		return &f.minTTL.value
	}
	return u.env.MinTTL
}

// transport returns what requests go through: for --verbose with a trace, for --dry-run nil,
// because nothing is sent.
func (a *app) transport(f *serviceFlags, s *session) (http.RoundTripper, error) {
	if f.dryRun {
		s.dryRun = &oauth.DryRun{Warn: a.warn}
		return nil, nil
	}
	var err error
	if f.caFile, err = config.Path(a.LookupEnv, "--ca-file", f.caFile); err != nil {
		return nil, err
	}
	roots, err := a.certificates(f.caFile, s.timeout)
	if err != nil {
		return nil, err
	}
	var transport http.RoundTripper = &http.Transport{
		Proxy:                  oauth.Proxy(a.LookupEnv),
		OnProxyConnectResponse: oauth.RefusedByProxy(a.LookupEnv), //nolint:bodyclose // the transport ends it
		DialContext:            oauth.Orderly((&net.Dialer{Timeout: 10 * time.Second}).DialContext),
		TLSHandshakeTimeout:    10 * time.Second,
		// One request a connection: what comes behind an answer would be printed by net/http.
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
	}
	if a.flags.verbose {
		transport = &oauth.Trace{Base: transport, Log: func(line string) { a.say(a.err.Faint("trace:"), line) }, Now: a.Now}
	}
	return transport, nil
}

// maxCertificates bounds the file of --ca-file; all that a system trusts has some 250 KB.
const maxCertificates = 16 << 20

// badCAFile says what is wrong with the file of --ca-file: who can change it decides whom
// the secret is sent to.
func badCAFile(path string, err error) error {
	e := &config.Error{Key: "--ca-file", Problem: fmt.Sprintf("cannot be read: %v", err), Err: err}
	if unsafe, ok := errors.AsType[*files.UnsafeError](err); ok {
		e.Problem, e.Suggestion = files.Shown(path)+" "+unsafe.Problem, unsafe.Remedy
	}
	if text, ok := errors.AsType[*files.TextError](err); ok {
		e.Problem, e.Suggestion = files.Shown(path)+" "+text.Problem, text.Remedy
	}
	if errors.Is(err, context.DeadlineExceeded) {
		e.Problem = files.Shown(path) + " is a pipe, and nobody wrote to it in time"
	}
	return e
}

// certificates returns the system's roots and those of a PEM file; nil, which
// means the system's, without a file.
func (a *app) certificates(path string, timeout time.Duration) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(a.ctx, cmp.Or(timeout, defaultTimeout))
	defer cancel()
	text, err := files.Read(ctx, path, files.Rule{Trust: a.trust(), Limit: maxCertificates, Pipe: true})
	if err == nil {
		text, err = files.Text(text)
	}
	if err != nil {
		return nil, badCAFile(path, err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, &config.Error{Key: "--ca-file", Problem: path + " holds no PEM certificate"}
	}
	return roots, nil
}

// explain tells one decision on stderr.
func (a *app) explain(format string, args ...any) {
	a.say(a.err.Faint("explain:"), fmt.Sprintf(format, args...))
}

func (a *app) explainSettings(p *config.Profile) {
	a.explain("profile: %s", p.Name)
	for _, item := range p.Describe() {
		a.explain("setting: %s = %s (%s)", item.Name, item.Value, item.Origin)
	}
}
