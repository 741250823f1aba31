package edit

import (
	"slices"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/config/kinds"
	"go.yaml.in/yaml/v3"
)

// rename gives a profile another name, and default_profile and the references of others that name it.
func (d *draft) rename(old, name string, other Other) error {
	switch {
	case !slices.Contains(d.was.Names, old):
		return config.Missing(old, d.was.Names)
	case slices.Contains(d.was.Names, name):
		return exists(name)
	}
	p, err := newPlaces(d.text())
	if err != nil {
		return err
	}
	r := renaming{places: p, other: other}
	_, profiles := pair(p.root, "profiles")
	key, _ := pair(profiles, old)
	r.cut(key, kinds.Scalar(name), true)
	if _, value := pair(p.root, defaultProfile); value != nil && d.was.Top[defaultProfile] == old {
		r.cut(value, kinds.Scalar(name), p.root.Style&yaml.FlowStyle != 0)
	}
	r.references(p.root)
	return d.become(p.cutting(r.cuts), "", func(o *config.Outline) {
		o.Profiles[name] = o.Profiles[old]
		delete(o.Profiles, old)
		for profile, value := range o.Profiles {
			o.Profiles[profile] = r.renamed("", value)
		}
		for key, value := range o.Rest {
			o.Rest[key] = r.renamed("", value)
		}
		if o.Top[defaultProfile] == old {
			o.Top[defaultProfile] = name
		}
	})
}

// Other returns the reference that takes the place of a setting's text; false where that stays.
type Other func(key, text string) (string, bool)

// renaming is a profile that gets another name.
type renaming struct {
	places
	other Other
	cuts  []cut
}

// cut puts a text where a scalar stands.
func (r *renaming) cut(n *yaml.Node, with string, inFlow bool) {
	start := r.start(n)
	end := r.tokenEnd(start, inFlow)
	if plain := n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0; plain && n.Kind == yaml.ScalarNode {
		end = min(end, start+len(n.Value))
	}
	r.cuts = append(r.cuts, cut{start, end, with})
}

// references cuts those below a node. What an alias stands for is met where its anchor is.
func (r *renaming) references(n *yaml.Node) {
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && child.Kind == yaml.ScalarNode {
			if other, ok := r.other(n.Content[i-1].Value, child.Value); ok {
				r.cut(child, kinds.Scalar(other), n.Style&yaml.FlowStyle != 0)
			}
		}
		r.references(child)
	}
}

// renamed is a value as it is with the other name.
func (r *renaming) renamed(key string, value any) any {
	switch value := value.(type) {
	case string:
		if other, ok := r.other(key, value); ok {
			return other
		}
	case map[string]any:
		other := map[string]any{}
		for key, member := range value {
			other[key] = r.renamed(key, member)
		}
		return other
	case []any:
		other := make([]any, len(value))
		for i, item := range value {
			other[i] = r.renamed("", item)
		}
		return other
	}
	return value
}
