package term

import (
	"io"
	"slices"
	"strings"
)

const (
	gap = 2 // spaces between two columns
	// leastColumn is what a column keeps before the table becomes blocks: less is a
	// ribbon that nobody reads.
	leastColumn = 10
	// leastWidth is the narrowest terminal that is cared for.
	leastWidth = 20
)

// Table is a table for people: left-aligned columns, two spaces between them, no
// trailing space. Cells are plain text; colour is added after the padding.
type Table struct {
	Header []string
	Rows   [][]string
	// Width is how many columns a line may have, 0 for any number. In a table that
	// is wider, cells go on in their column on the next line; where that leaves
	// columns too narrow, each row becomes a block of lines "HEADER  value".
	// Widths below 20 count as 20.
	Width int
	// Plain leaves out the padding, for what is read by programs: two spaces stand between
	// two cells, whatever their length.
	Plain bool
	// Paint colours a cell that has been padded; nil paints nothing. Row -1 is
	// the header.
	Paint func(row, column int, cell string) string
}

// WriteTo writes the table; see io.WriterTo.
func (t Table) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	if widths, ok := t.widths(); ok {
		t.row(&b, widths, -1, t.Header)
		for i, row := range t.Rows {
			t.row(&b, widths, i, row)
		}
	} else {
		t.blocks(&b)
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

// widths returns the columns' widths; it is not ok when the table does not fit.
func (t Table) widths() (widths []int, ok bool) {
	widths = t.measure(displayWidth)
	room := t.room(len(widths))
	if t.Width == 0 || sum(widths) <= room {
		return widths, true
	}
	// Words stay whole if they can, then their parts.
	for _, ends := range []string{"", partEnds, breaks} {
		if shrink(widths, t.floor(widths, func(cell string) int { return longest(cell, ends) }), room) {
			return widths, true
		}
	}
	return widths, shrink(widths, t.floor(widths, func(string) int { return 0 }), room)
}

// floor returns what the columns keep at least.
func (t Table) floor(widths []int, of func(cell string) int) []int {
	floor := t.measure(of)
	for i := range floor {
		floor[i] = max(floor[i], min(widths[i], leastColumn))
	}
	return floor
}

// room is how much the columns may have together.
func (t Table) room(columns int) int { return max(t.Width, leastWidth) - gap*(columns-1) }

// measure returns the greatest measure of each column's cells.
func (t Table) measure(of func(cell string) int) []int {
	widths := make([]int, len(t.Header))
	for _, row := range append([][]string{t.Header}, t.Rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], of(cell))
		}
	}
	return widths
}

// shrink makes the columns fit into room and reports whether it could. A column that
// needs no more than its even share keeps its width, if the others can do without. They
// get their floor and, of what is left, the more the longer they are: so the widest give
// way first.
func shrink(widths, floor []int, room int) bool {
	return distribute(widths, floor, wideColumns(widths, room), room) ||
		distribute(widths, floor, slices.Repeat([]bool{true}, len(widths)), room)
}

// distribute gives room to the columns marked as wide; the others keep what they have.
func distribute(widths, floor []int, wide []bool, room int) bool {
	left, excess := room, 0
	for i, width := range widths {
		if !wide[i] {
			left -= width
			continue
		}
		left -= floor[i]
		excess += width - floor[i]
	}
	if left < 0 {
		return false
	}
	for i, width := range widths {
		if wide[i] && excess > 0 {
			more := left * (width - floor[i]) / excess
			excess -= width - floor[i]
			left -= more
			widths[i] = floor[i] + more
		}
	}
	return true
}

// wideColumns marks the columns that are wider than an even share of room, once those
// that are not have taken only what they need.
func wideColumns(widths []int, room int) []bool {
	wide, left, count := slices.Repeat([]bool{true}, len(widths)), room, len(widths)
	for again := true; again; {
		again = false
		for i, width := range widths {
			if wide[i] && width*count <= left {
				wide[i], again = false, true
				left, count = left-width, count-1
			}
		}
	}
	return wide
}

func sum(list []int) int {
	total := 0
	for _, n := range list {
		total += n
	}
	return total
}

// row writes a row in as many lines as its longest cell needs.
func (t Table) row(b *strings.Builder, widths []int, number int, cells []string) {
	wrapped, height := make([][]string, len(cells)), 1
	for i, cell := range cells {
		wrapped[i] = Wrap(cell, widths[i])
		height = max(height, len(wrapped[i]))
	}
	for line := range height {
		now := make([]string, len(cells))
		for i, lines := range wrapped {
			if line < len(lines) {
				now[i] = lines[line]
			}
		}
		t.line(b, widths, number, now)
	}
}

func (t Table) line(b *strings.Builder, widths []int, number int, cells []string) {
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
// and nothing for empty cells.
func (t Table) blocks(b *strings.Builder) {
	width, names := max(t.Width, leastWidth), 0
	for _, name := range t.Header {
		names = max(names, displayWidth(name))
	}
	names = min(names, width-gap-leastColumn/2) // the values keep some room
	for number, row := range t.Rows {
		if number > 0 {
			b.WriteByte('\n')
		}
		for i, cell := range row {
			if cell != "" {
				t.block(b, number, i, [2][]string{Wrap(t.Header[i], names), Wrap(cell, width-names-gap)}, names)
			}
		}
	}
}

// block writes one cell of a block; sides are the lines of its header and of its value.
func (t Table) block(b *strings.Builder, number, column int, sides [2][]string, names int) {
	for line := range max(len(sides[0]), len(sides[1])) {
		var now [2]string
		for i, side := range sides {
			if line < len(side) {
				now[i] = side[line]
			}
		}
		name := now[0]
		if now[1] != "" {
			name = pad(name, names+gap)
		}
		b.WriteString(t.painted(-1, column, name) + t.painted(number, column, now[1]) + "\n")
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
