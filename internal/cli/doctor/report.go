package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/term"
)

// The states of a check.
const (
	stateOK      = "ok"
	stateWarning = "warning"
	stateFailed  = "failed"
)

// check is a line of the report. It holds no secret.
type check struct {
	Section string `json:"section"`
	Name    string `json:"name"`
	Profile string `json:"profile"`
	State   string `json:"state"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
	// kind is that of the error a command would end with, for what failed.
	kind string
	// aside says that no command depends on it: it cannot fail, and is not counted.
	aside bool
}

// report is what was found.
type report struct {
	checks []check
	// section is that of the checks to come.
	section string
	// settings are those of the profile that is looked at, for hints.
	settings setting.Names
}

func (r *report) ok(c check) { r.note(stateOK, c) }

func (r *report) warn(c check) { r.note(stateWarning, c) }

func (r *report) note(state string, c check) {
	c.Section, c.State = r.section, state
	r.checks = append(r.checks, c)
}

// fail notes a check that found err. What it says beside the message is what a
// command that meets the error would say.
func (r *report) fail(c check, err error) {
	kind, hint := verb.Judge(err)
	c.kind, c.Message, c.Hint = cmp.Or(c.kind, kind), err.Error(), r.settings.In(cmp.Or(c.Hint, hint))
	r.note(stateFailed, c)
}

// verdict returns nil when nothing failed, else an error of the kind that has to
// be mended first: nothing works without a configuration, and without the network what
// is stored still does.
func (r *report) verdict() error {
	order := []string{"config", "store", "protocol", "temporary"}
	failed, made, worst := 0, 0, len(order)
	for _, c := range r.checks {
		if !c.aside {
			made++
		}
		if c.State != stateFailed {
			continue
		}
		failed++
		if i := slices.Index(order, c.kind); i >= 0 {
			worst = min(worst, i)
		}
	}
	if failed == 0 {
		return nil
	}
	return &verb.Error{
		Kind: append(order, "internal")[worst], Message: fmt.Sprintf("%d of %d checks failed", failed, made),
		Hint: "each check that failed says what to do",
	}
}

func (r *report) printJSON(ui *term.UI) error {
	return ui.JSON(struct {
		Checks []check `json:"checks"`
		OK     bool    `json:"ok"`
	}{r.checks, !slices.ContainsFunc(r.checks, func(c check) bool { return c.State == stateFailed })})
}

// print prints the checks, a section at a time.
func (r *report) print(ui *term.UI, online bool) error {
	var b strings.Builder
	section := ""
	for _, c := range r.checks {
		if c.Section != section {
			b.WriteString(ui.Out.Strong(c.Section) + "\n")
			section = c.Section
		}
		b.WriteString(c.text(ui))
	}
	if !online {
		b.WriteString(ui.Out.Faint("without --online neither the clock nor the services were looked at") + "\n")
	}
	return ui.Print(b.String())
}

// text is the check for people: its state, what it is about and what to do. Words stay
// whole, for a path is there to be copied: term.Wrap would break a long one.
func (c check) text(ui *term.UI) string {
	const indent, width = "  ", len(stateWarning) + 2
	paint := ui.Out.Faint
	switch c.State {
	case stateFailed:
		paint = ui.Out.Bad
	case stateWarning:
		paint = ui.Out.Notice
	}
	// Colour is added when the lines are broken, for it has no width.
	text := ui.Hang(fmt.Sprintf("%s%-*s", indent, width, c.State), c.line())
	text = indent + paint(c.State) + strings.TrimPrefix(text, indent+c.State)
	if c.Hint == "" {
		return text
	}
	for line := range strings.SplitSeq(c.Hint, "\n") {
		text += ui.Hang(fmt.Sprintf("%s%-*s%s ", indent, width, "", ui.Arrow()), line)
	}
	return text
}

// line is the check in one line: "profile calls, client_secret: from env:CALLS_SECRET".
// A message of the configuration's own names profile and setting already.
func (c check) line() string {
	switch {
	case c.Profile == "":
		return c.Name + ": " + c.Message
	case strings.Contains(c.Message, "profile "+c.Profile+": "):
		return c.Message
	case c.Name == "profile":
		return "profile " + c.Profile + ": " + c.Message
	}
	return "profile " + c.Profile + ", " + c.Name + ": " + c.Message
}
