package edit

import (
	"bytes"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// places is a text with where each line begins: a node of its parse has a place by them.
type places struct {
	text  []byte
	lines []int
	root  *yaml.Node
}

// newPlaces parses a text that is known to be a configuration.
func newPlaces(text []byte) (places, error) {
	p := places{text: text, lines: []int{0}}
	for i, c := range text {
		if c == '\n' {
			p.lines = append(p.lines, i+1)
		}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return p, err
	}
	if len(doc.Content) > 0 {
		p.root = doc.Content[0]
	}
	return p, nil
}

// pair returns a key of a mapping itself with its value, nil when it has none. What an alias stands
// for, or a merge brings in, is another's.
func pair(mapping *yaml.Node, name string) (key, value *yaml.Node) {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i], mapping.Content[i+1]
		}
	}
	return nil, nil
}

// line is the offset at which a line begins, counted from 1; that behind the last is the end.
func (p places) line(number int) int {
	if number > len(p.lines) {
		return len(p.text)
	}
	return p.lines[number-1]
}

// start is the offset of a node. Columns count characters.
func (p places) start(n *yaml.Node) int {
	at := p.line(n.Line)
	for _, size := range runeSizes(p.text[at:], n.Column-1) {
		at += size
	}
	return at
}

// runeSizes are how many bytes the first characters of a text have.
func runeSizes(text []byte, count int) []int {
	var sizes []int
	for i := range string(text[:min(len(text), 4*count)]) {
		sizes = append(sizes, i)
	}
	sizes = append(sizes, min(len(text), 4*count))
	for i := range len(sizes) - 1 {
		sizes[i] = sizes[i+1] - sizes[i]
	}
	return sizes[:min(count, len(sizes)-1)]
}

// tokenEnd is the end of a scalar, a flow collection, an alias, on one line or, within quotes and
// brackets, several. What is plain ends at a comment, the line's end and, in a flow collection, at its
// signs.
func (p places) tokenEnd(at int, inFlow bool) int {
	switch {
	case at >= len(p.text):
		return at
	case p.text[at] == '"' || p.text[at] == '\'':
		return p.quotedEnd(at)
	case p.text[at] == '[' || p.text[at] == '{':
		return p.bracketEnd(at)
	}
	end := at
	for end < len(p.text) && p.text[end] != '\n' && p.text[end] != '\r' {
		c := p.text[end]
		if c == '#' && end > at && isBlank(p.text[end-1]) || inFlow && strings.IndexByte(",]}", c) >= 0 {
			break
		}
		end++
	}
	return at + len(bytes.TrimRight(p.text[at:end], " \t"))
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// quotedEnd is behind the quote that ends what begins at an offset (YAML 1.2 §7.3).
func (p places) quotedEnd(at int) int {
	quote := p.text[at]
	for i := at + 1; i < len(p.text); i++ {
		switch {
		case p.text[i] == '\\' && quote == '"':
			i++
		case p.text[i] == quote && quote == '\'' && i+1 < len(p.text) && p.text[i+1] == quote:
			i++
		case p.text[i] == quote:
			return i + 1
		}
	}
	return len(p.text)
}

// bracketEnd is behind the bracket or brace that ends what begins at an offset.
func (p places) bracketEnd(at int) int {
	depth := 0
	for i := at; i < len(p.text); {
		switch c := p.text[i]; {
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		case (c == '"' || c == '\'') && strings.IndexByte(" \t\n[{,:", p.text[i-1]) >= 0:
			i = p.quotedEnd(i)
			continue
		case c == '#' && (isBlank(p.text[i-1]) || p.text[i-1] == '\n'):
			for i < len(p.text) && p.text[i] != '\n' {
				i++
			}
		}
		i++
	}
	return len(p.text)
}

// cut is a part of a text to be replaced.
type cut struct {
	start, end int
	with       string
}

// cutting returns the text after some cuts, of which none overlaps another.
func (p places) cutting(cuts []cut) []byte {
	slices.SortFunc(cuts, func(a, b cut) int { return b.start - a.start })
	text := slices.Clone(p.text)
	for _, c := range cuts {
		text = slices.Replace(text, c.start, c.end, []byte(c.with)...)
	}
	return text
}
