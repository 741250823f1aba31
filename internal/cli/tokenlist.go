package cli

import (
	"context"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

// shownToken is a token in `token list -o json`: never a secret.
type shownToken struct {
	Profile  string `json:"profile"`
	Provider string `json:"provider"`
	// Account and Environment are the profile's; Environment is the host of base_url, else
	// the environment or region. Either may be empty.
	Account     string   `json:"account"`
	Environment string   `json:"environment"`
	ClientID    string   `json:"client_id"`
	TokenURL    string   `json:"token_url"`
	Grant       string   `json:"grant"`
	Scopes      []string `json:"scopes"`
	// ExpiresAt is RFC 3339 in UTC, ExpiresOn epoch seconds, ExpiresIn the seconds
	// left; all are null for a login whose token came without a lifetime.
	ExpiresAt   *string `json:"expires_at"`
	ExpiresOn   *int64  `json:"expires_on"`
	ExpiresIn   *int64  `json:"expires_in"`
	Refreshable bool    `json:"refreshable"`
	Store       string  `json:"store"`
}

func (a *app) tokenList() *cobra.Command {
	output, kept := &verb.Output{}, &verb.Store{}
	command := &cobra.Command{
		Use:   "list",
		Short: "List what is cached, never a secret",
		Args:  verb.Arguments(0, 0, ""),
		RunE: func(command *cobra.Command, _ []string) error {
			if err := a.Begin(output); err != nil {
				return err
			}
			return a.runTokenList(command.Context(), output, kept)
		},
	}
	kept.Bind(command.Flags())
	output.Bind(command.Flags(), "table", "json")
	return command
}

func (a *app) runTokenList(ctx context.Context, output *verb.Output, kept *verb.Store) error {
	setup, chosen, err := a.Store(kept)
	if err != nil {
		return err
	}
	entries, err := setup.Listed(ctx, chosen)
	if err != nil {
		return err
	}
	now := a.Now()
	list := []shownToken{}
	table := term.Table{
		Header: []string{"PROFILE", "PROVIDER", "ACCOUNT", "ENVIRONMENT", "SCOPES", "EXPIRES", "STORE"},
		// One token with 31 scopes would make every line as long, for programs too.
		Plain: !a.UI.OutTerminal,
	}
	for _, e := range entries {
		list = append(list, newShownToken(e, now))
		table.Rows = append(table.Rows, []string{
			e.Profile, e.Key.Provider, e.Account, e.Environment, strings.Join(scopesOf(e), " "), moment.Left(e.Expiry, now), e.Store,
		})
	}
	return a.List(output, "tokens", list, table)
}

func newShownToken(e store.Entry, now time.Time) shownToken {
	shown := shownToken{
		Profile: e.Profile, Provider: e.Key.Provider, Account: e.Account, Environment: e.Environment,
		ClientID: e.Key.ClientID, TokenURL: e.Key.TokenURL,
		Grant: string(e.Key.Grant), Scopes: scopesOf(e),
		Refreshable: e.Refreshable, Store: e.Store,
	}
	shown.ExpiresAt, shown.ExpiresOn, shown.ExpiresIn = moment.Fields(e.Expiry, now)
	return shown
}

// scopesOf returns what was granted or, where the service did not say, what was
// asked for (RFC 6749 §5.1).
func scopesOf(e store.Entry) []string {
	if e.Scope != nil {
		return e.Scope
	}
	return append([]string{}, e.Key.Scopes...)
}
