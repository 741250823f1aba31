package scopes

import (
	"cmp"
	"slices"

	"github.com/authctl/authctl/internal/term"
)

// column is one of a table whose rows are R. It is left out where it has nothing to say.
type column[R any] struct {
	name string
	text func(R) string
	// blank stands where text is empty, in a column that is shown.
	blank string
	// always shows the column in any case.
	always bool
}

// tableOf makes a table of those columns that say something.
func tableOf[R any](rows []R, columns []column[R]) term.Table {
	table := term.Table{Rows: make([][]string, len(rows))}
	for _, c := range columns {
		if !c.always && !slices.ContainsFunc(rows, func(r R) bool { return c.text(r) != "" }) {
			continue
		}
		table.Header = append(table.Header, c.name)
		for i, r := range rows {
			table.Rows[i] = append(table.Rows[i], cmp.Or(c.text(r), c.blank))
		}
	}
	return table
}
