package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/authctl/authctl/internal/term"
)

// list prints a listing: as a table or, with -o json, under a fixed key.
func (a *app) list(output *outputFlag, key string, items any, table term.Table) error {
	if output.json() {
		return a.json(map[string]any{key: items})
	}
	var b strings.Builder
	if _, err := a.paint(table).WriteTo(&b); err != nil {
		return err
	}
	return a.print(b.String())
}

// json prints one JSON value and a newline.
func (a *app) json(value any) error {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	return a.print(jsonText(strings.TrimSuffix(b.String(), "\n")) + "\n")
}

// paint makes a table fit for stdout: its header stands out where there is colour, and
// its lines are not wider than a terminal.
func (a *app) paint(table term.Table) term.Table {
	table.Width = a.width()
	table.Paint = func(row, _ int, cell string) string {
		if row < 0 {
			return a.out.Strong(cell)
		}
		return cell
	}
	return table
}

// beside returns text after a label, which lines that are too long for the terminal go
// on under the beginning of.
func (a *app) beside(label, text string) string {
	lines := []string{text}
	if width := a.width(); width > 0 {
		lines = term.Wrap(text, max(width-len(label), len(label)))
	}
	return a.out.Strong(label) + strings.Join(lines, "\n"+strings.Repeat(" ", len(label))) + "\n"
}

// hang is a text behind a head, broken at the terminal's width, or at 80 columns where
// there is none.
func (a *app) hang(head, text string) string { return term.Hang(head, text, cmp.Or(a.width(), 80)) }

// width is that of the terminal at stdout, 0 for none.
func (a *app) width() int { return a.Streams.Width(a.LookupEnv) }

// lines are words, each on a line.
func lines(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, "\n") + "\n"
}

// counted is a number with its noun: "1 request", "2 requests".
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// step is one thing to do. A command gets a line of its own and is not broken, to be
// copied.
func (a *app) step(text string) string {
	before, command, found := strings.Cut(text, ": authctl ")
	if !found {
		return a.beside("- ", text)
	}
	return a.beside("- ", before+":") + "    authctl " + command + "\n"
}
