package cli

import (
	"fmt"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
)

// printReport prints the checks: as JSON, or a section at a time.
func (a *app) printReport(output *verb.Output, checks []check, online bool) error {
	if output.JSON() {
		ok := true
		for _, c := range checks {
			ok = ok && c.State != stateFailed
		}
		return a.UI.JSON(struct {
			Checks []check `json:"checks"`
			OK     bool    `json:"ok"`
		}{checks, ok})
	}
	var b strings.Builder
	section := ""
	for _, c := range checks {
		if c.Section != section {
			b.WriteString(a.UI.Out.Strong(c.Section) + "\n")
			section = c.Section
		}
		a.printCheck(&b, c)
	}
	if !online {
		b.WriteString(a.UI.Out.Faint("without --online neither the clock nor the services were looked at") + "\n")
	}
	return a.UI.Print(b.String())
}

// printCheck prints one check: its state, what it is about and what to do. Words stay
// whole, for a path is there to be copied: term.Wrap would break a long one.
func (a *app) printCheck(b *strings.Builder, c check) {
	const indent, width = "  ", len(stateWarning) + 2
	paint := a.UI.Out.Faint
	switch c.State {
	case stateFailed:
		paint = a.UI.Out.Bad
	case stateWarning:
		paint = a.UI.Out.Notice
	}
	// Colour is added when the lines are broken, for it has no width.
	text := a.UI.Hang(fmt.Sprintf("%s%-*s", indent, width, c.State), c.line())
	b.WriteString(indent + paint(c.State) + strings.TrimPrefix(text, indent+c.State))
	if c.Hint == "" {
		return
	}
	for line := range strings.SplitSeq(c.Hint, "\n") {
		b.WriteString(a.UI.Hang(fmt.Sprintf("%s%-*s→ ", indent, width, ""), line))
	}
}

// line is the check in one line: "profile calls, client_secret: from env:CALLS_SECRET".
// A message of the configuration's own names profile and setting already.
func (c check) line() string {
	about := c.Name
	if c.Profile != "" {
		about = "profile " + c.Profile + ", " + c.Name
		if c.Name == "profile" {
			about = "profile " + c.Profile
		}
	}
	if c.Profile != "" && strings.Contains(c.Message, "profile "+c.Profile+": ") {
		return c.Message
	}
	return about + ": " + c.Message
}
