package edit

import (
	"maps"
	"reflect"
	"strings"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/config/kinds"
	"github.com/authctl/authctl/internal/setting"
	"go.yaml.in/yaml/v3"
)

// set gives keys of a profile other values, in their places, and takes others out. What is new comes
// behind the last.
func (d *draft) set(name string, values []Setting, gone []string) error {
	b, err := d.block(name)
	if err != nil {
		return err
	}
	want := maps.Clone(b.was)
	for _, v := range values {
		b.put(v)
		want[v.Key] = parsed(v.yaml())
	}
	for _, key := range gone {
		b.takeOut(key)
		delete(want, key)
	}
	return d.become(b.finished(), pasteOf(name, values, gone), func(o *config.Outline) { o.Profiles[name] = want })
}

// pasteOf says what to write, or take out, by hand.
func pasteOf(name string, values []Setting, gone []string) string {
	lines := []string{"  " + name + ":"}
	for _, key := range gone {
		lines = append(lines, "    # without "+key)
	}
	for _, v := range values {
		lines = append(lines, "    "+v.Key+": "+v.yaml())
	}
	return strings.Join(lines, "\n")
}

// parsed is the value of what is written as YAML.
func parsed(text string) (value any) {
	_ = yaml.Unmarshal([]byte(text), &value) // it is our own
	return value
}

// become takes a new text, when it parses as what the old one says after a change of that.
func (d *draft) become(text []byte, paste string, change func(*config.Outline)) error {
	is, err := config.ParseOutline(text)
	want := config.Outline{Profiles: maps.Clone(d.was.Profiles), Top: maps.Clone(d.was.Top), Rest: maps.Clone(d.was.Rest)}
	change(&want)
	same := alike(is.Profiles, want.Profiles) && alike(is.Rest, want.Rest) && maps.Equal(is.Top, want.Top)
	if err != nil || !same {
		return &setting.Error{
			Problem: "cannot be changed safely: the result would not be what it should", Help: byHand(paste),
		}
	}
	d.lines, d.bare = strings.SplitAfter(string(text), "\n"), false
	return nil
}

// block is a profile whose keys are changed.
type block struct {
	places
	node *yaml.Node
	was  map[string]any
	eol  string
	// next is the first line behind the profile.
	next int
	cuts []cut
	// added are the pairs to add, as "key: value".
	added []string
}

// block finds a profile that is a mapping of its own.
func (d *draft) block(name string) (*block, error) {
	was, ok := d.was.Profiles[name].(map[string]any)
	if _, exists := d.was.Profiles[name]; !exists {
		return nil, config.Missing(name, d.was.Names)
	}
	p, err := newPlaces(d.text())
	if err != nil {
		return nil, err
	}
	_, profiles := pair(p.root, "profiles")
	_, node := pair(profiles, name)
	if !ok || node == nil || node.Kind != yaml.MappingNode || len(node.Content) == 0 {
		return nil, &setting.Error{
			Profile: name, Problem: "cannot be changed safely: it is no mapping of its own", Help: "change it by hand",
		}
	}
	return &block{places: p, node: node, was: was, eol: d.eol, next: p.behind(name)}, nil
}

func (b *block) inFlow() bool { return b.node.Style&yaml.FlowStyle != 0 }

// put writes a key.
func (b *block) put(v Setting) {
	key, value := pair(b.node, v.Key)
	if reflect.DeepEqual(b.was[v.Key], parsed(v.yaml())) {
		return
	}
	if key == nil {
		b.added = append(b.added, v.Key+": "+b.written(v))
		return
	}
	if v.Kind == setting.List && value.Kind == yaml.SequenceNode && value.Style&yaml.FlowStyle == 0 {
		if c, ok := b.items(key, value, v.List); ok {
			b.cuts = append(b.cuts, c)
			return
		}
	}
	b.cuts = append(b.cuts, b.replacing(key, value, b.written(v)))
}

// written is a value on one line, fit to stand in braces where that is where it goes.
func (b *block) written(v Setting) string {
	if b.inFlow() && v.Kind != setting.List && v.Kind != setting.Map && v.Kind != setting.Bool {
		return kinds.ListItem(v.Text)
	}
	return v.yaml()
}
