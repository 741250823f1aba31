package term

import "strings"

const (
	gap = 2 // spaces between two columns
	// leastWidth is the narrowest terminal that is cared for.
	leastWidth = 20
)

// Table is a table for people: left-aligned columns, two spaces between them, no
// trailing space. Cells are plain text; colour is added after the padding.
type Table struct {
	Header []string
	Rows   [][]string
	// Width is how many columns a line may have, 0 for any number. Of a table that is
	// wider, each row becomes a block of lines "HEADER  value". Widths below 20 count
	// as 20.
	Width int
	// Plain leaves out the padding, for what is read by programs: two spaces stand between
	// two cells, whatever their length.
	Plain bool
	// Paint colours a cell that has been padded; nil paints nothing. Row -1 is
	// the header.
	Paint func(row, column int, cell string) string
}

// String is the table, each line with its end.
func (t Table) String() string {
	var b strings.Builder
	if t.Fits() {
		widths := t.widths()
		t.row(&b, widths, -1, t.Header)
		for i, row := range t.Rows {
			t.row(&b, widths, i, row)
		}
	} else {
		t.blocks(&b)
	}
	return b.String()
}

// Fits reports whether no line of the table is wider than Width.
func (t Table) Fits() bool {
	total := -gap
	for _, width := range t.widths() {
		total += width + gap
	}
	return t.Width == 0 || total <= max(t.Width, leastWidth)
}

// widths are the columns' widths: those of their longest cells.
func (t Table) widths() []int {
	widths := make([]int, len(t.Header))
	for _, row := range append([][]string{t.Header}, t.Rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], displayWidth(cell))
		}
	}
	return widths
}

// row writes a row, without the empty cells at its end.
func (t Table) row(b *strings.Builder, widths []int, number int, cells []string) {
	last := len(cells) - 1
	for last > 0 && cells[last] == "" {
		last--
	}
	for i, cell := range cells[:last+1] {
		switch {
		case i < last && t.Plain:
			cell += strings.Repeat(" ", gap)
		case i < last:
			cell = pad(cell, widths[i]+gap)
		}
		b.WriteString(t.painted(number, i, cell))
	}
	b.WriteByte('\n')
}

// blocks writes each row as lines "HEADER  value", with an empty line between two rows
// and nothing for empty cells. A value goes on under its beginning.
func (t Table) blocks(b *strings.Builder) {
	width, names := max(t.Width, leastWidth), 0
	for _, name := range t.Header {
		names = max(names, displayWidth(name)+gap)
	}
	for number, row := range t.Rows {
		if number > 0 {
			b.WriteByte('\n')
		}
		for i, cell := range row {
			if cell == "" {
				continue
			}
			name := t.Header[i]
			for _, line := range Wrap(cell, max(width-names, 1)) {
				b.WriteString(t.painted(-1, i, pad(name, names)) + t.painted(number, i, line) + "\n")
				name = ""
			}
		}
	}
}

func pad(cell string, width int) string {
	return cell + strings.Repeat(" ", max(width-displayWidth(cell), 0))
}

func (t Table) painted(number, column int, cell string) string {
	if t.Paint == nil || cell == "" {
		return cell
	}
	return t.Paint(number, column, cell)
}
