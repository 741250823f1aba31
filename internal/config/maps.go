package config

import (
	"errors"

	"github.com/authctl/authctl/internal/config/kinds"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

// mapping reads a map in the profile's text. One without members counts as not given. Errors have
// the line of the member.
func (b *builder) mapping(d setting.Setting, from *entry) (setting.Value, error) {
	_, node := from.pair(d.Name)
	members, err := kinds.Mapping(d, d.Name, node)
	if e, ok := errors.AsType[*setting.Error](err); ok && e.Line > 0 {
		e.Line = max(e.Line+from.doc.offset, 1)
	}
	return b.members(d, members, from.at(d.Name), from.dir()), err
}

// mapText reads a map that a variable or a person gives on one line.
func (b *builder) mapText(d setting.Setting, key, text, origin string) (setting.Value, error) {
	members, err := kinds.MappingText(d, key, text)
	return b.members(d, members, origin, ""), err
}

// members makes a value of the members of a map.
func (b *builder) members(d setting.Setting, list []kinds.Member, origin, dir string) setting.Value {
	if len(list) == 0 {
		return setting.Value{}
	}
	v := setting.Value{
		Map: map[string]any{}, Secrets: map[string]secret.Func{}, References: map[string]string{}, Origin: origin,
	}
	for _, m := range list {
		if m.Reference.Kind == "" {
			v.Map[m.Name] = m.Value
			continue
		}
		m.Reference.Dir = dir
		n := need{of: d.Name, member: m.Name}
		found := b.secret(n, n.name(), m.Reference, origin)
		v.Secrets[m.Name], v.References[m.Name] = found.Secret, found.Text
	}
	return v
}
