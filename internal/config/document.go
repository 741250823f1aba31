package config

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/authctl/authctl/internal/config/kinds"
	"github.com/authctl/authctl/internal/config/scan"
	"github.com/authctl/authctl/internal/setting"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// delimiter separates viper's nested keys. YAML allows no such character, so no
// name can be taken for a path.
const delimiter = "\x00"

// document is parsed YAML: the whole file, or one profile of it.
type document struct {
	values *viper.Viper
	root   *yaml.Node
	// offset is added to the nodes' line numbers to get those of the file.
	offset int
}

// parse reads text with viper. The values are viper's; the nodes beside them
// know lines and the case of keys, which viper folds. Errors are *setting.Error without
// a path.
func parse(text []byte, offset int) (*document, error) {
	d := &decoder{}
	v := viper.NewWithOptions(viper.KeyDelimiter(delimiter), viper.WithDecoderRegistry(d))
	v.SetConfigType("yaml")
	if err := v.ReadConfig(bytes.NewReader(text)); err != nil {
		if e, ok := errors.AsType[*setting.Error](err); ok {
			return nil, e
		}
		return nil, &setting.Error{Problem: "cannot be read", Err: err}
	}
	return &document{values: v, root: d.root, offset: offset}, nil
}

// decoder is viper's YAML codec with the checks viper does not make.
type decoder struct{ root *yaml.Node }

// Decoder returns the decoder itself for whatever format; see
// viper.DecoderRegistry.
func (d *decoder) Decoder(string) (viper.Decoder, error) { return d, nil }

// Decode reads one YAML document whose root is a mapping; see viper.Decoder.
func (d *decoder) Decode(text []byte, into map[string]any) error {
	root, err := parseRoot(text)
	if err != nil || root == nil {
		return err
	}
	if err := checkTopLevel(root); err != nil {
		return err
	}
	if err := root.Decode(&into); err != nil {
		return kinds.ValueError(err)
	}
	d.root = root
	return nil
}

// parseRoot returns the root mapping, nil when the text is empty.
func parseRoot(text []byte) (*yaml.Node, error) {
	var doc, more yaml.Node
	in := yaml.NewDecoder(bytes.NewReader(text))
	if err := in.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, kinds.SyntaxError(text, err)
	}
	if err := in.Decode(&more); err == nil {
		return nil, &setting.Error{Line: more.Line, Problem: "has a second YAML document", Help: "keep one document"}
	} else if !errors.Is(err, io.EOF) {
		return nil, kinds.SyntaxError(text, err)
	}
	root := doc.Content[0]
	switch {
	case root.Kind == yaml.MappingNode:
		return root, nil
	case root.Tag == "!!null":
		return nil, nil
	}
	return nil, &setting.Error{Line: root.Line, Problem: "must be a mapping with the key profiles"}
}

func checkTopLevel(root *yaml.Node) error {
	known := append([]string{"profiles", "bases", "include"}, scan.Scalars()...)
	for i := 0; i < len(root.Content); i += 2 {
		key, value := root.Content[i], kinds.Deref(root.Content[i+1])
		var e *setting.Error
		switch {
		case scan.IsOwn(key.Value):
			continue
		case !slices.Contains(known, key.Value):
			e = setting.Wrong(key.Value, "is not a known key", setting.DidYouMean(key.Value, known))
		case slices.Contains(known[:2], key.Value) && value.Kind != yaml.MappingNode && value.Tag != "!!null":
			e, key = setting.Wrong(key.Value, "must be a mapping of names to "+key.Value, ""), value
		default:
			continue
		}
		e.Line = key.Line
		return e
	}
	return nil
}

// lookup returns the key and value nodes of a mapping, nil when it has no such
// key.
func lookup(mapping *yaml.Node, name string) (key, value *yaml.Node) {
	mapping = kinds.Deref(mapping)
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i], kinds.Deref(mapping.Content[i+1])
		}
	}
	return nil, nil
}

// line returns a node's line in the file, 0 for no node.
func (d *document) line(n *yaml.Node) int {
	if n == nil {
		return 0
	}
	return n.Line + d.offset
}

// names returns the names of the profiles or bases as written, in the order of the file.
func (d *document) names(k kind) []string {
	_, entries := lookup(d.root, k.key())
	if entries == nil {
		return nil
	}
	var names []string
	for i := 0; i < len(entries.Content); i += 2 {
		names = append(names, entries.Content[i].Value)
	}
	return names
}

// entry returns the values of a profile or a base and its nodes.
func (d *document) entry(k kind, name string) (values any, key, node *yaml.Node) {
	_, entries := lookup(d.root, k.key())
	key, node = lookup(entries, name)
	return d.values.Get(k.key() + delimiter + name), key, node
}

// top returns the text of a key at the margin, empty when it has none.
func (d *document) top(name string) (string, error) {
	switch raw := d.values.Get(name).(type) {
	case nil:
		return "", nil
	case string:
		return raw, nil
	default:
		key, _ := lookup(d.root, name)
		e := kinds.NotOf(name, "text", raw)
		e.Line = d.line(key)
		return "", e
	}
}

// Outline is what a parsed configuration holds.
type Outline struct {
	// Names are the profiles in the order of the file.
	Names []string
	// Top are the texts of the keys at the margin that have one.
	Top map[string]string
	// Profiles are the values, by the names of profiles, and Rest those of what is neither
	// a profile nor in Top.
	Profiles, Rest map[string]any
}

// ParseOutline parses the whole text of a configuration. Errors are *setting.Error without a path.
func ParseOutline(text []byte) (o Outline, err error) {
	d, err := parse(text, 0)
	if err != nil {
		return o, err
	}
	o.Top = map[string]string{}
	if o.Names = d.names(profiles); d.root == nil {
		return o, nil
	}
	if err := d.root.Decode(&o.Rest); err != nil {
		return o, kinds.ValueError(err)
	}
	for _, name := range scan.Scalars() {
		if _, value := lookup(d.root, name); value != nil && value.Kind == yaml.ScalarNode {
			delete(o.Rest, name)
			if value.Tag != "!!null" {
				o.Top[name] = value.Value
			}
		}
	}
	o.Profiles, _ = o.Rest["profiles"].(map[string]any)
	delete(o.Rest, "profiles")
	return o, nil
}
