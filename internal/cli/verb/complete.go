package verb

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Choices is the annotation of a flag that takes one of a few words.
const Choices = "authctl_choices"

// Choose notes the words a flag takes.
func Choose(flags *pflag.FlagSet, name string, words ...string) {
	_ = flags.SetAnnotation(name, Choices, words)
}

// CompleteProfile offers the names of the profiles, offline and from the file alone.
func (d *Deps) CompleteProfile(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return d.ProfileNames(), cobra.ShellCompDirectiveNoFileComp
}

// CompleteBeforeDash offers profiles, and files for what belongs to another program.
func (d *Deps) CompleteBeforeDash(
	command *cobra.Command, args []string, begun string,
) ([]string, cobra.ShellCompDirective) {
	if command.ArgsLenAtDash() >= 0 || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return d.CompleteProfile(command, args, begun)
}
