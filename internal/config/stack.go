package config

import (
	"slices"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/setting"
)

// stack is the files of a configuration, and what counts of them.
type stack struct {
	// layers are the file that was named and those that it includes, in the order in which they are
	// named; empty when there is no place for one.
	layers []*layer
	// broken is why one of them cannot be parsed.
	broken error
}

// parseOdd parses the files that the scan is not sure of. What they define is not known until
// then, and so not what counts.
func (s *stack) parseOdd() {
	for _, l := range s.layers {
		if !l.simple && s.broken == nil {
			_, s.broken = l.all()
		}
	}
}

// names returns the names of the profiles or bases, those of the first file first.
func (s *stack) names(k kind) ([]string, error) {
	if s.broken != nil {
		return nil, s.broken
	}
	var names []string
	for i, l := range s.layers {
		more := l.names(k)
		if i == 0 {
			names = more
			continue
		}
		known := make(map[string]struct{}, len(names))
		for _, name := range names {
			known[name] = struct{}{}
		}
		for _, name := range more {
			if _, twice := known[name]; !twice {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// having returns the layer whose entry of that name counts, nil when there is none.
func (s *stack) having(k kind, name string) (*layer, error) {
	what := &setting.Error{}
	if k == profiles {
		what.Profile = name
	} else {
		what.Name = "base " + name
	}
	return s.which(what, func(l *layer) int { return l.where(k, name) })
}

// top returns the text of a key at the margin and where it stands, nothing when there is none.
// Errors are *setting.Error.
func (s *stack) top(name string) (text, path string, line int, err error) {
	l, err := s.which(&setting.Error{Name: name}, func(l *layer) int { return l.keyLine(name) })
	if l == nil {
		return "", "", 0, err
	}
	text, err = l.top(name)
	return files.Tidy(text), l.path, l.keyLine(name), err
}

// prevailing returns of layers that all have something those whose entry counts: a file
// goes before those that it includes.
func prevailing(having []*layer) []*layer {
	below := map[*layer]struct{}{}
	for _, l := range having {
		l.below(below)
	}
	return slices.DeleteFunc(slices.Clone(having), func(l *layer) bool {
		_, replaced := below[l]
		return replaced
	})
}

// which returns the layer that has something, nil when none has. line says where it stands in
// one, 0 for not at all. When two have it of which neither includes the other, nobody knows
// which is meant: then what names it in the error.
func (s *stack) which(what *setting.Error, line func(*layer) int) (*layer, error) {
	if s.broken != nil {
		return nil, s.broken
	}
	var having []*layer
	for _, l := range s.layers {
		if line(l) > 0 {
			having = append(having, l)
		}
	}
	if len(having) > 1 {
		having = prevailing(having)
	}
	switch len(having) {
	case 0:
		return nil, nil
	case 1:
		return having[0], nil
	}
	first, second := having[0], having[1]
	what.Path, what.Line = second.path, line(second)
	what.Problem = what.Problem + "is given twice: here, and in " + setting.Place(first.path, line(first))
	what.Help = "keep one of them, or give it in " + files.Short(s.layers[0].path) + ", which goes before both"
	return nil, what
}
