package main

import "strings"

// style is how a span looks. The colour is the class of one of ECMA-48's eight, empty for the terminal's own.
type style struct {
	colour      string
	bold, faint bool
}

// span is text of one style on one line.
type span struct {
	style
	text string
}

// parse reads text with the sequences that select graphic rendition (ECMA-48 §8.3.117). All others are dropped.
func parse(text string) [][]span {
	var lines [][]span
	now := style{}
	for line := range strings.Lines(text) {
		var spans []span
		for line = strings.TrimRight(line, "\r\n"); line != ""; {
			plain, rest, escaped := strings.Cut(line, "\x1b[")
			if plain != "" {
				spans = append(spans, span{now, plain})
			}
			if !escaped {
				break
			}
			end := strings.IndexFunc(rest, func(r rune) bool { return r >= '@' && r <= '~' })
			if end < 0 {
				break
			}
			if rest[end] == 'm' {
				now = now.with(rest[:end])
			}
			line = rest[end+1:]
		}
		lines = append(lines, spans)
	}
	return lines
}

// with returns the style after the parameters of a sequence.
func (s style) with(parameters string) style {
	for parameter := range strings.SplitSeq(parameters, ";") {
		switch parameter {
		case "", "0":
			s = style{}
		case "1":
			s.bold = true
		case "2":
			s.faint = true
		case "22":
			s.bold, s.faint = false, false
		case "39":
			s.colour = ""
		default:
			if name := colourName(parameter); name != "" {
				s.colour = name
			}
		}
	}
	return s
}

// colourName returns the class of a foreground colour, empty for what is none.
func colourName(parameter string) string {
	if len(parameter) != 2 || parameter[0] != '3' && parameter[0] != '9' || parameter[1] < '0' || parameter[1] > '7' {
		return ""
	}
	return "c" + parameter[1:]
}
