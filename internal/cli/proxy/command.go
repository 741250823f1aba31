// Package proxy has the command that serves a reverse proxy on loopback, for programs that outlive a
// token or cannot ask for one.
package proxy

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/url"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/cli/verb/hosts"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/process"
	"github.com/authctl/authctl/internal/proxy"
	"github.com/authctl/authctl/internal/secret"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// command is `proxy`.
type command struct {
	*verb.Deps
	service     verb.Service
	to, listen  string
	allow, keep []string
	// at is what --listen says.
	at *net.TCPAddr
	// profile and child are what stands before -- and after it.
	profile, child []string
}

// Command makes `proxy`.
func Command(d *verb.Deps) *cobra.Command {
	c := &command{Deps: d}
	return d.Command(cobra.Command{
		Use:                   "proxy [PROFILE] --to URL [flags] [-- CMD [ARG…]]",
		DisableFlagsInUseLine: true,

		Short: "Serve a reverse proxy that adds the token",
		Long: `Serve a reverse proxy on this machine that adds the token, for programs that run longer
than a token lives or cannot call a program for one: Postman, newman, bruno, an SDK that
takes a base URL. When it is ready it says so in one line on stderr:

  authctl: proxy ready at http://127.0.0.1:PORT/SECRET

What is asked below that address goes to --to with the token. SECRET is new for each run
and is the right to use the proxy: keep it as you would the token. A request without it is
answered 404; one from a web page of another site, or for another host, 403.

The token goes to --to and nowhere else, over https unless that is loopback, and --to must
be a host that authctl curl would send it to. Redirects are not followed: a Location there
leads through the proxy again. The token is renewed before it expires, as long as the
proxy is used. After a 401 it is renewed and the request repeated, once, where its body is
no larger than 1 MiB; a second 401 is passed on. While no token can be had the one at hand
is sent as long as it is good, then the answer is 502 and says why.

Authorization, Cookie, Proxy-* and X-Forwarded-* of a request are dropped, and Set-Cookie
of a reply. Streams, WebSockets and uploads of any size pass; --timeout is for tokens, and
no bound for a reply.

With CMD the address is in AUTHCTL_PROXY_URL, the proxy ends with CMD and the exit code is
its own; as with authctl exec, CMD does not get what tokens are got with. Without, the proxy
serves until it is interrupted. With --verbose each request is a line on stderr.`,
		Example: `  authctl proxy calls --to https://api.talkdeskapp.eu
  authctl proxy calls --to https://api.talkdeskapp.eu --listen 127.0.0.1:8080
  authctl proxy engage --to https://api.example.com/v1 --allow-host api.example.com -- ./sync.sh`,
		Args:              verb.AroundDash("CMD", &c.profile, &c.child),
		ValidArgsFunction: d.CompleteBeforeDash,
	}, verb.Flags{Service: &c.service, Own: c.bind}, c.run)
}

func (c *command) bind(flags *pflag.FlagSet) {
	flags.StringVar(&c.to, "to", "", "the `URL` that requests go to, with the path that all of them begin with")
	flags.StringVar(&c.listen, "listen", "127.0.0.1:0", "the loopback `address` to listen on")
	flags.StringArrayVar(&c.allow, "allow-host", nil,
		"a `host` that the token may be sent to: HOST, HOST:PORT or *.DOMAIN (repeatable)")
	flags.StringArrayVar(&c.keep, "keep-env", nil,
		"leave the variable `name` in, although it holds a secret (repeatable)")
}

// check looks at the flags that name variables and the address, and keeps that.
func (c *command) check() (err error) {
	for _, name := range c.keep {
		if err := verb.CheckVariable("--keep-env", name); err != nil {
			return err
		}
	}
	if c.at, err = proxy.Loopback(c.listen); err != nil {
		return verb.Usagef("--listen %s cannot be used: %w", secret.Quote(c.listen), err)
	}
	return nil
}

func (c *command) run(ctx context.Context, _ []string) error {
	if err := c.check(); err != nil {
		return err
	}
	to, err := c.target()
	if err != nil {
		return err
	}
	s, err := c.Open(&c.service, c.profile)
	if err != nil {
		return err
	}
	if err := c.mayGo(s, to); err != nil {
		return err
	}
	if c.service.DryRun {
		return c.DryRun(ctx, s)
	}
	path := ""
	if len(c.child) > 0 {
		// A command that is not there costs no request.
		if path, err = c.FindProgram(c.child[0]); err != nil {
			return err
		}
	}
	// From here on a signal ends the proxy in order, or is the child's.
	ctx = c.Watched(ctx)
	p, err := c.open(ctx, s, to)
	if err != nil {
		return err
	}
	if path == "" {
		return c.serve(ctx, p)
	}
	return c.runChild(ctx, p, s, path)
}

