package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/config/kinds"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/setting"
	"go.yaml.in/yaml/v3"
)

// named is a file that include names, and where.
type named struct {
	path string
	line int
}

// reader reads a configuration file and those that it includes.
type reader struct {
	options Options
	// layers are those that were read, in the order in which they are named.
	layers []*layer
}

// readAll reads the file at path, which may be missing unless it was named, and what it includes.
// Errors are *setting.Error.
func (r *reader) readAll(path string, named bool) error {
	text, err := r.read(path, !r.options.NoPipe)
	if err != nil && (!errors.Is(err, fs.ErrNotExist) || named && !r.options.New) {
		return err
	}
	own := newLayer(path, nil, text)
	own.info, _ = os.Stat(path)
	r.layers = []*layer{own}
	return r.include(own, own)
}

// include reads the files that a layer includes, those that they include first. chain are
// the layers on the way to it, itself last.
func (r *reader) include(l *layer, chain ...*layer) error {
	list, err := l.included()
	if err != nil {
		return err
	}
	for _, n := range list {
		included, err := r.includedBy(l, n, chain)
		if err != nil {
			return err
		}
		if !slices.Contains(l.includes, included) {
			l.includes = append(l.includes, included)
		}
	}
	return nil
}

// includedBy returns the layer of a file that is named, as it was read before where it was.
func (r *reader) includedBy(l *layer, n named, chain []*layer) (*layer, error) {
	path, err := r.place(l, n)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	for _, other := range r.layers {
		if err != nil || other.info == nil || !os.SameFile(info, other.info) {
			continue
		}
		if at := slices.Index(chain, other); at >= 0 {
			return nil, l.onLine(n.line, circle(slices.Concat(chain[at:], []*layer{other})))
		}
		return other, nil
	}
	text, err := r.read(path, false)
	if err != nil {
		return nil, notIncluded(l, n, path, err)
	}
	included := newLayer(path, info, text)
	r.layers = append(r.layers, included)
	return included, r.include(included, append(slices.Clip(chain), included)...)
}

// circle is the error of a file that includes itself.
func circle(chain []*layer) error {
	names := make([]string, len(chain))
	for i, l := range chain {
		names[i] = filepath.Base(l.path)
	}
	return setting.Wrong("include", "goes round in a circle: "+strings.Join(names, " includes "), "take one of them out")
}

// place returns where a file is that is named.
func (r *reader) place(l *layer, n named) (string, error) {
	path, err := files.Place(n.path, r.options.env().Home(), "")
	switch {
	case err != nil:
		return "", l.onLine(n.line, setting.Wrong("include", "names a path that "+err.Error(), ""))
	case path == "":
		return "", l.onLine(n.line, setting.Wrong("include", "names nothing", "name a file, or take it out"))
	case filepath.IsAbs(path):
		return path, nil
	case !l.isPlaced():
		return "", l.onLine(n.line, setting.Wrong("include", "names "+files.Short(n.path)+
			", which is relative to nothing: the configuration is a pipe", "write an absolute path, or one with ~/"))
	}
	return filepath.Join(l.dir(), path), nil
}

// isPlaced reports whether the file is one in a directory where others may stand beside it, and
// not a pipe or a descriptor.
func (l *layer) isPlaced() bool {
	path := filepath.ToSlash(l.path)
	return l.info != nil && l.info.Mode().IsRegular() && !strings.HasPrefix(path, "/dev/") &&
		!strings.HasPrefix(path, "/proc/")
}

// notIncluded is the error of a file that is included and cannot be read. It is never one of
// a configuration that is not there.
func notIncluded(l *layer, n named, path string, err error) error {
	e, ok := errors.AsType[*setting.Error](err)
	if !ok {
		return err
	}
	problem := setting.Wrong("include", "names "+files.Short(path)+", which "+e.Problem, e.Help)
	if problem.Err = e.Err; errors.Is(err, fs.ErrNotExist) {
		problem.Err, problem.Help = nil, "correct the path, or take it out"
		if !filepath.IsAbs(n.path) && n.path[0] != '~' {
			problem.Help += "; a relative one starts from " + files.Short(l.dir())
		}
	}
	return l.onLine(n.line, problem)
}

// included returns what the key include names: a text, or a list of texts.
func (l *layer) included() ([]named, error) {
	if l.keyLine("include") == 0 {
		return nil, nil
	}
	doc, err := l.part("", l.layout.Key("include"))
	if err != nil {
		return nil, err
	}
	key, value := lookup(doc.root, "include")
	items := []*yaml.Node{value}
	switch {
	case value.Tag == "!!null":
		return nil, nil
	case value.Kind == yaml.SequenceNode:
		items = value.Content
	}
	var list []named
	for _, item := range items {
		if item = kinds.Deref(item); item.Kind != yaml.ScalarNode || item.Tag != "!!str" {
			return nil, l.onLine(max(doc.line(item), doc.line(key)),
				setting.Wrong("include", "must be a file's name or a list of them", "write [team.yaml]"))
		}
		list = append(list, named{files.Tidy(item.Value), doc.line(item)})
	}
	return list, nil
}
