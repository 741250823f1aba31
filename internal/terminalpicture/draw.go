package main

import (
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The picture's measures in pixels.
const (
	cell   = 7.83 // the width of a character of a 13 px monospaced font
	pitch  = 18   // from line to line
	margin = 20
	bar    = 34 // the window's title bar
)

// look is the style sheet: a dark window with a palette that stands out on it.
const look = `<style>
.w{fill:#161b22}.b{fill:#21262d}.t{fill:#8b949e;font:12px ui-sans-serif,system-ui,sans-serif;text-anchor:middle}
.l{fill:#d0d7de;font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}
.s{font-weight:bold;fill:#fff}.f{fill:#8b949e}
.c0{fill:#6e7681}.c1{fill:#ff7b72}.c2{fill:#7ee787}.c3{fill:#e3b341}
.c4{fill:#79c0ff}.c5{fill:#d2a8ff}.c6{fill:#76e3ea}.c7{fill:#f0f6fc}
</style>
`

// draw returns the picture of a window that shows lines.
func draw(title string, lines [][]span) string {
	var w strings.Builder
	width, height := int(float64(columns(lines))*cell)+2*margin, bar+len(lines)*pitch+2*margin
	fmt.Fprintf(&w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`+"\n",
		width, height, width, height)
	fmt.Fprintf(&w, "<title>%s</title>\n%s", escaped(title), look)
	fmt.Fprintf(&w, `<rect class="w" width="%d" height="%d" rx="8"/>`+"\n", width, height)
	fmt.Fprintf(&w, `<path class="b" d="M0 %d V8 Q0 0 8 0 H%d Q%d 0 %d 8 V%d Z"/>`+"\n", bar, width-8, width, width, bar)
	for i, fill := range []string{"#ff5f57", "#febc2e", "#28c840"} {
		fmt.Fprintf(&w, `<circle cx="%d" cy="%d" r="6" fill="%s"/>`+"\n", margin+i*20, bar/2, fill)
	}
	fmt.Fprintf(&w, `<text class="t" x="%d" y="%d">%s</text>`+"\n", width/2, bar/2+4, escaped(title))
	for i, line := range lines {
		if len(line) > 0 {
			fmt.Fprintf(&w, `<text class="l" x="%d" y="%d" xml:space="preserve">%s</text>`+"\n",
				margin, bar+margin+i*pitch+13, rendered(line))
		}
	}
	w.WriteString("</svg>\n")
	return w.String()
}

// columns returns the length of the longest line, at least that of a terminal.
func columns(lines [][]span) int {
	most := 80
	for _, line := range lines {
		n := 0
		for _, s := range line {
			n += utf8.RuneCountInString(s.text)
		}
		most = max(most, n)
	}
	return most
}

func rendered(line []span) string {
	var b strings.Builder
	for _, s := range line {
		if classes := s.classes(); classes != "" {
			fmt.Fprintf(&b, `<tspan class="%s">%s</tspan>`, classes, escaped(s.text))
		} else {
			b.WriteString(escaped(s.text))
		}
	}
	return b.String()
}

func (s style) classes() string {
	var list []string
	if s.bold {
		list = append(list, "s")
	}
	if s.faint {
		list = append(list, "f")
	}
	if s.colour != "" {
		list = append(list, s.colour)
	}
	return strings.Join(list, " ")
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}
