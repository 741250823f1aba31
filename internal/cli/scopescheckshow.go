package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/term"
)

// checkedScope is a scope in `scopes check -o json`.
type checkedScope struct {
	scopes.Row
	Access string `json:"access"`
	API    string `json:"api"`
	About  string `json:"about"`
}

func (a *app) showCheck(output *verb.Output, c *scopesCheck) error {
	if output.JSON() {
		return a.checkJSON(c)
	}
	var b strings.Builder
	p := c.session.Profile
	fmt.Fprintf(&b, "%s %s: %s, client %s, token %s\n", a.UI.Out.Strong("profile"), p.Name, p.Service.Title,
		p.Settings.Text("client_id"), origin(c.answer.Source))
	if len(c.rows) > 0 {
		if _, err := a.UI.Fit(c.table()).WriteTo(&b); err != nil {
			return err
		}
	}
	a.writeVerdict(&b, c)
	return a.UI.Print(b.String())
}

func (a *app) checkJSON(c *scopesCheck) error {
	list, missing := []checkedScope{}, []string{}
	for _, r := range c.rows {
		list = append(list, checkedScope{Row: r, Access: r.Known.Access, API: r.Known.API, About: r.Known.About})
		if r.Missing {
			missing = append(missing, r.Name)
		}
	}
	p := c.session.Profile
	return a.UI.JSON(map[string]any{
		"profile": p.Name, "provider": p.Service.Name, "client_id": p.Settings.Text("client_id"),
		"source": c.answer.Source, "active": c.active, "scopes": list, "missing": missing, "extra": c.extra(),
		"roles": append([]string{}, c.roles...), "fix": c.remedy(),
	})
}

// remedy is what -o json says to do: to the profile, else about each scope that is missing.
// It is empty when nothing is.
func (c *scopesCheck) remedy() string {
	fix := c.fix()
	if fix != "" {
		return fix
	}
	var steps []string
	for _, r := range c.missing() {
		steps = append(steps, r.Name+": "+strings.Join(c.steps(r), "; "))
	}
	return strings.Join(steps, "; ")
}

// table has the columns that say something: an opaque token says nothing itself, and
// few services can be asked.
func (c *scopesCheck) table() term.Table {
	yes := func(on bool) scopes.Presence {
		if on {
			return scopes.Yes
		}
		return scopes.No
	}
	columns := []struct {
		name string
		side func(scopes.Row) scopes.Presence
	}{
		{"CONFIG", func(r scopes.Row) scopes.Presence { return yes(r.Configured) }},
		{"ASKED", func(r scopes.Row) scopes.Presence { return yes(r.Requested) }},
		{"GRANTED", func(r scopes.Row) scopes.Presence { return r.Granted }},
		{"TOKEN", func(r scopes.Row) scopes.Presence { return r.InToken }},
		{"INTROSPECT", func(r scopes.Row) scopes.Presence { return r.Introspected }},
	}
	table := term.Table{Header: []string{"SCOPE"}, Rows: make([][]string, len(c.rows))}
	for i, r := range c.rows {
		table.Rows[i] = []string{r.Name}
	}
	for _, column := range columns {
		silent := func(r scopes.Row) bool { return column.side(r) == scopes.NotKnown }
		if !slices.ContainsFunc(c.rows, func(r scopes.Row) bool { return !silent(r) }) {
			continue
		}
		table.Header = append(table.Header, column.name)
		for i, r := range c.rows {
			table.Rows[i] = append(table.Rows[i], word(column.side(r)))
		}
	}
	table.Header = append(table.Header, "RESULT")
	for i, r := range c.rows {
		table.Rows[i] = append(table.Rows[i], result(r))
	}
	return table
}

// origin says where a token came from.
func origin(source broker.Source) string {
	if source == broker.SourceCache {
		return "from the cache"
	}
	return "just " + string(source)
}

func word(p scopes.Presence) string {
	if p == scopes.NotKnown {
		return "?"
	}
	return p.String()
}

func result(r scopes.Row) string {
	switch {
	case r.Missing:
		return "missing"
	case r.Extra:
		return "extra"
	case r.InEffect() == scopes.Yes:
		return "ok"
	}
	return ""
}

// writeVerdict says below the table what is wrong and what to do.
func (a *app) writeVerdict(b *strings.Builder, c *scopesCheck) {
	missing := c.missing()
	b.WriteString("\n")
	for _, r := range missing {
		text := cmp.Or(scopes.OpensInFull(r.Known), "nobody here knows what it opens")
		b.WriteString(a.UI.Beside(r.Name+" is missing: ", text))
		for _, step := range c.steps(r) {
			b.WriteString(a.UI.Step(step))
		}
	}
	switch {
	case len(c.rows) == 0:
		b.WriteString("nobody says which scopes the token has, and none were asked for\n")
	case len(missing) == 0:
		b.WriteString("nothing is missing\n")
	}
	if extra := c.extra(); len(extra) > 0 {
		b.WriteString(a.UI.Beside("came unasked, which is no mistake: ", strings.Join(extra, ", ")))
	}
	if len(c.roles) > 0 {
		b.WriteString(a.UI.Beside("roles in the token: ", strings.Join(c.roles, ", ")))
	}
	if fix := c.fix(); fix != "" {
		b.WriteString(a.UI.Beside("better: ", fix))
	}
}
