package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/spf13/cobra"
)

func (a *app) token() *cobra.Command {
	return a.group("token", "Get tokens and see what is cached",
		a.named("token",
			made{"get", a.tokenGet}, made{"list", a.tokenList}, made{"inspect", a.tokenInspect},
			made{"introspect", a.tokenIntrospect}, made{"revoke", a.tokenRevoke},
		)...)
}

// tokenGetOptions are the flags of `token get`.
type tokenGetOptions struct {
	serviceFlags
	requireFlag
	output       outputFlag
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
		Args: arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.begin(&o.output); err != nil {
				return err
			}
			if o.githubOutput && !command.Flags().Changed("var") {
				o.variable = "token"
			}
			return a.runTokenGet(command.Context(), o, args)
		},
		ValidArgsFunction: a.completeProfile,
	}
	o.serviceFlags.bind(command.Flags())
	o.requireFlag.bind(command.Flags())
	o.output.bind(command.Flags(), tokenFormats()...)
	command.Flags().StringVar(&o.variable, "var", "AUTHCTL_TOKEN",
		"the `name` of the variable, in formats that set one")
	command.Flags().BoolVar(&o.githubOutput, "github-output", false,
		"-o github sets an output of the step, by default named token, and no variable")
	return command
}

func (a *app) runTokenGet(ctx context.Context, o *tokenGetOptions, args []string) error {
	if !variableName(o.variable) {
		return usagef("--var %q is not the name of a variable", o.variable)
	}
	if o.githubOutput && o.output.format != "github" {
		return usagef("--github-output goes with -o github only")
	}
	if err := o.requireFlag.check(); err != nil {
		return err
	}
	if slices.Contains(evaluated(), o.output.format) {
		// A signal is a failure too, of which the shell has to be told.
		ctx = a.watched(ctx)
	}
	s, err := a.open(&o.serviceFlags, args)
	if err != nil {
		return err
	}
	a.warnOfScopes(s.profile.Service, o.list(), "")
	if o.dryRun {
		return a.dryRun(ctx, s)
	}
	form, err := a.form(o)
	if err != nil {
		return err
	}
	answer, err := s.token(ctx)
	if err != nil {
		return err
	}
	if len(o.required) > 0 {
		known, _ := sides(s, answer)
		if err := o.require(s, answer, known); err != nil {
			return err
		}
	}
	if err := a.deliver(form, newPrinted(s, answer, a.Now())); err != nil {
		return err
	}
	// A runner has been told what to hide.
	a.tellOfScopes(s, answer)
	return nil
}

// dryRun prints the request that would be sent for a new token, and sends nothing.
func (a *app) dryRun(ctx context.Context, s *session) error {
	_, err := s.token(ctx)
	if err == nil {
		return errors.New("no request would be sent")
	}
	return a.dryRan(s, err)
}

// dryRan prints the requests that a dry run kept; any other error stays one.
func (a *app) dryRan(s *session, err error) error {
	if !errors.Is(err, oauth.ErrDryRun) {
		return err
	}
	var b strings.Builder
	identity := s.provider.Key()
	of := oauth.Fingerprints{ClientID: identity.ClientID, TokenURL: identity.TokenURL}
	for i, request := range s.dryRun.Requests(of) {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(request.Text)
		if strings.HasSuffix(request.URL.Path, "/.well-known/openid-configuration") {
			a.note("where the next request goes is in the answer to this one")
		}
	}
	return a.print(b.String())
}

// print writes an answer to stdout. A token that could not be written is a
// failure: a full disk must not look like success.
func (a *app) print(text string) error {
	if _, err := io.WriteString(a.Streams.Out, text); err != nil {
		return unwritten(err)
	}
	return nil
}

// printToken writes a token in its format to stdout, as it is.
func (a *app) printToken(text string) error {
	if _, err := io.WriteString(a.raw.Out, text); err != nil {
		return unwritten(err)
	}
	return nil
}

func unwritten(err error) error { return fmt.Errorf("writing the answer to stdout: %w", err) }

// variableName reports whether s can name a variable in every shell.
func variableName(s string) bool {
	for i, r := range s {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}
