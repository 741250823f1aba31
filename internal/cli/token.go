package cli

import (
	"context"
	"slices"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/cli/verb/formats"
	"github.com/spf13/cobra"
)

func (a *app) token() *cobra.Command {
	return a.Group("token", "Get tokens and see what is cached",
		verb.Made{Name: "get", Make: made(a.tokenGet)}, verb.Made{Name: "list", Make: made(a.tokenList)}, verb.Made{Name: "inspect", Make: made(a.tokenInspect)},
		verb.Made{Name: "introspect", Make: made(a.tokenIntrospect)}, verb.Made{Name: "revoke", Make: made(a.tokenRevoke)},
	)
}

// tokenGetOptions are the flags of `token get`.
type tokenGetOptions struct {
	verb.Service
	verb.Require
	output       verb.Output
	variable     string
	githubOutput bool
}

func (a *app) tokenGet() *cobra.Command {
	o := &tokenGetOptions{}
	command := &cobra.Command{
		Use:   "get [PROFILE]",
		Short: "Print a valid access token",
		Long: `Print a valid access token on stdout and nothing else: from the cache while it is
fresh, else refreshed or newly issued. Processes that ask for the same token at the
same time cause one request, unless the store is memory.

Formats: raw is the token alone. header and curl (for curl -K -) carry it to a
service, exec-credential to Kubernetes. env, fish and powershell are for a shell to
evaluate: when there is no token they unset the variables and fail, so that the shell
does not go on with an earlier one. dotenv is a file of NAME=value lines. github hides the token in the job's
log and hands it to the steps that follow (to ${{ steps.ID.outputs.token }} with
--github-output); azure-pipelines makes it a secret variable; gitlab is a dotenv
report for the jobs that follow, which GitLab does not hide.`,
		Example: `  TOKEN=$(authctl token get calls) || exit
  authctl token get booking -o json
  eval "$(authctl token get calls -o env)"
  authctl token get calls -o fish | source
  authctl token get calls -o powershell | Out-String | Invoke-Expression
  authctl token get calls -o curl | curl -K - "$URL"
  authctl token get calls -o github
  authctl token get engage --dry-run`,
		Args: verb.Arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.Begin(&o.output); err != nil {
				return err
			}
			if o.githubOutput && !command.Flags().Changed("var") {
				o.variable = "token"
			}
			return a.runTokenGet(command.Context(), o, args)
		},
		ValidArgsFunction: a.CompleteProfile,
	}
	o.Service.Bind(command.Flags())
	o.Require.Bind(command.Flags())
	o.output.Bind(command.Flags(), formats.Names()...)
	command.Flags().StringVar(&o.variable, "var", "AUTHCTL_TOKEN",
		"the `name` of the variable, in formats that set one")
	command.Flags().BoolVar(&o.githubOutput, "github-output", false,
		"-o github sets an output of the step, by default named token, and no variable")
	return command
}

func (a *app) runTokenGet(ctx context.Context, o *tokenGetOptions, args []string) error {
	if !verb.VariableName(o.variable) {
		return verb.Usagef("--var %q is not the name of a variable", o.variable)
	}
	if o.githubOutput && o.output.Format != "github" {
		return verb.Usagef("--github-output goes with -o github only")
	}
	if err := o.Require.Check(); err != nil {
		return err
	}
	if slices.Contains(formats.Evaluated(), o.output.Format) {
		// A signal is a failure too, of which the shell has to be told.
		ctx = a.Watched(ctx)
	}
	s, err := a.Open(&o.Service, args)
	if err != nil {
		return err
	}
	a.WarnOfScopes(s.Profile.Service, o.Require.List(), "")
	if o.DryRun {
		return a.DryRun(ctx, s)
	}
	form, err := formats.Prepare(a.Deps, o.output.Format, o.variable, o.githubOutput)
	if err != nil {
		return err
	}
	answer, err := s.Token(ctx)
	if err != nil {
		return err
	}
	if len(o.Required) > 0 {
		known, _ := verb.Sides(s, answer)
		if err := a.Require(&o.Require, s, answer, known); err != nil {
			return err
		}
	}
	if err := form.Deliver(a.Deps, formats.New(s, answer, a.Now())); err != nil {
		return err
	}
	// A runner has been told what to hide.
	a.TellOfScopes(s, answer)
	return nil
}
