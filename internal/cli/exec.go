package cli

import (
	"context"
	"os/exec"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/cli/verb/formats"
	"github.com/authctl/authctl/internal/process"
	"github.com/spf13/cobra"
)

// execOptions are the flags of `exec`.
type execOptions struct {
	verb.Service
	variable  string
	tokenFile bool
	keep      []string
}

func (a *app) exec() *cobra.Command {
	o := &execOptions{}
	command := &cobra.Command{
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
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.Begin(nil); err != nil {
				return err
			}
			own, child, err := verb.BeforeDash(command, args, "CMD")
			if err != nil {
				return err
			}
			return a.runExec(command.Context(), o, own, child)
		},
		ValidArgsFunction: a.CompleteBeforeDash,
	}
	o.Bind(command.Flags())
	command.Flags().StringVar(&o.variable, "var", "AUTHCTL_TOKEN", "the `name` of the variable that holds the token")
	command.Flags().BoolVar(&o.tokenFile, "token-file", false,
		"put the token into a file that is kept fresh, and its path into AUTHCTL_TOKEN_FILE")
	command.Flags().StringArrayVar(&o.keep, "keep-env", nil,
		"leave the variable `name` in, although it holds a secret (repeatable)")
	return command
}

// checkNames looks at the names of variables among the flags.
func (o *execOptions) checkNames() error {
	if !verb.VariableName(o.variable) {
		return verb.Usagef("--var %q is not the name of a variable", o.variable)
	}
	for _, name := range o.keep {
		if !verb.VariableName(name) {
			return verb.Usagef("--keep-env %q is not the name of a variable", name)
		}
	}
	return nil
}

func (a *app) runExec(ctx context.Context, o *execOptions, own, args []string) error {
	if err := o.checkNames(); err != nil {
		return err
	}
	if formats.Hides(a.Deps) {
		a.UI.Hold()
	}
	s, err := a.Open(&o.Service, own)
	if err != nil {
		return err
	}
	if o.DryRun {
		return a.DryRun(ctx, s)
	}
	// A command that is not there costs no request.
	path, err := a.FindProgram(args[0])
	if err != nil {
		return err
	}
	answer, err := s.Token(ctx)
	if err != nil {
		return err
	}
	token := formats.New(s, answer, a.Now())
	formats.Hide(a.Deps, token)
	a.TellOfScopes(s, answer)
	// A token of another exec around this one must not be taken for this one's.
	environment := s.Local.ChildEnvironment(s.Profile, o.keep,
		o.variable, o.variable+"_TYPE", o.variable+"_EXPIRES_ON", o.variable+"_FILE")
	if o.tokenFile {
		child := exec.Command(path) //nolint:noctx // it ends when it likes
		child.Args, child.Env = args, environment
		child.Stdin, child.Stdout, child.Stderr = a.UI.Raw.In, a.UI.Raw.Out, a.UI.Raw.Err
		return a.runWithTokenFile(ctx, s, answer, child, o.variable+"_FILE")
	}
	environment = append(environment, token.Variables(o.variable)...)
	a.HasChild.Store(true)
	return process.Become(a.Context(), path, args, environment)
}
