package kinds

import (
	"errors"
	"math"
	"strings"
	"unicode"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
	"go.yaml.in/yaml/v3"
)

// Member is one name of a Map and its value.
type Member struct {
	Name string
	// Value is a string, or what JSON has where the setting says so.
	Value any
	// Reference is where the value is found, with an empty Kind for one that is given as it is.
	Reference source.Reference
}

// Mapping reads the YAML mapping of a Map, which key gives, in its own order. A scalar becomes the
// text that is written there: 1.10 stays 1.10. Errors are *setting.Error with the node's line.
func Mapping(d setting.Setting, key string, node *yaml.Node) ([]Member, error) {
	r := mapReader{Setting: d, key: key, written: map[string]string{}}
	if node = Deref(node); node.Kind != yaml.MappingNode {
		return nil, NotOf(key, wantedMap, raw(node))
	}
	EachPair(node, func(name, value *yaml.Node) bool {
		r.add(name, Deref(value))
		return r.err == nil
	})
	return r.members, r.err
}

// MappingText reads a Map from one line, as a variable or a person gives it: names and values with
// an equals sign between and commas behind, or a mapping in braces.
func MappingText(d setting.Setting, key, text string) ([]Member, error) {
	if text = files.Tidy(text); !strings.HasPrefix(text, "{") {
		node, err := pairs(key, text)
		if err != nil {
			return nil, err
		}
		return Mapping(d, key, node)
	}
	var document yaml.Node
	var twice map[string]any
	err := yaml.Unmarshal([]byte(text), &document)
	if err == nil {
		err = document.Decode(&twice)
	}
	if err != nil {
		return nil, setting.Wrong(key, "is not a mapping in braces", "write {first: value, second: value}, each name once")
	}
	members, err := Mapping(d, key, document.Content[0])
	if e, ok := errors.AsType[*setting.Error](err); ok {
		e.Line = 0 // it is no line of a file
	}
	return members, err
}

// pairs makes a mapping of tenant=acme,x=y. What stands there is not repeated: it may be a secret.
func pairs(key, text string) (*yaml.Node, error) {
	node, seen := &yaml.Node{Kind: yaml.MappingNode}, map[string]struct{}{}
	for piece := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if files.Tidy(piece) == "" {
			continue
		}
		name, value, ok := strings.Cut(piece, "=")
		name = files.Tidy(name)
		_, twice := seen[name]
		switch {
		case !ok:
			return nil, setting.Wrong(key, "has a part without an equals sign",
				"write NAME=VALUE,NAME=VALUE; a value with a comma in it in braces: {NAME: 'a,b'}")
		case twice:
			return nil, setting.Wrong(key, "has "+files.Short(name)+" twice", "keep one of them")
		}
		seen[name] = struct{}{}
		node.Content = append(node.Content, scalar(name), scalar(value))
	}
	return node, nil
}

// mapReader reads the members of one mapping, up to the first error.
type mapReader struct {
	setting.Setting
	key     string
	members []Member
	// written are the names as they are written, by what they are compared as.
	written map[string]string
	err     error
}

// add reads one member. A name that was there before is one of a merged mapping, which the mapping
// itself goes before.
func (r *mapReader) add(name, value *yaml.Node) {
	text := files.Tidy(name.Value)
	same := text
	if r.AnyCase {
		same = strings.ToLower(text)
	}
	before, seen := r.written[same]
	switch {
	case name.Kind != yaml.ScalarNode || name.Tag == "!!null" || text == "":
		r.fail(name, "has an empty name, or one that is no text", "")
	case seen && before != text:
		r.fail(name, "has "+files.Short(before)+" and "+files.Short(text)+", which are the same name", "keep one of them")
	case seen:
	default:
		r.written[same] = text
		r.named(text, name, value)
	}
}

// named reads a member whose name is known.
func (r *mapReader) named(name string, at, value *yaml.Node) {
	m := Member{Name: name}
	if problem, help := r.refused(name); problem != "" {
		r.fail(at, "has "+files.Short(name)+", which "+problem, help)
		return
	}
	var problem, help string
	if r.JSON {
		m.Value, problem = jsonOf(value)
	} else {
		m.Value, m.Reference, problem, help = r.text(name, value)
	}
	if problem != "" {
		r.fail(at, "has "+files.Short(name)+", "+problem, help)
		return
	}
	r.members = append(r.members, m)
}

