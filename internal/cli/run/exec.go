// Package run has the command that runs another one with a token, at hand or kept fresh in a
// file.
package run

import (
	"context"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/cli/verb/formats"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/process"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// run is `exec`.
type run struct {
	*verb.Deps
	service   verb.Service
	variable  string
	tokenFile bool
	keep      []string
	// profile and child are what stands before -- and after it.
	profile, child []string
}

// Command makes `exec`.
func Command(d *verb.Deps) *cobra.Command {
	r := &run{Deps: d}
	return d.Command(cobra.Command{
		Use:                   "exec [PROFILE] [flags] -- CMD [ARG…]",
		DisableFlagsInUseLine: true,

		Short: "Run a command with the token in its environment",
		Long: `Run a command with the token in its environment: AUTHCTL_TOKEN, with AUTHCTL_TOKEN_TYPE
and AUTHCTL_TOKEN_EXPIRES_ON (epoch seconds). The command takes the place of authctl, so
signals reach it and its exit code is its own; 126 means that it cannot be executed, 127
that it was not found. A script without #! is run by /bin/sh.

The token is the one at hand, and is not replaced while the command runs: where it may end
too soon, --min-ttl wants one that lives longer and warns where the service has none, and
--token-file keeps it fresh.

The command does not get what tokens are got with: variables that hold a secret, such as
AUTHCTL_CLIENT_SECRET and AUTHCTL_STORE_KEY, and those that env: references anywhere in the
configuration file name are taken out of its environment. All other settings stay, so it
may run authctl itself. For that, keep secrets elsewhere than in variables: file:, cmd: and
keyring: references and the twins with _FILE work in there as they do outside. Where that
is not possible, --keep-env leaves a variable in; AUTHCTL_EXEC_TOOK has the names of those
that were taken out.

In a step of GitHub Actions or Azure Pipelines the first line on stderr tells the runner to
hide the token, so that a script with set -x does not show it in the job's log.

With --token-file the token is in a private file instead, whose path is in
AUTHCTL_TOKEN_FILE: mode 0600 in a directory of its own, on Windows as private as the
directory for temporary files. It is replaced before the token expires and removed when
the command has ended; authctl stays to do so, and passes signals and the exit code on.
A service that is away is asked again, one that refuses is not: a warning says so.`,
		Example: `  authctl exec calls -- ./report.sh
  authctl exec calls --var CALLS -- authctl exec engage --var ENGAGE -- ./sync.sh
  authctl exec engage --token-file -- ./worker`,
		Args:              verb.BeforeDash("CMD", &r.profile, &r.child),
		ValidArgsFunction: d.CompleteBeforeDash,
	}, verb.Flags{Service: &r.service, Own: r.bind}, r.run)
}

func (r *run) bind(flags *pflag.FlagSet) {
	flags.StringVar(&r.variable, "var", "AUTHCTL_TOKEN", "the `name` of the variable that holds the token")
	flags.BoolVar(&r.tokenFile, "token-file", false,
		"put the token into a file that is kept fresh, and its path into AUTHCTL_TOKEN_FILE")
	flags.StringArrayVar(&r.keep, "keep-env", nil,
		"leave the variable `name` in, although it holds a secret (repeatable)")
}

// check looks at the names of variables among the flags.
func (r *run) check() error {
	err := verb.CheckVariable("--var", r.variable)
	for _, name := range r.keep {
		if err == nil {
			err = verb.CheckVariable("--keep-env", name)
		}
	}
	return err
}

func (r *run) run(ctx context.Context, _ []string) error {
	if err := r.check(); err != nil {
		return err
	}
	if formats.Hides(r.Deps) {
		r.UI.Hold()
	}
	c, err := r.Open(&r.service, r.profile)
	if err != nil {
		return err
	}
	if r.service.DryRun {
		return r.DryRun(ctx, c)
	}
	// A command that is not there costs no request.
	path, err := r.FindProgram(r.child[0])
	if err != nil {
		return err
	}
	answer, err := c.Token(ctx)
	if err != nil {
		return err
	}
	token := formats.New(c, answer, r.Now())
	formats.Hide(r.Deps, token)
	r.TellOfScopes(c, answer)
	if r.tokenFile {
		return r.withTokenFile(ctx, c, answer, r.Child(path, r.child, r.environment(c)))
	}
	// The child may run for days, in place of this process.
	r.Close()
	r.HasChild.Store(true)
	return process.Become(r.Context(), path, r.child, append(r.environment(c), token.Variables(r.variable)...))
}

// environment is the child's. A token of another exec around this one must not be taken for
// this one's.
func (r *run) environment(c *client.Client) []string {
	return c.Local.ChildEnvironment(c.Profile, r.keep,
		r.variable, r.variable+"_TYPE", r.variable+"_EXPIRES_ON", r.variable+"_FILE")
}
