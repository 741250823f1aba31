package config

import (
	"strings"

	"github.com/authctl/authctl/internal/providers"
	"go.yaml.in/yaml/v3"
)

// KeyValue is one setting to write. The value of a List is List, of any other
// kind Text; a secret's is its reference.
type KeyValue struct {
	Key  string
	Kind providers.Kind
	Text string
	List []string
}

// profileLines writes a profile as YAML lines without ends.
func profileLines(name string, values []KeyValue, indent, step int) ([]string, error) {
	outer := strings.Repeat(" ", indent)
	key, err := encode(KeyValue{Text: name})
	if err != nil {
		return nil, &Error{Profile: name, Problem: "cannot be written as YAML", Err: err}
	}
	lines := []string{outer + key + ":"}
	for _, kv := range values {
		text, err := encode(kv)
		if err != nil {
			return nil, &Error{Profile: name, Key: kv.Key, Problem: "cannot be written as YAML", Err: err}
		}
		lines = append(lines, outer+strings.Repeat(" ", step)+kv.Key+": "+text)
	}
	return lines, nil
}

// encode writes a value on one line, in quotes where YAML would take it for
// something other than text.
func encode(kv KeyValue) (string, error) {
	if kv.Kind == providers.Bool && (kv.Text == "true" || kv.Text == "false") {
		return kv.Text, nil
	}
	node := scalar(kv.Text)
	if kv.Kind == providers.List {
		node = &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, item := range kv.List {
			node.Content = append(node.Content, scalar(item))
		}
	}
	text, err := yaml.Marshal(node)
	return strings.TrimRight(string(text), "\n"), err
}

func scalar(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if strings.ContainsAny(text, "\n\r\t") {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// plainValue is what the YAML decoder makes of the value as encoded.
func plainValue(kv KeyValue) any {
	switch {
	case kv.Kind == providers.List:
		items := make([]any, len(kv.List))
		for i, item := range kv.List {
			items[i] = item
		}
		return items
	case kv.Kind == providers.Bool && (kv.Text == "true" || kv.Text == "false"):
		return kv.Text == "true"
	}
	return kv.Text
}
