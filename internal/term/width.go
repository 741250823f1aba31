package term

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// partEnds end the parts of a long word: of an address, a scope, a list.
	partEnds = ":/,&="
	// breaks are all after which a word may be broken.
	breaks = partEnds + "-._"
)

// displayWidth is how many columns of a terminal a text takes. Colours take none.
func displayWidth(s string) int {
	width, colour := 0, false
	for _, r := range s {
		switch {
		case r == '\x1b':
			colour = true
		case colour:
			colour = r != 'm'
		default:
			width += runeWidth(r)
		}
	}
	return width
}

// runeWidth is none for what is put on top of the rune before, two for the wide
// scripts and pictures (Unicode Standard Annex #11, classes W and F, in blocks), and
// one for everything else.
func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case isWide(r):
		return 2
	}
	return 1
}

func isWide(r rune) bool {
	switch {
	case r < 0x1100:
	case r <= 0x115F, // Hangul Jamo
		0x2E80 <= r && r <= 0xA4CF && r != 0x303F, // CJK to Yi
		0xAC00 <= r && r <= 0xD7A3,                // Hangul
		0xF900 <= r && r <= 0xFAFF,                // CJK compatibility
		0xFE30 <= r && r <= 0xFE6F,
		0xFF00 <= r && r <= 0xFF60, // full-width forms
		0xFFE0 <= r && r <= 0xFFE6,
		0x1F300 <= r && r <= 0x1F64F, // pictures
		0x1F680 <= r && r <= 0x1F6FF,
		0x1F900 <= r && r <= 0x1F9FF,
		0x20000 <= r && r <= 0x3FFFD: // CJK extensions
		return true
	}
	return false
}

// Wrap breaks a text into lines of at most width columns: at spaces, within a word that
// is longer than a line after one of ":/,&=-._", and where there is none anywhere.
// Nothing but spaces is left out. A width below one leaves the text whole.
func Wrap(text string, width int) []string {
	if width < 1 || displayWidth(text) <= width {
		return []string{text}
	}
	return fill(text, width, "", "", false)
}

// Hang returns a text behind a head, in lines of at most width columns; the second and
// later ones begin below the text, or after four blanks where the head is short. Words
// stay whole, for a path is there to be copied.
func Hang(head, text string, width int) string {
	indent := strings.Repeat(" ", max(displayWidth(head), 4))
	return strings.Join(fill(text, width, head, indent, true), "\n") + "\n"
}

// fill breaks a text at spaces into lines of at most width columns, the first after one
// indentation and the others after another. A word that is longer than a line is whole, or
// broken where breakAt says.
func fill(text string, width int, first, others string, whole bool) []string {
	var lines []string
	line, used, empty := first, displayWidth(first), true
	next := func() {
		lines = append(lines, line)
		line, used, empty = others, displayWidth(others), true
	}
	for word := range strings.FieldsSeq(text) {
		size := displayWidth(word)
		if !empty && used+1+size <= width {
			line, used = line+" "+word, used+1+size
			continue
		}
		if !empty {
			next()
		}
		for !whole && used+size > width && word != "" {
			at := breakAt(word, width-used)
			line, size, word = line+word[:at], size-displayWidth(word[:at]), word[at:]
			next()
		}
		if whole && used+size > width && strings.TrimLeft(line, " ") == "" {
			// Rather to the left than too long.
			line = strings.Repeat(" ", max(0, width-size))
			used = len(line)
		}
		line, used, empty = line+word, used+size, word == ""
	}
	if !empty || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}

// breakAt returns how many bytes of a word too long for a line go onto it, at least one
// rune: up to the last break between parts if that leaves no more than half of the line
// empty, else up to the last one at all.
func breakAt(word string, width int) int {
	used, between, within := 0, 0, 0
	for i, r := range word {
		size := runeWidth(r)
		if used+size > width && i > 0 {
			return cmp.Or(between, within, i)
		}
		used += size
		end := i + utf8.RuneLen(r)
		switch {
		case strings.ContainsRune(partEnds, r) && 2*used >= width:
			between, within = end, end
		case strings.ContainsRune(breaks, r):
			within = end
		}
	}
	return len(word)
}

// longest returns the width of the longest word of a text.
func longest(text string) int {
	widest := 0
	for word := range strings.FieldsSeq(text) {
		widest = max(widest, displayWidth(word))
	}
	return widest
}
