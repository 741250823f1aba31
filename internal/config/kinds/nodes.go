// Package kinds reads one value of a configuration: what YAML, a variable or a person has for a
// setting, checked by the setting's own description. It knows no profile and no file.
package kinds

import "go.yaml.in/yaml/v3"

// Deref follows an alias to what it stands for.
func Deref(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// EachPair calls next for each key of a mapping and its value, and then for those of the mappings
// that it merges (https://yaml.org/type/merge.html), until next returns false. A value may be an
// alias.
func EachPair(mapping *yaml.Node, next func(key, value *yaml.Node) bool) bool {
	mapping = Deref(mapping)
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return true
	}
	for i := 0; i < len(mapping.Content); i += 2 {
		if key := mapping.Content[i]; !isMerge(key) && !next(key, mapping.Content[i+1]) {
			return false
		}
	}
	for i := 0; i < len(mapping.Content); i += 2 {
		if !isMerge(mapping.Content[i]) {
			continue
		}
		merged := []*yaml.Node{mapping.Content[i+1]}
		if list := Deref(merged[0]); list.Kind == yaml.SequenceNode {
			merged = list.Content
		}
		for _, m := range merged {
			if !EachPair(m, next) {
				return false
			}
		}
	}
	return true
}

func isMerge(key *yaml.Node) bool { return key.Tag == "!!merge" }
