package cli

import (
	"context"
	"os/exec"

	"github.com/spf13/cobra"
)

// execOptions are the flags of `exec`.
type execOptions struct {
	serviceFlags
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
			if err := a.begin(nil); err != nil {
				return err
			}
			own, child, err := beforeDash(command, args, "CMD")
			if err != nil {
				return err
			}
			return a.runExec(command.Context(), o, own, child)
		},
		ValidArgsFunction: a.completeBeforeDash,
	}
	o.bind(command.Flags())
	command.Flags().StringVar(&o.variable, "var", "AUTHCTL_TOKEN", "the `name` of the variable that holds the token")
	command.Flags().BoolVar(&o.tokenFile, "token-file", false,
		"put the token into a file that is kept fresh, and its path into AUTHCTL_TOKEN_FILE")
	command.Flags().StringArrayVar(&o.keep, "keep-env", nil,
		"leave the variable `name` in, although it holds a secret (repeatable)")
	return command
}

// checkNames looks at the names of variables among the flags.
func (o *execOptions) checkNames() error {
	if !variableName(o.variable) {
		return usagef("--var %q is not the name of a variable", o.variable)
	}
	for _, name := range o.keep {
		if !variableName(name) {
			return usagef("--keep-env %q is not the name of a variable", name)
		}
	}
	return nil
}

func (a *app) runExec(ctx context.Context, o *execOptions, own, args []string) error {
	if err := o.checkNames(); err != nil {
		return err
	}
	if a.hides() {
		a.hold()
	}
	s, err := a.open(&o.serviceFlags, own)
	if err != nil {
		return err
	}
	if o.dryRun {
		return a.dryRun(ctx, s)
	}
	// A command that is not there costs no request.
	path, err := a.findProgram(args[0])
	if err != nil {
		return err
	}
	answer, err := s.token(ctx)
	if err != nil {
		return err
	}
	token := newPrinted(s, answer, a.Now())
	a.hide(token)
	a.tellOfScopes(s, answer)
	// A token of another exec around this one must not be taken for this one's.
	environment := a.childEnvironment(s.profile, o.keep,
		o.variable, o.variable+"_TYPE", o.variable+"_EXPIRES_ON", o.variable+"_FILE")
	if o.tokenFile {
		child := exec.Command(path) //nolint:noctx // it ends when it likes
		child.Args, child.Env = args, environment
		child.Stdin, child.Stdout, child.Stderr = a.raw.In, a.raw.Out, a.raw.Err
		return a.runWithTokenFile(ctx, s, answer, child, o.variable+"_FILE")
	}
	environment = append(environment, token.variables(o.variable)...)
	a.hasChild.Store(true)
	return become(a.ctx, path, args, environment)
}

// variables returns the token as entries of an environment, as -o env names them.
func (p printed) variables(name string) []string {
	list := []string{}
	for _, set := range p.assignments(name) {
		if set.value != "" {
			list = append(list, set.name+"="+set.value)
		}
	}
	return list
}
