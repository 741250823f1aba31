package scopes

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/authctl/authctl/internal/broker"
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

func (c *check) show() error {
	if c.output.JSON() {
		return c.showJSON()
	}
	var b strings.Builder
	p := c.client.Profile
	fmt.Fprintf(&b, "%s %s: %s, client %s, token %s\n", c.UI.Out.Strong("profile"), p.Name, p.Service.Title,
		p.Settings.Text("client_id"), origin(c.answer.Source))
	if len(c.rows) > 0 {
		b.WriteString(c.UI.Fit(c.table()).String())
	}
	c.writeVerdict(&b)
	return c.UI.Print(b.String())
}

func (c *check) showJSON() error {
	list, missing := []checkedScope{}, []string{}
	for _, r := range c.rows {
		list = append(list, checkedScope{Row: r, Access: r.Known.Access, API: r.Known.API, About: r.Known.About})
		if r.Missing {
			missing = append(missing, r.Name)
		}
	}
	p := c.client.Profile
	return c.UI.JSON(map[string]any{
		"profile": p.Name, "provider": p.Service.Name, "client_id": p.Settings.Text("client_id"),
		"source": c.answer.Source, "active": c.active, "scopes": list, "missing": missing, "extra": c.extra(),
		"roles": append([]string{}, c.roles...), "fix": c.remedy(),
	})
}

// remedy is what -o json says to do: to the profile, else about each scope that is missing.
// It is empty when nothing is.
func (c *check) remedy() string {
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
func (c *check) table() term.Table {
	side := func(name string, of func(scopes.Row) scopes.Presence) column[scopes.Row] {
		text := func(r scopes.Row) string {
			return map[scopes.Presence]string{scopes.No: "no", scopes.Yes: "yes"}[of(r)]
		}
		return column[scopes.Row]{name: name, text: text, blank: "?"}
	}
	yesOrNo := map[bool]scopes.Presence{true: scopes.Yes, false: scopes.No}
	return tableOf(c.rows, []column[scopes.Row]{
		{name: "SCOPE", text: func(r scopes.Row) string { return r.Name }},
		side("CONFIG", func(r scopes.Row) scopes.Presence { return yesOrNo[r.Configured] }),
		side("ASKED", func(r scopes.Row) scopes.Presence { return yesOrNo[r.Requested] }),
		side("GRANTED", func(r scopes.Row) scopes.Presence { return r.Granted }),
		side("TOKEN", func(r scopes.Row) scopes.Presence { return r.InToken }),
		side("INTROSPECT", func(r scopes.Row) scopes.Presence { return r.Introspected }),
		{name: "RESULT", text: result, always: true},
	})
}

// origin says where a token came from.
func origin(source broker.Source) string {
	if source == broker.SourceCache {
		return "from the cache"
	}
	return "just " + string(source)
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
func (c *check) writeVerdict(b *strings.Builder) {
	missing := c.missing()
	b.WriteString("\n")
	for _, r := range missing {
		text := cmp.Or(scopes.OpensInFull(r.Known), "nobody here knows what it opens")
		b.WriteString(c.UI.Beside(r.Name+" is missing: ", text))
		for _, step := range c.steps(r) {
			b.WriteString(c.UI.Step(step))
		}
	}
	switch {
	case len(c.rows) == 0:
		b.WriteString("nobody says which scopes the token has, and none were asked for\n")
	case len(missing) == 0:
		b.WriteString("nothing is missing\n")
	}
	if extra := c.extra(); len(extra) > 0 {
		b.WriteString(c.UI.Beside("came unasked, which is no mistake: ", strings.Join(extra, ", ")))
	}
	if len(c.roles) > 0 {
		b.WriteString(c.UI.Beside("roles in the token: ", strings.Join(c.roles, ", ")))
	}
	if fix := c.fix(); fix != "" {
		b.WriteString(c.UI.Beside("better: ", fix))
	}
}
