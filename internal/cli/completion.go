package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// choices is the annotation of a flag that takes one of a few words.
const choices = "authctl_choices"

// howToComplete is what `completion --help` says.
const howToComplete = `Print a script that completes commands, flags, profiles and scopes. To load it for good,
in a new shell:

  bash        mkdir -p ~/.local/share/bash-completion/completions
              authctl completion bash > ~/.local/share/bash-completion/completions/authctl
  zsh         authctl completion zsh > "${fpath[1]}/_authctl"
  fish        authctl completion fish > ~/.config/fish/completions/authctl.fish
  powershell  authctl completion powershell >> $PROFILE

For this shell only:

  bash, zsh   source <(authctl completion bash), or zsh
  fish        authctl completion fish | source
  powershell  authctl completion powershell | Out-String | Invoke-Expression

bash needs the package bash-completion, zsh "autoload -U compinit; compinit" in ~/.zshrc.`

// completion adds cobra's own commands and makes an unknown shell or topic a usage
// error, where cobra would print help and succeed. What flags may be given is worked
// out only when it is a shell that asks.
func (a *app) completion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, command := range root.Commands() {
		switch command.Name() {
		case "completion":
			command.Short = "Print the completion script of a shell"
			command.Long = howToComplete
			command.Args = unknownCommand
			command.RunE = func(command *cobra.Command, _ []string) error { return command.Help() }
			forBash, _, _ := command.Find([]string{"bash"})
			forBash.RunE = func(command *cobra.Command, _ []string) error {
				plain, _ := command.Flags().GetBool("no-descriptions")
				return WriteBashCompletion(root, a.raw.Out, !plain)
			}
		case "help":
			command.Args = func(_ *cobra.Command, args []string) error {
				found, rest, err := root.Find(args)
				if err != nil {
					return &usageError{err: err}
				}
				return unknownCommand(found, rest)
			}
		}
	}
	if a.completing() {
		a.completeFlags(root)
	}
}

// completing reports whether it is a shell that asks what could be typed.
func (a *app) completing() bool {
	for _, arg := range a.Args {
		if arg == "--" {
			return false
		}
		if arg == cobra.ShellCompRequestCmd || arg == cobra.ShellCompNoDescRequestCmd {
			return true
		}
	}
	return false
}

// completeFlags offers the values of flags in a command and those below it.
func (a *app) completeFlags(command *cobra.Command) {
	command.LocalFlags().VisitAll(func(f *pflag.Flag) {
		switch words := f.Annotations[choices]; {
		case len(words) > 0:
			_ = command.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
		case f.Name == "scope", f.Name == "require-scope":
			_ = command.RegisterFlagCompletionFunc(f.Name, a.completeScope)
		case f.Name == "set":
			_ = command.RegisterFlagCompletionFunc(f.Name, a.completeSetting)
		case f.Name == "profile":
			_ = command.RegisterFlagCompletionFunc(f.Name, a.completeProfile)
		}
	})
	for _, below := range command.Commands() {
		a.completeFlags(below)
	}
}

// completeBeforeDash offers profiles, and files for what belongs to another program.
func (a *app) completeBeforeDash(
	command *cobra.Command, args []string, begun string,
) ([]string, cobra.ShellCompDirective) {
	if command.ArgsLenAtDash() >= 0 || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return a.completeProfile(command, args, begun)
}

// choose notes the words a flag takes.
func choose(flags *pflag.FlagSet, name string, words ...string) {
	_ = flags.SetAnnotation(name, choices, words)
}