// fail keeps an error with the line of a node.
func (r *mapReader) fail(at *yaml.Node, problem, help string) {
	r.err = &setting.Error{Name: r.key, Line: at.Line, Problem: problem, Help: help}
}

// refused says why a name may not stand there.
func (r *mapReader) refused(name string) (problem, help string) {
	if r.Refuse != nil {
		problem, help = r.Refuse(name)
	}
	switch odd := files.Odd(name); {
	case problem != "":
		return problem, help
	case odd != "" || strings.ContainsFunc(name, unicode.IsControl):
		return "holds what cannot be seen", "type it anew"
	case !r.References && setting.SoundsSecret(name):
		return "sounds like a secret", "what stands in " + r.Name + " is shown: no secret goes there"
	}
	return "", ""
}

// text reads the value of a member that is no JSON.
func (r *mapReader) text(name string, n *yaml.Node) (text string, ref source.Reference, problem, help string) {
	switch text = scalarText(n); {
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null":
		return "", ref, "which must be text, not " + KindOf(raw(n)), ""
	case text == "":
		return "", ref, "which is empty", "give it a value, or take it out"
	}
	ref, isReference := source.Parse(text)
	odd := files.Odd(text)
	switch {
	case isReference && r.References && ref.IsToken():
		return "", ref, "which is " + ref.String() + ", and gives a token and no other secret",
			"use env:NAME, file:PATH, cmd:COMMAND, keyring:NAME, stdin or prompt"
	case isReference && r.References:
		return text, ref, "", ""
	case isReference && ref.Arg != "" && !ref.IsToken():
		return "", ref, "which is a reference", "what stands in " + r.Name + " is sent and shown as it is"
	case setting.SoundsSecret(name):
		return "", ref, "which sounds like a secret and is given by value",
			"give a reference: env:NAME, file:PATH, cmd:COMMAND, keyring:NAME, stdin or prompt"
	case odd != "":
		return "", ref, "which " + odd, "type it anew"
	case strings.ContainsFunc(text, unicode.IsControl):
		return "", ref, "which holds a control character or a line break", "write it on one line"
	}
	return text, source.Reference{}, "", ""
}

// scalarText is what is written for a scalar.
func scalarText(n *yaml.Node) string {
	text := n.Value
	if n.Tag == "!!binary" {
		_ = n.Decode(&text) // which was decoded before, with the whole
	}
	return files.Tidy(text)
}

// raw is what YAML takes a node for.
func raw(n *yaml.Node) any {
	var v any
	_ = n.Decode(&v) // which was decoded before, with the whole
	if _, ok := v.(map[any]any); ok {
		return map[string]any{}
	}
	return v
}

// jsonOf is a value as JSON has it (RFC 8259 §3). What YAML has beside that is a problem, but for a
// date, which is the text that is written.
func jsonOf(n *yaml.Node) (v any, problem string) {
	switch n = Deref(n); {
	case n.Kind == yaml.MappingNode:
		return jsonObject(n)
	case n.Kind == yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			if list[i], problem = jsonOf(item); problem != "" {
				return nil, problem
			}
		}
		return list, ""
	case n.Tag == "!!timestamp":
		return n.Value, ""
	}
	v = raw(n)
	if f, ok := v.(float64); ok && (math.IsInf(f, 0) || math.IsNaN(f)) {
		return nil, "which is a number that JSON does not have"
	}
	return v, ""
}

func jsonObject(n *yaml.Node) (_ any, problem string) {
	object := map[string]any{}
	EachPair(n, func(key, value *yaml.Node) bool {
		if key.Kind != yaml.ScalarNode || key.Tag == "!!null" {
			problem = "which has a name that is no text"
			return false
		}
		if _, seen := object[key.Value]; !seen {
			object[key.Value], problem = jsonOf(value)
		}
		return problem == ""
	})
	return object, problem
}
