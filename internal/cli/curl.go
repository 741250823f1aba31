package cli

import (
	"context"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/cli/verb/formats"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/spf13/cobra"
)

// curlOptions are the flags of `curl`.
type curlOptions struct {
	verb.Service
	allow []string
}

func (a *app) curl() *cobra.Command {
	o := &curlOptions{}
	var own, rest []string
	command := &cobra.Command{
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
		Args: verb.BeforeDash("ARGS", &own, &rest),
		RunE: func(command *cobra.Command, _ []string) error {
			if err := a.Begin(nil); err != nil {
				return err
			}
			return a.runCurl(command.Context(), o, own, rest)
		},
		ValidArgsFunction: a.CompleteBeforeDash,
	}
	o.Bind(command.Flags())
	command.Flags().StringArrayVar(&o.allow, "allow-host", nil,
		"a `host` that the token may be sent to: HOST, HOST:PORT or *.DOMAIN (repeatable)")
	return command
}

func (a *app) runCurl(ctx context.Context, o *curlOptions, own, args []string) error {
	call, err := readCurl(args)
	if err != nil {
		return err
	}
	s, err := a.Open(&o.Service, own)
	if err != nil {
		return err
	}
	hosts, err := tokenHosts(s, o.allow)
	if err != nil {
		return err
	}
	if err := hosts.checkCall(call); err != nil {
		return err
	}
	if o.DryRun {
		return a.DryRun(ctx, s)
	}
	run, err := a.newCurlRun(s, call)
	if err != nil {
		return err
	}
	answer, err := s.Token(ctx)
	if err != nil {
		return err
	}
	a.TellOfScopes(s, answer)
	token, err := a.curlToken(ctx, s, call, answer)
	if err != nil {
		return err
	}
	run.watch = answer.Source == broker.SourceCache && call.isSingle() && !run.byStdin && !a.Global.Quiet
	ended := run.with(token)
	if run.refused.Load() {
		a.UI.Say(a.UI.Err.Notice("hint:"),
			"the service answered 401 to a token from the cache; for a new one: "+a.commandToRenew(s, o))
	}
	return ended
}

// commandToRenew replaces the very cache entry that these flags ask for.
func (a *app) commandToRenew(s *client.Client, o *curlOptions) string {
	words := []string{"token", "get", "--force-refresh"}
	if s.Profile.Name != config.EnvironmentProfile {
		words = append(words, s.Profile.Name)
	}
	return a.CommandFor("", append(words, o.Entry()...)...)
}

// curlToken is what curl gets: the token and, unless it may follow a redirect, what the
// API wants beside it. On the way to another host curl drops the header Authorization
// and no other.
func (a *app) curlToken(ctx context.Context, s *client.Client, call *curlCall, answer broker.Answer) (formats.Token, error) {
	token := formats.New(s, answer, a.Now())
	option := call.follows()
	if option == "" {
		return token.WithHeaders(ctx, s)
	}
	if len(s.Provider.Headers()) > 0 {
		a.UI.Warn("with --" + option + " the API key is left out: curl would take it along to another host")
	}
	return token, nil
}