// target reads --to.
func (c *command) target() (*url.URL, error) {
	if c.to == "" {
		return nil, &verb.Error{
			Kind: "usage", Message: "--to is missing", Hint: "say where the requests go, as --to https://api.example.com",
		}
	}
	at, err := hosts.Read(c.to)
	if err != nil {
		return nil, verb.Usagef("--to: %w", err)
	}
	to, err := url.Parse(c.to)
	switch {
	case err != nil:
		return nil, verb.Usagef("--to is not a URL")
	case to.RawQuery != "" || to.ForceQuery || to.Fragment != "":
		return nil, verb.Usagef("--to has a query or a fragment: give scheme, host and path")
	}
	to.Scheme, to.Host = at.Scheme, at.String()
	to.Path, to.RawPath = strings.TrimRight(to.Path, "/"), strings.TrimRight(to.RawPath, "/")
	return to, nil
}

// mayGo is an error of usage where the token is not sent there.
func (c *command) mayGo(s *client.Client, to *url.URL) error {
	may, err := hosts.Of(s, c.allow)
	if err != nil {
		return err
	}
	at, err := hosts.Read(to.String())
	if err != nil {
		return err
	}
	return may.Check(at)
}

// open gets the first token, for which a person may be asked, and opens the proxy.
func (c *command) open(ctx context.Context, s *client.Client, to *url.URL) (*proxy.Proxy, error) {
	upstream, err := s.Lasting(ctx)
	if err != nil {
		return nil, err
	}
	source := &source{Deps: c.Deps, client: s}
	first, err := source.first(ctx)
	if err != nil {
		return nil, err
	}
	o := proxy.Options{To: to, Source: source, First: first, Upstream: upstream, Words: c.words, Now: c.Now}
	if c.Global.Verbose {
		o.Log = c.UI.Trace
	}
	// net/http tells the standard logger what an upstream sends that nobody has asked for, and knows no other.
	log.SetOutput(io.Discard)
	p := proxy.New(o)
	if err := p.Listen(c.at); err != nil {
		return nil, &verb.Error{
			Kind: "temporary", Err: fmt.Errorf("opening the proxy: %w", err),
			Hint: "another program may have the port: end it, or give another one with --listen",
		}
	}
	c.UI.Say("proxy ready at", p.URL())
	return p, nil
}

// words are the proxy's own, as stderr would have them.
func (c *command) words(u proxy.Unavailable) proxy.Unavailable {
	u.Message, u.Hint = c.UI.Withhold(u.Message), c.UI.Withhold(c.Subject.InNames(u.Hint))
	return u
}

// serve serves until a signal ends it.
func (c *command) serve(ctx context.Context, p *proxy.Proxy) error {
	defer p.Close()
	<-ctx.Done()
	return context.Cause(ctx)
}

// runChild runs the command, at whose end the proxy ends.
func (c *command) runChild(ctx context.Context, p *proxy.Proxy, s *client.Client, path string) error {
	defer p.Close()
	c.HasChild.Store(true)
	return process.Run(ctx, c.Child(path, c.child, c.environment(p, s)), nil)
}

// environment is the child's: without what tokens are got with, and with the address, which is to be
// asked without a way round by another proxy.
func (c *command) environment(p *proxy.Proxy, s *client.Client) []string {
	env := s.Local.ChildEnvironment(s.Profile, c.keep, variable)
	env = append(env, variable+"="+p.URL())
	lookup := s.Local.LookupEnv
	if cmp.Or(lookup.Raw("http_proxy"), lookup.Raw("HTTP_PROXY"), lookup.Raw("all_proxy"), lookup.Raw("ALL_PROXY")) == "" {
		return env
	}
	not := p.Host()
	if already := cmp.Or(lookup.Raw("no_proxy"), lookup.Raw("NO_PROXY")); already != "" {
		not = already + "," + not
	}
	return append(env, "no_proxy="+not, "NO_PROXY="+not)
}

// variable has the address of the proxy.
const variable = "AUTHCTL_PROXY_URL"
