package edit

import (
	"bytes"
	"strings"

	"github.com/authctl/authctl/internal/config/kinds"
	"go.yaml.in/yaml/v3"
)

// behind is the first line behind a profile: that of the next one, or of the next key at the margin.
func (p places) behind(name string) int {
	next := len(p.lines) + 1
	_, profiles := pair(p.root, "profiles")
	key, _ := pair(profiles, name)
	for _, siblings := range []*yaml.Node{p.root, profiles} {
		for i := 0; i < len(siblings.Content); i += 2 {
			if at := siblings.Content[i].Line; at > key.Line {
				next = min(next, at)
			}
		}
	}
	return next
}

// colon is the offset behind the colon of a key.
func (p places) colon(key *yaml.Node) int {
	end := p.start(key) + len(key.Value)
	if key.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		end = p.quotedEnd(p.start(key))
	}
	return end + bytes.IndexByte(p.text[end:], ':') + 1
}

// content is a line without its end.
func (p places) content(number int) string {
	return strings.TrimRight(string(p.text[p.line(number):p.line(number+1)]), "\r\n")
}

// last is the last line of a key's value: what follows are blank lines and comments of its own
// indent, and the next key.
func (b *block) last(key *yaml.Node) int {
	end := b.next
	for i := 0; i < len(b.node.Content); i += 2 {
		if at := b.node.Content[i].Line; at > key.Line {
			end = min(end, at)
		}
	}
	for end--; end > key.Line; end-- {
		line := b.content(end)
		text := strings.TrimSpace(line)
		if text != "" && (text[0] != '#' || indentOf(line) >= key.Column) && !strings.HasPrefix(line, "...") {
			break
		}
	}
	return end
}

// replacing is the cut that gives a key another value, on its own line. A comment there stays.
func (b *block) replacing(key, value *yaml.Node, with string) cut {
	colon, start := b.colon(key), b.start(value)
	empty := value.Tag == "!!null" && value.Value == ""
	scalarBlock := value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
	switch end := b.tokenEnd(start, b.inFlow()); {
	case empty:
		return cut{colon, colon, " " + with}
	case b.inFlow(), value.Line == key.Line && !scalarBlock && (b.last(key) == key.Line || end >= b.line(key.Line+1)):
		return cut{start, end, with}
	}
	last, comment := b.last(key), ""
	beside := b.content(key.Line)[colon-b.line(key.Line):]
	if before, _, found := strings.Cut(beside, " #"); found && (value.Line != key.Line || scalarBlock) {
		comment = beside[len(strings.TrimRight(before, " ")):]
	}
	return cut{colon, b.line(last) + len(b.content(last)), " " + with + comment}
}

// items is the cut that gives a list with an item a line other items: those that stay keep their
// lines and the comments above them. It is not ok where it is no such list.
func (b *block) items(key, list *yaml.Node, words []string) (c cut, ok bool) {
	lines, first, dash := map[string]string{}, key.Line+1, ""
	for _, item := range list.Content {
		line := b.content(item.Line)
		at := strings.IndexByte(line, '-')
		if item.Kind != yaml.ScalarNode || item.Line < first || at < 0 || strings.TrimSpace(line[:at]) != "" {
			return c, false
		}
		lines[item.Value] += string(b.text[b.line(first):b.line(item.Line)]) + line + b.eol
		first, dash = item.Line+1, line[:at]+"- "
	}
	if len(list.Content) == 0 || first > b.last(key)+1 {
		return c, false
	}
	var text strings.Builder
	for _, word := range words {
		if _, stays := lines[word]; !stays {
			lines[word] = dash + kinds.Scalar(word) + b.eol
		}
		text.WriteString(lines[word])
	}
	end := b.line(first)
	with := text.String()
	if end > 0 && b.text[end-1] != '\n' {
		with = strings.TrimSuffix(with, b.eol)
	}
	return cut{b.line(key.Line + 1), end, with}, true
}

// takeOut takes a key with its value out of the profile; the comments above stay.
func (b *block) takeOut(name string) {
	key, value := pair(b.node, name)
	if key == nil {
		return
	}
	if !b.inFlow() {
		b.cuts = append(b.cuts, cut{b.line(key.Line), b.line(b.last(key) + 1), ""})
		return
	}
	start, end := b.start(key), b.tokenEnd(b.start(value), true)
	if after := bytes.TrimLeft(b.text[end:], " "); len(after) > 0 && after[0] == ',' {
		end = len(b.text) - len(bytes.TrimLeft(after[1:], " "))
	} else if before := bytes.TrimRight(b.text[:start], " \r\n"); before[len(before)-1] == ',' {
		start = len(before) - 1
	}
	b.cuts = append(b.cuts, cut{start, end, ""})
}

// finished is the text with all that was changed; what was added comes behind the last key.
func (b *block) finished() []byte {
	if len(b.added) > 0 {
		b.cuts = append(b.cuts, b.adding())
	}
	return b.cutting(b.cuts)
}

func (b *block) adding() cut {
	key, value := b.node.Content[len(b.node.Content)-2], b.node.Content[len(b.node.Content)-1]
	if b.inFlow() {
		end := b.tokenEnd(b.start(value), true)
		if value.Tag == "!!null" && value.Value == "" {
			end = b.colon(key)
		}
		return cut{end, end, ", " + strings.Join(b.added, ", ")}
	}
	end := b.line(b.last(key) + 1)
	indent := b.text[b.line(key.Line):b.start(key)]
	with := ""
	for _, line := range b.added {
		with += string(indent) + line + b.eol
	}
	if end > 0 && b.text[end-1] != '\n' {
		with = b.eol + strings.TrimSuffix(with, b.eol)
	}
	return cut{end, end, with}
}
