package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/process"
	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/store"
	"github.com/spf13/cobra"
)

// anyPort is where the sandbox listens unless told otherwise.
const anyPort = "127.0.0.1:0"

// sandboxProfiles says what the sandbox's configuration holds, and who can sign in.
const sandboxProfiles = `Profiles:
  pexip, talkdesk, qmatic, genesys   a client with its secret
  pexip-jwt, talkdesk-jwt            a client with a private key
  pexip-openid                       with the scope openid, for userinfo
  genesys-password                   a user's password: userinfo, signout, passwd
  genesys-login, talkdesk-login      for login with the browser
  genesys-public                     the same for a client without a secret
  talkdesk-login-jwt                 the same for a client with a private key
  pexip-easy, talkdesk-easy,         for other programs: secrets without special characters,
  qmatic-easy, genesys-easy          and Pexip's tokens signed with RS256

The sign-in pages know one user each:
  Genesys    tenant ` + sandbox.GenesysTenant + ", username " + sandbox.GenesysUser + `
             password ` + sandbox.GenesysPassword + `
  Talkdesk   email ` + sandbox.TalkdeskUser + `
             password ` + sandbox.TalkdeskPassword

func (a *app) sandbox() *cobra.Command {
	return a.Group("sandbox", "The four services emulated on this machine, to try things without an account",
		verb.Made{Name: "serve", Make: made(a.sandboxServe)}, verb.Made{Name: "run", Make: made(a.sandboxRun)}, verb.Made{Name: "tour", Make: made(a.sandboxTour)})
}

func (a *app) sandboxServe() *cobra.Command {
	var listen, configOut string
	var options sandbox.Options
	command := &cobra.Command{
		Use:   "serve",
		Short: "Serve the four services until interrupted",
		Long: `Serve the four services until interrupted. With --config-out there is a configuration
for them, whose secrets are files beside it.

` + sandboxProfiles,
		Example: `  authctl sandbox serve --config-out sandbox.yaml &
  authctl --config sandbox.yaml token get pexip`,
		Args: verb.Arguments(0, 0, ""),
		RunE: func(command *cobra.Command, _ []string) error {
			if err := a.Begin(nil); err != nil {
				return err
			}
			return a.serveSandbox(a.Watched(command.Context()), options, listen, configOut)
		},
	}
	command.Flags().StringVar(&listen, "listen", anyPort, "the loopback `address` to listen on")
	command.Flags().StringVar(&configOut, "config-out", "",
		"write a configuration with the profiles to this `file`")
	bindLenient(command, &options)
	return command
}

// bindLenient binds the flag that both commands have.
func bindLenient(command *cobra.Command, options *sandbox.Options) {
	command.Flags().BoolVar(&options.Lenient, "lenient", false,
		"take Talkdesk's parameters in the query and Genesys' ping by cookie, as some public clients send them")
}

func (a *app) serveSandbox(ctx context.Context, options sandbox.Options, listen, configOut string) error {
	configOut, err := config.Path(a.LookupEnv, "--config-out", configOut)
	if err != nil {
		return err
	}
	server := sandbox.New(options)
	if err := server.Start(listen); errors.Is(err, sandbox.ErrNotLoopback) {
		return verb.Usagef("--listen: %w", err)
	} else if err != nil {
		return err
	}
	defer server.Close()
	if configOut != "" {
		if err := server.WriteConfig(configOut); err != nil {
			return fmt.Errorf("writing the sandbox's configuration: %w", err)
		}
	}
	a.UI.Say("sandbox ready at", server.URL())
	<-ctx.Done()
	return context.Cause(ctx)
}

func (a *app) sandboxRun() *cobra.Command {
	var options sandbox.Options
	command := &cobra.Command{
		Use:                   "run [flags] -- CMD [ARG…]",
		DisableFlagsInUseLine: true,

		Short: "Run a command against a sandbox of its own",
		Long: `Run a command against a sandbox of its own, with a private configuration and store.
AUTHCTL_SANDBOX_URL is the sandbox's address. The exit code is the command's.

` + sandboxProfiles,
		Example: `  authctl sandbox run -- sh -c 'authctl token get pexip && authctl token list'`,
		Args:    verb.Arguments(1, 1<<16, "CMD"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.Begin(nil); err != nil {
				return err
			}
			return a.runInSandbox(command.Context(), options, args)
		},
	}
	// What follows the command's name is the command's.
	command.Flags().SetInterspersed(false)
	bindLenient(command, &options)
	return command
}

func (a *app) runInSandbox(ctx context.Context, options sandbox.Options, args []string) error {
	path, err := a.FindProgram(args[0])
	if err != nil {
		return err
	}
	private, err := newPrivate(options)
	if err != nil {
		return err
	}
	defer private.close()
	child := exec.Command(path) //nolint:noctx // it ends when it likes
	child.Args = args
	child.Stdin, child.Stdout, child.Stderr = a.UI.Raw.In, a.UI.Raw.Out, a.UI.Raw.Err
	child.Env = private.environ(os.Environ())
	return process.Run(ctx, child, nil)
}

// private is a sandbox with a private directory for configuration, store and locks.
type private struct {
	server *sandbox.Server
	dir    string
}

func newPrivate(options sandbox.Options) (*private, error) {
	dir, err := os.MkdirTemp(files.TempDir(nil), "authctl-sandbox-")
	if err != nil {
		return nil, fmt.Errorf("making a directory for the sandbox: %w", err)
	}
	r := &private{server: sandbox.New(options), dir: dir}
	if err := r.configure(); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *private) configure() error {
	if err := r.server.Start(anyPort); err != nil {
		return err
	}
	if err := r.server.WriteConfig(r.path("config.yaml")); err != nil {
		return err
	}
	return store.NewKeyFile(r.path("store.key"))
}

func (r *private) path(name string) string { return filepath.Join(r.dir, name) }

func (r *private) close() {
	r.server.Close()
	_ = os.RemoveAll(r.dir)
}

// settings are the variables that point authctl to it.
func (r *private) settings() map[string]string {
	return map[string]string{
		"AUTHCTL_CONFIG":         r.path("config.yaml"),
		"AUTHCTL_STORE":          "file",
		"AUTHCTL_STORE_DIR":      r.path("store"),
		"AUTHCTL_STORE_KEY_FILE": r.path("store.key"),
		"AUTHCTL_RUNTIME_DIR":    r.path("run"),
		"AUTHCTL_SANDBOX_URL":    r.server.URL(),
	}
}

// environ returns an environment that points to it, with nothing left of
// the user's own settings of authctl.
func (r *private) environ(outer []string) []string {
	env := []string{}
	for _, entry := range outer {
		if !strings.HasPrefix(entry, "AUTHCTL_") {
			env = append(env, entry)
		}
	}
	if self, err := os.Executable(); err == nil {
		// authctl itself is found, also when it is not installed.
		env = append(env, "PATH="+os.Getenv("PATH")+string(os.PathListSeparator)+filepath.Dir(self))
	}
	for name, value := range r.settings() {
		env = append(env, name+"="+value)
	}
	return env
}
