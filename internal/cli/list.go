package cli

import (
	"encoding/json"
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
	return a.print(b.String())
}

// paint makes a table's header stand out where stdout has colour.
func (a *app) paint(table term.Table) term.Table {
	table.Paint = func(row, _ int, cell string) string {
		if row < 0 {
			return a.out.Strong(cell)
		}
		return cell
	}
	return table
}
