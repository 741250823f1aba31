package sandbox

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/process"
	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/store"
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
AUTHCTL_SANDBOX_URL is the sandbox's address. The exit code is the command's. For it the
command runs as a job of GitHub Actions and of Azure Pipelines would, and SSL_CERT_FILE
has the authority of the sandbox's port with TLS.

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
	r.options.Job = true
	private, err := newPrivate(r.options)
	if err != nil {
		return err
	}
	defer private.close()
	return process.Run(ctx, r.Child(path, args, private.environ(os.Environ())), nil)
}

// private is a sandbox with a private directory for configuration, store and locks.
type private struct {
	server *sandbox.Server
	dir    string
}

func newPrivate(options sandbox.Options) (*private, error) {
	dir, err := os.MkdirTemp(files.Environ(nil).TempDir(), "authctl-sandbox-")
	if err != nil {
		return nil, fmt.Errorf("making a directory for the sandbox: %w", err)
	}
	p := &private{server: sandbox.New(options), dir: dir}
	if err := p.configure(); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *private) configure() error {
	if err := p.server.Start(anyPort); err != nil {
		return err
	}
	if err := p.server.WriteConfig(p.path("config.yaml")); err != nil {
		return err
	}
	return store.NewKeyFile(p.path("store.key"))
}

func (p *private) path(name string) string { return filepath.Join(p.dir, name) }

func (p *private) close() {
	p.server.Close()
	_ = os.RemoveAll(p.dir)
}

// settings are the variables that point authctl to it.
func (p *private) settings() map[string]string {
	return map[string]string{
		"AUTHCTL_CONFIG":         p.path("config.yaml"),
		"AUTHCTL_STORE":          "file",
		"AUTHCTL_STORE_DIR":      p.path("store"),
		"AUTHCTL_STORE_KEY_FILE": p.path("store.key"),
		"AUTHCTL_RUNTIME_DIR":    p.path("run"),
		"AUTHCTL_SANDBOX_URL":    p.server.URL(),

		// Who the child is, as a job of GitHub's and of Azure Pipelines.
		"ACTIONS_ID_TOKEN_REQUEST_URL":   p.server.URL() + sandbox.GitHubPath,
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN": sandbox.JobRequestToken,
		"SYSTEM_OIDCREQUESTURI":          p.server.URL() + sandbox.AzurePath,
		"SYSTEM_ACCESSTOKEN":             sandbox.JobRequestToken,

		// Whom the port with TLS is by. Go reads the system's directories of certificates beside this.
		"SSL_CERT_FILE": p.path("config.secrets/ca.pem"),
	}
}

// environ returns an environment that points to it, with nothing left of the user's own
// settings of authctl.
func (p *private) environ(outer []string) []string {
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
	for name, value := range p.settings() {
		env = append(env, name+"="+value)
	}
	return env
}
