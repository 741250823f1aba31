package term

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Table is a table for people: left-aligned columns, two spaces between them, no
// trailing space. Cells are plain text; colour is added after the padding.
type Table struct {
	Header []string
	Rows   [][]string
	// Paint colours a cell that has been padded; nil paints nothing. Row -1 is
	// the header.
	Paint func(row, column int, cell string) string
}

// WriteTo writes the table; see io.WriterTo.
func (t Table) WriteTo(w io.Writer) (int64, error) {
	widths := t.widths()
	var b strings.Builder
	t.row(&b, widths, -1, t.Header)
	for i, row := range t.Rows {
		t.row(&b, widths, i, row)
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

func (t Table) widths() []int {
	widths := make([]int, len(t.Header))
	for _, row := range append([][]string{t.Header}, t.Rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

func (t Table) row(b *strings.Builder, widths []int, number int, cells []string) {
	last := len(cells) - 1
	for last > 0 && cells[last] == "" {
		last--
	}
	for i, cell := range cells[:last+1] {
		if i < last {
			cell += strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2)
		}
		if t.Paint != nil {
			cell = t.Paint(number, i, cell)
		}
		b.WriteString(cell)
	}
	b.WriteByte('\n')
}
