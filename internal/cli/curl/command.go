// Package curl has the command that runs curl with a token. It reads curl's arguments as curl
// does, so that the token goes to the hosts of its service and to nobody else.
package curl

import (
	"context"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/cli/verb/formats"
	"github.com/authctl/authctl/internal/cli/verb/hosts"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// command is `curl`.
type command struct {
	*verb.Deps
	service verb.Service
	allow   []string
	// profile and args are what stands before -- and after it.
	profile, args []string
}

// Command makes `curl`.
func Command(d *verb.Deps) *cobra.Command {
	c := &command{Deps: d}
	return d.Command(cobra.Command{
		Use:                   "curl [PROFILE] [flags] -- ARGS…",
		DisableFlagsInUseLine: true,

		Short: "Run curl with the token as its authorization",
		Long: `Run curl with the token as its authorization. ARGS are curl's own, stdin, stdout and the
exit code too; 127 means that there is no curl. The header reaches curl by a pipe, never
by an argument or a file, and where its -v shows it, the token is left out. An API key
that the service wants beside it goes the same way, but not where curl follows redirects
(--location, --follow).

The token is sent to the hosts of the profile's service only, over https, and to those
that --allow-host or allow_hosts in the profile name: HOST, HOST:PORT or *.DOMAIN. curl
itself leaves it out when it follows a redirect to another host, and is kept from following
one to http; before 7.83 it sends it to another port of the same host (CVE-2022-27774).
What could send it elsewhere is refused: --location-trusted, --config, --next,
--unix-socket, --insecure but on loopback, headers from a file, options that authctl does
not know, and --connect-to, --resolve or a header Host for another host. Your curlrc is
not read.

An answer 401 is curl's to show like any other, and nothing is repeated; when it was a token
from the cache that was not accepted, a line on stderr says how to get a new one.`,
		Example: `  authctl curl calls -- https://api.talkdeskapp.com/users/me
  authctl curl booking -- -d @order.json -H 'Content-Type: application/json' "$URL"
  authctl curl engage --allow-host api.example.com -- -fsS https://api.example.com/v1/offices`,
		Args:              verb.BeforeDash("ARGS", &c.profile, &c.args),
		ValidArgsFunction: d.CompleteBeforeDash,
	}, verb.Flags{Service: &c.service, Own: func(flags *pflag.FlagSet) {
		flags.StringArrayVar(&c.allow, "allow-host", nil,
			"a `host` that the token may be sent to: HOST, HOST:PORT or *.DOMAIN (repeatable)")
	}}, c.run)
}

func (c *command) run(ctx context.Context, _ []string) error {
	asked, err := read(c.args)
	if err != nil {
		return err
	}
	s, err := c.Open(&c.service, c.profile)
	if err != nil {
		return err
	}
	may, err := hosts.Of(s, c.allow)
	if err == nil {
		err = allowed{may}.checkCall(asked)
	}
	if err != nil {
		return err
	}
	if c.service.DryRun {
		return c.DryRun(ctx, s)
	}
	r, err := c.prepare(s, asked)
	if err != nil {
		return err
	}
	answer, err := s.Token(ctx)
	if err != nil {
		return err
	}
	c.TellOfScopes(s, answer)
	token, err := c.token(ctx, s, asked, answer)
	if err != nil {
		return err
	}
	r.watch = answer.Source == broker.SourceCache && asked.isSingle() && !r.byStdin && !c.Global.Quiet
	ended := r.with(token)
	if r.refused.Load() {
		c.UI.Say(c.UI.Err.Notice("hint:"),
			"the service answered 401 to a token from the cache; for a new one: "+c.commandToRenew(s))
	}
	return ended
}

// commandToRenew replaces the very cache entry that these flags ask for.
func (c *command) commandToRenew(s *client.Client) string {
	words := []string{"token", "get", "--force-refresh"}
	if s.Profile.Name != config.EnvironmentProfile {
		words = append(words, s.Profile.Name)
	}
	return c.CommandFor("", append(words, c.service.Entry()...)...)
}

// token is what curl gets: the token and, unless it may follow a redirect, what the API wants
// beside it. On the way to another host curl drops the header Authorization and no other.
func (c *command) token(
	ctx context.Context, s *client.Client, asked *call, answer broker.Answer,
) (formats.Token, error) {
	token := formats.New(s, answer, c.Now())
	option := asked.follows()
	if option == "" {
		return token.WithHeaders(ctx, s)
	}
	if len(s.Provider.Headers()) > 0 {
		c.UI.Warn("with --" + option + " the API key is left out: curl would take it along to another host")
	}
	return token, nil
}
