package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// root builds the tree of commands.
func (a *app) root() *cobra.Command {
	root := a.group("authctl", "Bearer tokens from several identity services, cached in the OS keyring", a.named("",
		made{"token", a.token},
		made{"scopes", a.scopes},
		made{"login", a.login},
		made{"signout", a.signout},
		made{"userinfo", a.userinfo},
		made{"passwd", a.passwd},
		made{"ping", a.ping},
		made{"exec", a.exec},
		made{"curl", a.curl},
		made{"profile", a.profiles},
		made{"providers", a.providersCommand},
		made{"sandbox", a.sandbox},
		made{"doctor", a.doctor},
		made{"version", a.version},
		made{"exit-codes", a.exitCodes},
	)...)
	root.Long = `authctl gives scripts, pipelines and developers a bearer token from Pexip Engage,
Talkdesk, Qmatic Cloud Appointments and Genesys Multicloud CX. Issued tokens are kept
in the OS keyring until they expire.`
	root.Example = `  authctl profile add calls --provider talkdesk
  TOKEN=$(authctl token get calls) || exit
  authctl sandbox tour`
	root.Version = version
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(a.Streams.In)
	root.SetErr(a.Streams.Err)
	root.SetFlagErrorFunc(a.flagError)
	root.SetHelpFunc(a.help(root.HelpFunc()))
	a.flags.bind(root.PersistentFlags())
	a.completion(root)
	return root
}

// help prints a page of help as cobra does, no wider than the terminal.
func (a *app) help(standard func(*cobra.Command, []string)) func(*cobra.Command, []string) {
	return func(command *cobra.Command, args []string) {
		width := a.Streams.Width(a.LookupEnv)
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

// made is a command that is made when it is needed.
type made struct {
	name string
	make func() *cobra.Command
}

// named makes the one of a group's commands that the arguments begin with, and all where
// they begin with none: two dozen commands and their flags cost a good part of a start.
// The group is empty for the program itself.
func (a *app) named(group string, commands ...made) []*cobra.Command {
	args := a.Args
	if group != "" && len(args) > 0 && args[0] == group {
		args = args[1:]
	} else if group != "" {
		args = nil
	}
	for _, c := range commands {
		if len(args) > 0 && args[0] == c.name {
			return []*cobra.Command{c.make()}
		}
	}
	all := make([]*cobra.Command, len(commands))
	for i, c := range commands {
		all[i] = c.make()
	}
	return all
}

// flagError is a usage error. A group knows few flags: where a word before them is
// none of its commands, that is what is wrong.
func (a *app) flagError(command *cobra.Command, err error) error {
	if command.HasSubCommands() {
		if _, rest, found := command.Root().Find(a.Args); found == nil && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
			return unknownCommand(command, rest)
		}
	}
	usage := &usageError{err: err}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		usage.hint = nearestFlag(command, unknown.GetSpecifiedName())
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
	if best := providers.Nearest(name, known); best != "" && len(name) > 1 {
		return "did you mean --" + best + "?"
	}
	return ""
}

// Documentation returns the tree of commands for the generators of reference,
// man pages and completions. It is not to be run.
func Documentation() *cobra.Command {
	return newApp(Dependencies{}).root()
}

// group returns a command that only holds others. Alone it prints its help; with
// a word that is none of them it is a usage error.
func (a *app) group(use, short string, commands ...*cobra.Command) *cobra.Command {
	group := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  unknownCommand,
		RunE: func(command *cobra.Command, _ []string) error {
			return command.Help()
		},
	}
	group.AddCommand(commands...)
	return group
}

func unknownCommand(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if command.SuggestionsMinimumDistance <= 0 {
		command.SuggestionsMinimumDistance = 2
	}
	text := fmt.Sprintf("%q is not a command of %s", args[0], command.CommandPath())
	unlike := func(name string) bool { return !mayBeMeant(args[0], name) }
	near := slices.DeleteFunc(command.SuggestionsFor(args[0]), unlike)
	if len(near) > 0 {
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef("%s", text)
}

// mayBeMeant reports whether a short word has most letters of a name: gte is get, but set
// is not use.
func mayBeMeant(word, name string) bool {
	if len(word) > 3 || len(name) > 3 {
		return true
	}
	same := 0
	for _, letter := range word {
		if strings.ContainsRune(name, letter) {
			same++
		}
	}
	return same >= 2 && (same == 3 || word[0] == name[0] || word[1] == name[1])
}

// arguments returns a check for a number of arguments between least and most;
// what names them for the message.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usagef("%s is missing", what)
		case len(args) > most:
			return usagef("%q is one argument too many", args[most])
		}
		return nil
	}
}

// begin checks the flags that every command has and sets up colour; each command
// runs it first.
func (a *app) begin(output *outputFlag) error {
	mode, err := term.ParseColorMode(a.flags.color)
	if err != nil {
		return usagef("--color: %w", err)
	}
	a.guardOut.styled = mode.Enabled(a.Streams.OutTerminal, a.LookupEnv)
	a.guardErr.styled = mode.Enabled(a.Streams.ErrTerminal, a.LookupEnv)
	a.out, a.err = term.NewPalette(a.guardOut.styled), term.NewPalette(a.guardErr.styled)
	if output == nil {
		return nil
	}
	a.holding = output.json()
	return output.check()
}
