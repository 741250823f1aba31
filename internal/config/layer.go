package config

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/config/kinds"
	"github.com/authctl/authctl/internal/config/scan"
	"github.com/authctl/authctl/internal/setting"
	"go.yaml.in/yaml/v3"
)

// layer is one file of a configuration: the one that was named, or one that another layer
// includes.
type layer struct {
	path string
	info fs.FileInfo // nil when it is not there
	text []byte
	// layout is where each profile stands, known only when simple is true.
	layout scan.Layout
	simple bool
	// whole is the whole file, parsed when something asked for it; broken is why that
	// cannot be.
	whole  *document
	broken error
	// includes are the files that are read before this one, and whose entries it replaces.
	includes []*layer
}

func newLayer(path string, info fs.FileInfo, text []byte) *layer {
	layout, odd, _ := scan.Scan(text)
	return &layer{path: path, info: info, text: text, layout: layout, simple: odd == 0}
}

// dir is what relative paths in the file begin with.
func (l *layer) dir() string { return filepath.Dir(l.path) }

// onLine completes an error with the file and a line of it, where it has none.
func (l *layer) onLine(line int, err error) error { return setting.At(l.path, line, err) }

// part returns a document that holds a part of the file below a line of its own: this part
// alone where its place is known, else the whole file.
func (l *layer) part(head string, at scan.Span) (*document, error) {
	if l.whole == nil && l.simple && at.End > 0 {
		text := append([]byte(head), l.text[at.Start:at.End]...)
		if doc, err := parse(text, at.Line-1-strings.Count(head, "\n")); err == nil {
			return doc, nil
		}
	}
	return l.all()
}

// all returns the whole file.
func (l *layer) all() (*document, error) {
	if l.whole == nil && l.broken == nil {
		l.whole, l.broken = parse(l.text, 0)
		l.broken = l.onLine(0, l.broken)
	}
	return l.whole, l.broken
}

// spans are where the entries of a kind stand, in a file that was scanned.
func (l *layer) spans(k kind) []scan.Span {
	if k == bases {
		return l.layout.Bases
	}
	return l.layout.Profiles
}

// names returns the entries of a kind in the order of the file, none where it cannot be parsed.
func (l *layer) names(k kind) []string {
	if l.simple {
		return scan.Names(l.spans(k))
	}
	doc, err := l.all()
	if err != nil {
		return nil
	}
	return doc.names(k)
}

// where returns the line at which an entry of a kind begins, 0 when the file has none of that
// name.
func (l *layer) where(k kind, name string) int {
	if l.simple {
		return scan.Find(l.spans(k), name).Line
	}
	doc, err := l.all()
	if err != nil {
		return 0
	}
	_, entries := lookup(doc.root, k.key())
	key, _ := lookup(entries, name)
	return doc.line(key)
}

// keyLine returns where a key at the margin stands, 0 when it does not.
func (l *layer) keyLine(name string) int {
	if l.simple {
		return l.layout.Key(name).Line
	}
	doc, err := l.all()
	if err != nil {
		return 0
	}
	key, _ := lookup(doc.root, name)
	return doc.line(key)
}

// top returns the text of a key at the margin.
func (l *layer) top(name string) (string, error) {
	doc, err := l.part("", l.layout.Key(name))
	if err != nil {
		return "", err
	}
	text, err := doc.top(name)
	return text, l.onLine(0, err)
}

// below adds the files that this one includes, itself or through others, to those that are known.
func (l *layer) below(known map[*layer]struct{}) {
	for _, i := range l.includes {
		if _, seen := known[i]; !seen {
			known[i] = struct{}{}
			i.below(known)
		}
	}
}

// kind is what may be listed by names in a file.
type kind int

const (
	profiles kind = iota
	bases
)

// key is the key at the margin that they are under, and one what one of them is called.
func (k kind) key() string { return [...]string{"profiles", "bases"}[k] }
func (k kind) one() string { return [...]string{"profile", "base"}[k] }

// entry is a profile or a base as it stands in a file.
type entry struct {
	*layer
	kind kind
	name string
	// begins is its first line.
	begins int
	doc    *document
	node   *yaml.Node
	// raw are its values, those of merge keys among them.
	raw map[string]any
}

// entry reads a profile or a base of the file, which is known to be there. Errors are
// *setting.Error.
func (l *layer) entry(k kind, name string) (*entry, error) {
	doc, err := l.part(k.key()+":\n", scan.Find(l.spans(k), name))
	if err != nil {
		return nil, err
	}
	values, key, node := doc.entry(k, name)
	e := &entry{layer: l, kind: k, name: name, begins: doc.line(key), doc: doc, node: node}
	raw, ok := values.(map[string]any)
	e.raw = raw
	switch {
	case !IsName(name):
		return nil, &setting.Error{
			Path: l.path, Line: e.begins, Problem: "this is not a name for a " + k.one(), Help: NameHint(name, nil),
		}
	case node.Tag == "!!null" || ok && len(raw) == 0:
		help := "begin with its provider"
		if k == bases {
			help = "write what profiles have in common"
		}
		return nil, e.blame(setting.Wrong("", "is empty", help))
	case !ok:
		return nil, e.blame(setting.Wrong("", "must be a mapping of settings", ""))
	}
	return e, nil
}

// has reports whether the entry has a key, be it empty.
func (e *entry) has(key string) bool {
	_, has := e.raw[key]
	return has
}

// line is where a key of the entry stands: in a merged mapping, or where the entry begins,
// when it has none itself.
func (e *entry) line(name string) int {
	key, _ := e.pair(name)
	if key == nil {
		return e.begins
	}
	return max(e.doc.line(key), 1)
}

// at is the origin of a value in the file.
func (e *entry) at(name string) string {
	return e.kind.one() + " " + e.name + " in " + setting.Place(e.path, e.line(name))
}

// blame completes an error about the text of the entry with where that is.
func (e *entry) blame(err error) error {
	if wrong, ok := errors.AsType[*setting.Error](err); ok && wrong.Path == "" {
		if wrong.Line == 0 {
			wrong.Line = e.line(wrong.Name)
		}
		wrong.Path = e.path
		if e.kind == profiles {
			wrong.Profile = e.name
		} else if wrong.Origin == "" {
			wrong.Origin = "base " + e.name
		}
	}
	return err
}

// keys are the keys of the entry as they are written, those of merged mappings behind its own.
func (e *entry) keys() []string {
	var keys []string
	kinds.EachPair(e.node, func(key, _ *yaml.Node) bool {
		keys = append(keys, key.Value)
		return true
	})
	return keys
}

// pair returns the key and the value of a setting, also of one in a merged mapping; nil when there
// is none.
func (e *entry) pair(name string) (key, of *yaml.Node) {
	kinds.EachPair(e.node, func(k, v *yaml.Node) bool {
		if k.Value == name {
			key, of = k, v
		}
		return key == nil
	})
	return key, of
}

// mentions reports whether the text of the file has a name in it.
func (l *layer) mentions(name string) bool {
	return bytes.Contains(l.text, []byte(name)) || slices.Contains(l.variables(), name)
}
