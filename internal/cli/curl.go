package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/providers"
	"github.com/spf13/cobra"
)

// curlOptions are the flags of `curl`.
type curlOptions struct {
	serviceFlags
	allow []string
}

func (a *app) curl() *cobra.Command {
	o := &curlOptions{}
	command := &cobra.Command{
		Use:                   "curl [PROFILE] [flags] -- ARGS…",
		DisableFlagsInUseLine: true,

		Short: "Run curl with the token as its authorization",
		Long: `Run curl with the token as its authorization. ARGS are curl's own, stdin, stdout and the
exit code too; 127 means that there is no curl. The header reaches curl by a pipe, never
by an argument or a file, and where its -v shows it, the token is left out. An API key
that the service wants beside it goes the same way, but not with --location.

The token is sent to the hosts of the profile's service only, over https, and to those
that --allow-host or allow_hosts in the profile name: HOST, HOST:PORT or *.DOMAIN. curl
itself leaves it out when it follows a redirect to another host, and is kept from following
one to http; before 7.83 it sends it to another port of the same host (CVE-2022-27774).
What could send it elsewhere is refused: --location-trusted, --config, --next,
--unix-socket, --insecure but on loopback, headers from a file, options that authctl does
not know, and --connect-to, --resolve or a header Host for another host. Your curlrc is
not read.

When the service does not accept a token from the cache (401), the token is renewed and
the request sent once more, whatever its method, since a 401 means that nothing was done
(RFC 9110 §15.5.2). Not repeated are calls with more than one URL, a body from stdin or a
pipe, --dump-header or --continue-at, answers after a redirect, and any on Windows.`,
		Example: `  authctl curl calls -- https://api.talkdeskapp.com/users/me
  authctl curl booking -- -d @order.json -H 'Content-Type: application/json' "$URL"
  authctl curl engage --allow-host api.example.com -- -fsS https://api.example.com/v1/offices`,
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.begin(nil); err != nil {
				return err
			}
			own, rest, err := beforeDash(command, args, "ARGS")
			if err != nil {
				return err
			}
			return a.runCurl(command.Context(), o, own, rest)
		},
		ValidArgsFunction: a.completeBeforeDash,
	}
	o.bind(command.Flags())
	command.Flags().StringArrayVar(&o.allow, "allow-host", nil,
		"a `host` that the token may be sent to: HOST, HOST:PORT or *.DOMAIN (repeatable)")
	return command
}

func (a *app) runCurl(ctx context.Context, o *curlOptions, own, args []string) error {
	call, err := readCurl(args)
	if err != nil {
		return err
	}
	s, err := a.open(&o.serviceFlags, own)
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
	if o.dryRun {
		return a.dryRun(ctx, s)
	}
	run, err := a.newCurlRun(s, call)
	if err != nil {
		return err
	}
	answer, err := s.token(ctx)
	if err != nil {
		return err
	}
	return a.curlWith(ctx, s, run, answer)
}

// curlWith runs curl, and once more when it was a cached token that was not accepted.
func (a *app) curlWith(ctx context.Context, s *session, run *curlRun, answer broker.Answer) error {
	run.watch = answer.Source == broker.SourceCache && run.repeatable()
	token, err := a.curlToken(ctx, s, run, answer)
	if err != nil {
		return err
	}
	err = run.once(token)
	if !errors.Is(err, errNotAccepted) {
		return err
	}
	if a.flags.verbose {
		a.say(a.err.Faint("trace:"), "the service did not accept the cached token; renewing it")
	}
	s.request.ForceRefresh, run.watch = true, false
	answer, err = s.token(ctx)
	if err != nil {
		return fmt.Errorf("renewing a token that the service did not accept: %w", err)
	}
	if token, err = a.curlToken(ctx, s, run, answer); err != nil {
		return err
	}
	return run.once(token)
}

// curlToken is what curl gets: the token and, unless it may follow a redirect, what the
// API wants beside it. On the way to another host curl drops the header Authorization
// and no other.
func (a *app) curlToken(ctx context.Context, s *session, run *curlRun, answer broker.Answer) (printed, error) {
	token := newPrinted(s, answer, a.Now())
	if !run.call.has("location") {
		return token.withHeaders(ctx, s)
	}
	if p, ok := s.provider.(providers.APIHeaderer); ok && len(p.APIHeaders()) > 0 {
		a.warn("with --location the API key is left out: curl would take it along to another host")
	}
	return token, nil
}

// newCurlRun finds curl and prepares what does not depend on the token.
func (a *app) newCurlRun(s *session, call *curlCall) (*curlRun, error) {
	path, err := findProgram("curl")
	if child, ok := errors.AsType[*childError](err); ok {
		return nil, &childError{child.code, unfound(child.err, "curl", "install it, or use token get -o header")}
	}
	r := &curlRun{app: a, path: path, call: call, byStdin: runtime.GOOS == "windows"}
	if r.byStdin && call.readsStream() {
		return nil, usagef("on Windows curl's stdin is taken by its configuration; give the body by a file")
	}
	r.environment = a.childEnvironment(s.profile, nil)
	if call.isPlain() {
		// Plain http is for this machine, and not for a proxy to read.
		r.environment = a.childEnvironment(s.profile, nil, "http_proxy", "all_proxy", "ALL_PROXY")
	}
	return r, nil
}

// repeatable reports whether a reply can be held back until it is known to be one.
func (r *curlRun) repeatable() bool {
	why := r.call.unrepeatable()
	if why == "" && r.byStdin {
		why = "there is no pipe for the reply's headers on Windows"
	}
	if why != "" && r.app.flags.verbose {
		r.app.say(r.app.err.Faint("trace:"), "a 401 will not be repeated: "+why)
	}
	return why == ""
}

// config is what curl reads from the pipe: the header, and what makes it behave as if
// its output were not held back.
func (r *curlRun) config(token printed) string {
	text := token.curl()
	if !r.call.isPlain() {
		// Before 7.83 curl kept the header on a redirect to http on the same host
		// (CVE-2022-27774).
		text += "proto-redir = \"=https\"\n"
	}
	if !r.watch {
		return text
	}
	// A proxy's answer to CONNECT is not the service's.
	text += "dump-header = \"/dev/fd/4\"\nsuppress-connect-headers\n"
	if r.app.Streams.OutTerminal && !r.call.has("output", "remote-name", "remote-name-all", "progress-bar") {
		text += "no-progress-meter\nno-buffer\n"
	}
	return text
}

// pipes are made and closed together.
type pipes []*os.File

func (p *pipes) open() (r, w *os.File, err error) {
	if r, w, err = os.Pipe(); err == nil {
		*p = append(*p, r, w)
	}
	return r, w, err
}

func (p pipes) close() {
	for _, f := range p {
		_ = f.Close()
	}
}
