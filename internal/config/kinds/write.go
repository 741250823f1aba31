package kinds

import (
	"strings"

	"github.com/authctl/authctl/internal/setting"
	"go.yaml.in/yaml/v3"
)

// Scalar writes text as one line of YAML, in quotes where it would be taken for something
// other than text. What is not UTF-8 in it is replaced.
func Scalar(text string) string { return written(scalar(text)) }

// ListItem is Scalar for a word that may stand in brackets.
func ListItem(word string) string {
	odd := strings.ContainsAny(word, ",[]{}") || strings.Trim(word, ":-?") != word
	if text := Scalar(word); text != word || !odd {
		return text
	}
	return "'" + strings.ReplaceAll(word, "'", "''") + "'"
}

// Sequence writes words as a list in brackets, on one line.
func Sequence(words []string) string {
	node := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, word := range words {
		node.Content = append(node.Content, scalar(word))
	}
	return written(node)
}

func scalar(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: strings.ToValidUTF8(text, "\uFFFD")}
	if strings.ContainsAny(text, "\n\r\t") {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func written(n *yaml.Node) string {
	text, _ := yaml.Marshal(n) // text and lists of text can always be written
	return strings.TrimRight(string(text), "\n")
}

// MappingLine writes a map as a mapping in braces on one line, its names sorted and its references
// as such.
func MappingLine(v setting.Value) string {
	node := &yaml.Node{}
	if err := node.Encode(v.Shown()); err != nil {
		return "{…}" // nothing that was read cannot be written
	}
	flow(node)
	return written(node)
}

// flow has a node and all that is in it written in brackets and braces.
func flow(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode {
		n.Style = yaml.FlowStyle
	}
	for _, child := range n.Content {
		flow(child)
	}
}
