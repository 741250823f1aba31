package sandbox

import (
	"context"
	"os"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/process"
	"github.com/authctl/authctl/internal/sandbox"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// run is `sandbox run`.
type run struct {
	*verb.Deps
	options sandbox.Options
}

func newRun(d *verb.Deps) *cobra.Command {
	r := &run{Deps: d}
	return d.Command(cobra.Command{
		Use:                   "run [flags] -- CMD [ARG…]",
		DisableFlagsInUseLine: true,

		Short: "Run a command against a sandbox of its own",
		Long: `Run a command against a sandbox of its own, with a private configuration and store.
AUTHCTL_SANDBOX_URL is the sandbox's address. The exit code is the command's.

` + profiles,
		Example: `  authctl sandbox run -- sh -c 'authctl token get pexip && authctl token list'`,
		Args:    verb.Arguments(1, 1<<16, "CMD"),
	}, verb.Flags{Own: func(f *pflag.FlagSet) {
		// What follows the command's name is the command's.
		f.SetInterspersed(false)
		bindLenient(f, &r.options)
	}}, r.run)
}

func (r *run) run(ctx context.Context, args []string) error {
	path, err := r.FindProgram(args[0])
	if err != nil {
		return err
	}
	private, err := newPrivate(r.options)
	if err != nil {
		return err
	}
	defer private.close()
	return process.Run(ctx, r.Child(path, args, private.environ(os.Environ())), nil)
}
