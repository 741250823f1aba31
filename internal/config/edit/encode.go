package edit

import (
	"strings"
	"unicode/utf8"

	"github.com/authctl/authctl/internal/config/kinds"
	"github.com/authctl/authctl/internal/setting"
)

// Setting is one setting to write. The value of a List is List, of any other
// kind Text; a secret's is its reference, a map's what kinds.MappingLine makes of it.
type Setting struct {
	Key  string
	Kind setting.Kind
	Text string
	List []string
}

// profileLines writes a profile as YAML lines without ends.
func profileLines(name string, values []Setting, indent, step int) ([]string, error) {
	outer := strings.Repeat(" ", indent)
	lines := []string{outer + kinds.Scalar(name) + ":"}
	for _, s := range values {
		if !utf8.ValidString(s.Text + strings.Join(s.List, "")) {
			return nil, &setting.Error{Profile: name, Name: s.Key, Problem: "cannot be written as YAML: it is not in UTF-8"}
		}
		lines = append(lines, outer+strings.Repeat(" ", step)+s.Key+": "+s.yaml())
	}
	return lines, nil
}

// yaml writes the value on one line.
func (s Setting) yaml() string {
	switch {
	case s.Kind == setting.List:
		return kinds.Sequence(s.List)
	case s.Kind == setting.Map:
		return s.Text
	case s.Kind == setting.Bool && (s.Text == "true" || s.Text == "false"):
		return s.Text
	}
	return kinds.Scalar(s.Text)
}
