package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/authctl/authctl/internal/cli/curl"
	"github.com/authctl/authctl/internal/cli/doctor"
	"github.com/authctl/authctl/internal/cli/profile"
	"github.com/authctl/authctl/internal/cli/proxy"
	"github.com/authctl/authctl/internal/cli/run"
	"github.com/authctl/authctl/internal/cli/sandbox"
	"github.com/authctl/authctl/internal/cli/scopes"
	"github.com/authctl/authctl/internal/cli/session"
	"github.com/authctl/authctl/internal/cli/store"
	"github.com/authctl/authctl/internal/cli/token"
	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/providers/builtin"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// root builds the tree of commands.
func (a *app) root() *cobra.Command {
	root := a.Group("authctl", "Bearer tokens from several identity services, cached in the OS keyring")
	commands := a.Named("",
		verb.Made{Name: "token", Make: token.Command},
		verb.Made{Name: "scopes", Make: scopes.Command},
		verb.Made{Name: "login", Make: session.Login},
		verb.Made{Name: "signout", Make: session.SignOut},
		verb.Made{Name: "userinfo", Make: session.UserInfo},
		verb.Made{Name: "passwd", Make: session.Passwd},
		verb.Made{Name: "ping", Make: session.Ping},
		verb.Made{Name: "exec", Make: run.Command},
		verb.Made{Name: "curl", Make: curl.Command},
		verb.Made{Name: "proxy", Make: proxy.Command},
		verb.Made{Name: "profile", Make: profile.Command},
		verb.Made{Name: "store", Make: store.Command},
		verb.Made{Name: "providers", Make: profile.Providers},
		verb.Made{Name: "sandbox", Make: sandbox.Command},
		verb.Made{Name: "doctor", Make: doctor.Command},
		verb.Made{Name: "version", Make: newVersion},
		verb.Made{Name: "exit-codes", Make: newExitCodes},
	)
	root.AddCommand(commands...)
	root.Long = `authctl gives scripts, pipelines and developers a bearer token from Pexip Engage,
Talkdesk, Qmatic Cloud Appointments and Genesys Multicloud CX. Issued tokens are kept
until they expire, in the OS keyring where there is one.`
	root.Example = `  authctl profile add calls --provider talkdesk
  TOKEN=$(authctl token get calls) || exit
  authctl sandbox tour`
	root.Version = version
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(a.UI.Streams.In)
	root.SetErr(a.UI.Streams.Err)
	root.SetFlagErrorFunc(a.flagError)
	root.SetHelpFunc(a.help(root.HelpFunc()))
	a.Global.Bind(root.PersistentFlags())
	// Who names a command asks for neither of cobra's own two.
	if root.CompletionOptions.DisableDefaultCmd = len(commands) == 1; len(commands) > 1 {
		a.completion(root)
	}
	return root
}

// help prints a page of help as cobra does, no wider than the terminal.
func (a *app) help(standard func(*cobra.Command, []string)) func(*cobra.Command, []string) {
	return func(command *cobra.Command, args []string) {
		width := a.UI.Width(a.LookupEnv)
		if width < 1 {
			standard(command, args)
			return
		}
		var page bytes.Buffer
		out := command.OutOrStdout()
		command.SetOut(&page)
		standard(command, args)
		command.SetOut(out)
		_, _ = io.WriteString(out, term.Fold(page.String(), width))
	}
}

// flagError is a usage error. A group knows few flags: where a word before them is
// none of its commands, that is what is wrong.
func (a *app) flagError(command *cobra.Command, err error) error {
	if command.HasSubCommands() {
		if _, rest, found := command.Root().Find(a.Args); found == nil && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
			return verb.UnknownCommand(command, rest)
		}
	}
	usage := &verb.Error{Kind: "usage", Err: err}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		usage.Hint = nearestFlag(command, unknown.GetSpecifiedName())
	}
	return usage
}

// nearestFlag says which flag was probably meant, empty when none is near.
func nearestFlag(command *cobra.Command, name string) string {
	var known []string
	command.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			known = append(known, f.Name)
		}
	})
	if best := setting.Nearest(name, known); best != "" && len(name) > 1 {
		return "did you mean --" + best + "?"
	}
	return ""
}

// Documentation returns the tree of commands for the generators of reference,
// man pages and completions. It is not to be run.
func Documentation() *cobra.Command {
	return newApp(context.Background(), verb.World{}).root()
}

// CapabilityTable returns the table of services and verbs in Markdown, for the generator of
// the documentation.
func CapabilityTable() string { return profile.CapabilityTable(builtin.Services().All()) }
