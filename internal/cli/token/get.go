// Package token has the commands that get a token, show what is cached and take it back.
package token

import (
	"context"
	"slices"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/cli/verb/formats"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Command makes `token` with its commands.
func Command(d *verb.Deps) *cobra.Command {
	return d.Group("token", "Get tokens and see what is cached",
		verb.Made{Name: "get", Make: newGet},
		verb.Made{Name: "list", Make: newList},
		verb.Made{Name: "inspect", Make: newInspect},
		verb.Made{Name: "introspect", Make: newIntrospect},
		verb.Made{Name: "revoke", Make: newRevoke},
	)
}

// get is `token get`.
type get struct {
	*verb.Deps
	service      verb.Service
	require      verb.Require
	output       verb.Output
	variable     string
	githubOutput bool
	// flags tell whether --var was given.
	flags *pflag.FlagSet
}

func newGet(d *verb.Deps) *cobra.Command {
	g := &get{Deps: d}
	return d.Command(cobra.Command{
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
	}, verb.Flags{Service: &g.service, Output: &g.output, Formats: formats.Names(), Own: g.bind}, g.run)
}

func (g *get) bind(flags *pflag.FlagSet) {
	g.flags = flags
	g.require.Bind(flags)
	flags.StringVar(&g.variable, "var", "AUTHCTL_TOKEN", "the `name` of the variable, in formats that set one")
	flags.BoolVar(&g.githubOutput, "github-output", false,
		"-o github sets an output of the step, by default named token, and no variable")
}

// check looks at what the flags say together.
func (g *get) check() error {
	if g.githubOutput && !g.flags.Changed("var") {
		g.variable = "token"
	}
	if err := verb.CheckVariable("--var", g.variable); err != nil {
		return err
	}
	if g.githubOutput && g.output.Format != "github" {
		return verb.Usagef("--github-output goes with -o github only")
	}
	return g.require.Check()
}

func (g *get) run(ctx context.Context, args []string) error {
	if err := g.check(); err != nil {
		return err
	}
	if slices.Contains(formats.Evaluated(), g.output.Format) {
		// A signal is a failure too, of which the shell has to be told.
		ctx = g.Watched(ctx)
	}
	c, err := g.Open(&g.service, args)
	if err != nil {
		return err
	}
	g.WarnOfScopes(c.Profile.Service, g.require.List(), "")
	if g.service.DryRun {
		return g.DryRun(ctx, c)
	}
	form, err := formats.Prepare(g.Deps, g.output.Format, g.variable, g.githubOutput)
	if err != nil {
		return err
	}
	answer, err := c.Token(ctx)
	if err != nil {
		return err
	}
	if len(g.require.Required) > 0 {
		known, _ := verb.Sides(c, answer)
		if err := g.require.Demand(g.Deps, c, answer, known); err != nil {
			return err
		}
	}
	if err := form.Deliver(g.Deps, formats.New(c, answer, g.Now())); err != nil {
		return err
	}
	// A runner has been told what to hide.
	g.TellOfScopes(c, answer)
	return nil
}
