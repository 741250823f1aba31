package token

import (
	"context"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

// shown is a token in `token list -o json`: never a secret.
type shown struct {
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
	ExpiresAt *string `json:"expires_at"`
	ExpiresOn *int64  `json:"expires_on"`
	ExpiresIn *int64  `json:"expires_in"`
	// LifetimeAssumed says that they follow from the profile's lifetime; left out when not.
	LifetimeAssumed bool   `json:"lifetime_assumed,omitempty"`
	Refreshable     bool   `json:"refreshable"`
	Store           string `json:"store"`
}

// list is `token list`.
type list struct {
	*verb.Deps
	store  verb.Store
	output verb.Output
}

func newList(d *verb.Deps) *cobra.Command {
	l := &list{Deps: d}
	return d.Command(cobra.Command{
		Use:   "list",
		Short: "List what is cached, never a secret",
	}, verb.Flags{Store: &l.store, Output: &l.output, Formats: []string{"table", "json"}}, l.run)
}

func (l *list) run(ctx context.Context, _ []string) error {
	_, chosen, err := l.Store(&l.store)
	if err != nil {
		return err
	}
	entries, err := client.Listed(ctx, chosen)
	if err != nil {
		return err
	}
	now, items := l.Now(), []shown{}
	table := term.Table{
		Header: []string{"PROFILE", "PROVIDER", "ACCOUNT", "ENVIRONMENT", "SCOPES", "EXPIRES", "STORE"},
		// One token with 31 scopes would make every line as long, for programs too.
		Plain: !l.UI.OutTerminal,
	}
	for _, e := range entries {
		s, left := showing(e, now), moment.Left(e.Expiry, now)
		if s.LifetimeAssumed {
			left += " (assumed)"
		}
		items = append(items, s)
		table.Rows = append(table.Rows, []string{
			s.Profile, s.Provider, s.Account, s.Environment, strings.Join(s.Scopes, " "), left, s.Store,
		})
	}
	return l.List(&l.output, "tokens", items, table)
}

// showing is an entry as it is shown.
func showing(e store.Entry, now time.Time) shown {
	s := shown{
		Profile: e.Profile, Provider: e.Key.Provider, Account: e.Account, Environment: e.Environment,
		ClientID: e.Key.ClientID, TokenURL: e.Key.TokenURL,
		Grant: string(e.Key.Grant), Scopes: e.Scopes(),
		LifetimeAssumed: e.LifetimeAssumed, Refreshable: e.Refreshable, Store: e.Store,
	}
	s.ExpiresAt, s.ExpiresOn, s.ExpiresIn = moment.Fields(e.Expiry, now)
	return s
}
