package term

import "strings"

// hang is what the lines of a message but its first are indented by.
const hang = "  "

// Message breaks a message into lines of at most width columns, never within a word. A
// width below one leaves it whole.
func Message(text string, width int) string {
	if width < 1 || displayWidth(text) <= width {
		return text
	}
	return strings.Join(fill(text, width, "", hang, true), "\n")
}

// Fold breaks the lines of a page that are longer than width columns, never within a word.
// Lines that are not indented are paragraphs and filled anew; indented ones are examples or
// rows of two columns, of which the second stays where it is. A width below one leaves the
// page as it is.
func Fold(page string, width int) string {
	if width < 1 {
		return page
	}
	var out, paragraph []string
	end := func() {
		out = append(out, foldParagraph(paragraph, width)...)
		paragraph = nil
	}
	for line := range strings.SplitSeq(page, "\n") {
		switch line = strings.ReplaceAll(line, "\t", "        "); {
		case line == "" || line[0] == ' ':
			end()
			out = append(out, foldRow(line, width)...)
		default:
			paragraph = append(paragraph, line)
		}
	}
	end()
	return strings.Join(out, "\n")
}

func foldParagraph(lines []string, width int) []string {
	for _, line := range lines {
		if displayWidth(line) > width {
			return fill(strings.Join(lines, " "), width, "", "", true)
		}
	}
	return lines
}

// foldRow breaks an indented line. What does not fit continues below the second column, or,
// where that begins too far to the right, a little further in than the line itself.
func foldRow(line string, width int) []string {
	if displayWidth(line) <= width {
		return []string{line}
	}
	text := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(text)]
	first, rest, _ := strings.Cut(text, "   ")
	second := strings.TrimLeft(rest, " ")
	if second == "" {
		return fill(text, width, indent, indent+hang+hang, true)
	}
	before := line[:len(line)-len(second)]
	if at := displayWidth(before); 2*at <= width && at+longest(second) <= width {
		return fill(second, width, before, strings.Repeat(" ", at), true)
	}
	return append(fill(first, width, indent, indent+hang, true),
		fill(second, width, indent+hang+hang, indent+hang+hang, true)...)
}
