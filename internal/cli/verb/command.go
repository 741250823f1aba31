package verb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Flags say what a command takes beside its own flags, and how it is run.
type Flags struct {
	// Service are the flags of a command that asks a service, but for those named in Without.
	Service *Service
	Without []string
	// Profile and Store are for commands that take no more of them.
	Profile *Profile
	Store   *Store
	// Trace is --trace of a command without the flags of Service.
	Trace *Trace
	// Output is --output with its Formats, the default first.
	Output  *Output
	Formats []string
	// Own binds the command's own flags.
	Own func(*pflag.FlagSet)
	// Watched has signals end the command in order.
	Watched bool
}

func (f Flags) bind(flags *pflag.FlagSet) {
	switch {
	case f.Service != nil:
		f.Service.bind(flags, f.Without...)
	case f.Profile != nil:
		f.Profile.bind(flags)
	}
	if f.Store != nil {
		f.Store.bind(flags)
	}
	if f.Trace != nil {
		f.Trace.bind(flags)
	}
	if f.Output != nil {
		f.Output.bind(flags, f.Formats...)
	}
	if f.Own != nil {
		f.Own(flags)
	}
}

// Command makes a command: it sets up colour, checks the format and runs. A command with a
// profile takes it as its one argument, and completes it; one without takes none, unless it
// says otherwise.
func (d *Deps) Command(c cobra.Command, f Flags, run func(ctx context.Context, args []string) error) *cobra.Command {
	command := &c
	ofProfile := f.Service != nil || f.Profile != nil
	switch {
	case c.Args != nil:
	case ofProfile:
		command.Args = Arguments(0, 1, "PROFILE")
	default:
		command.Args = Arguments(0, 0, "")
	}
	if ofProfile && c.ValidArgsFunction == nil {
		command.ValidArgsFunction = d.CompleteProfile
	}
	command.RunE = func(command *cobra.Command, args []string) error {
		if err := d.begin(f); err != nil {
			return err
		}
		ctx := command.Context()
		if f.Watched {
			ctx = d.Watched(ctx)
		}
		err := run(ctx, args)
		d.failed = err != nil
		return err
	}
	f.bind(command.Flags())
	return command
}

// begin checks the flags that every command has, sets up colour, and begins the record of requests.
func (d *Deps) begin(f Flags) error {
	mode, err := term.ParseColorMode(d.Global.Color)
	if err != nil {
		return Usagef("--color: %w", err)
	}
	d.UI.Color(mode)
	d.UI.Quiet = d.Global.Quiet
	if f.Output != nil {
		d.UI.LetWarningsWait(f.Output.JSON())
		if err := f.Output.check(); err != nil {
			return err
		}
	}
	switch {
	case f.Service != nil:
		return record(d, &f.Service.Trace, f.Service.DryRun)
	case f.Trace != nil:
		return record(d, f.Trace, false)
	}
	return nil
}

// Made is a command that is made when it is needed.
type Made struct {
	Name string
	Make func(*Deps) *cobra.Command
}

// Named makes the one of a group's commands that the arguments begin with, and all where
// they begin with none: two dozen commands and their flags cost a good part of a start.
// The group is empty for the program itself.
func (d *Deps) Named(group string, commands ...Made) []*cobra.Command {
	args := d.Args
	if group != "" && len(args) > 0 && args[0] == group {
		args = args[1:]
	} else if group != "" {
		args = nil
	}
	for _, c := range commands {
		if len(args) > 0 && args[0] == c.Name {
			return []*cobra.Command{c.Make(d)}
		}
	}
	all := make([]*cobra.Command, len(commands))
	for i, c := range commands {
		all[i] = c.Make(d)
	}
	return all
}

// Group returns a command that only holds others, of which it makes what is Named. Alone it
// prints its help; with a word that is none of them it is a usage error.
func (d *Deps) Group(use, short string, commands ...Made) *cobra.Command {
	group := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  UnknownCommand,
		RunE: func(command *cobra.Command, _ []string) error {
			return command.Help()
		},
	}
	group.AddCommand(d.Named(use, commands...)...)
	return group
}

// UnknownCommand is a usage error for a word that is no command of a group; it names those
// that may be meant.
func UnknownCommand(command *cobra.Command, args []string) error {
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
	return Usagef("%s", text)
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

// Arguments returns a check for a number of arguments between least and most;
// what names them for the message.
func Arguments(least, most int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return Usagef("%s is missing", what)
		case len(args) > most:
			return Usagef("%q is one argument too many", args[most])
		}
		return nil
	}
}

// AroundDash is BeforeDash where -- and what follows it may be missing.
func AroundDash(what string, own, child *[]string) cobra.PositionalArgs {
	with, without := BeforeDash(what, own, child), Arguments(0, 1, "PROFILE")
	return func(command *cobra.Command, args []string) error {
		if command.ArgsLenAtDash() >= 0 {
			return with(command, args)
		}
		*own = args
		return without(command, args)
	}
}

// BeforeDash returns a check that parts `[PROFILE] -- CHILD…` into what is ours and what is
// the child's; what names that for the message.
func BeforeDash(what string, own, child *[]string) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		dash := command.ArgsLenAtDash()
		switch {
		case dash < 0:
			return Usagef("-- is missing: %s [PROFILE] -- %s", command.CommandPath(), what)
		case dash > 1:
			return Usagef("%q is one argument too many before --", args[1])
		case dash == len(args):
			return Usagef("%s is missing after --", what)
		}
		*own, *child = args[:dash], args[dash:]
		return nil
	}
}
