package cli

import (
	"github.com/authctl/authctl/internal/cli/scopes"
	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

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
			command.Args = verb.UnknownCommand
			command.RunE = func(command *cobra.Command, _ []string) error { return command.Help() }
			forBash, _, _ := command.Find([]string{"bash"})
			forBash.RunE = func(command *cobra.Command, _ []string) error {
				plain, _ := command.Flags().GetBool("no-descriptions")
				return WriteBashCompletion(root, a.UI.Raw.Out, !plain)
			}
		case "help":
			command.Args = func(_ *cobra.Command, args []string) error {
				found, rest, err := root.Find(args)
				if err != nil {
					return verb.Usagef("%w", err)
				}
				return verb.UnknownCommand(found, rest)
			}
		}
	}
	if a.Completing() {
		a.completeFlags(root)
	}
}

// completeFlags offers the values of flags in a command and those below it.
func (a *app) completeFlags(command *cobra.Command) {
	command.LocalFlags().VisitAll(func(f *pflag.Flag) {
		switch words := f.Annotations[verb.Choices]; {
		case len(words) > 0:
			_ = command.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
		case f.Name == "scope", f.Name == "require-scope":
			_ = command.RegisterFlagCompletionFunc(f.Name, scopes.Complete(a.Deps))
		case f.Name == "set":
			_ = command.RegisterFlagCompletionFunc(f.Name, scopes.CompleteSetting(a.Deps))
		case f.Name == "profile":
			_ = command.RegisterFlagCompletionFunc(f.Name, a.CompleteProfile)
		}
	})
	for _, below := range command.Commands() {
		a.completeFlags(below)
	}
}
