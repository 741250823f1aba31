package edit

import (
	"errors"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/setting"
	"github.com/google/go-cmp/cmp"
)

// change is what the tests set, and take out behind it.
func change(values []Setting, gone ...string) func(*draft) error {
	return func(d *draft) error { return d.set("p", values, gone) }
}

func text(key, value string) []Setting { return []Setting{{Key: key, Text: value}} }

func list(key string, words ...string) []Setting {
	return []Setting{{Key: key, Kind: setting.List, List: words}}
}

func TestSet(t *testing.T) {
	t.Parallel()
	const head = "# mine\nprofiles: # all\n  # the first\n  p:\n"
	const tail = "\n  # another\n  q: {x: 1}\n\n# the default\ndefault_profile: p\n"
	tests := map[string]struct {
		change     func(*draft) error
		text, want string
	}{
		"a value":            {change(text("b", "2")), "    a: 1 # one\n    b: x # two\n    c: 3\n", "    a: 1 # one\n    b: \"2\" # two\n    c: 3\n"},
		"the last":           {change(text("b", "y")), "    a: 1\n    b: x\n    # no more\n", "    a: 1\n    b: y\n    # no more\n"},
		"new":                {change(text("c", "y")), "    a: 1\n    b: x # two\n    # no more\n  # the end\n", "    a: 1\n    b: x # two\n    c: y\n    # no more\n  # the end\n"},
		"the same":           {change(text("b", "x")), "    b:   'x'   # two\n", "    b:   'x'   # two\n"},
		"in quotes":          {change(text("b", "y # z")), "    b: \"x # \\\" \" # two\n", "    b: 'y # z' # two\n"},
		"quoted key":         {change(text("b", "y")), "    \"b\" : x\n    'a': 1\n", "    \"b\" : y\n    'a': 1\n"},
		"empty":              {change(text("b", "y")), "    b: # two\n    a: 1\n", "    b: y # two\n    a: 1\n"},
		"null":               {change(text("b", "y")), "    b: null # two\n    a: 1\n", "    b: y # two\n    a: 1\n"},
		"folded":             {change(text("b", "y")), "    b: > # two\n      x\n      # no comment\n\n    a: 1\n", "    b: y # two\n\n    a: 1\n"},
		"literal, last":      {change(text("b", "y")), "    b: |\n      x\n", "    b: y\n"},
		"plain, two lines":   {change(text("b", "y")), "    b: x\n      y\n    a: 1\n", "    b: y\n    a: 1\n"},
		"below the key":      {change(text("b", "y")), "    b:  # two\n      x\n    a: 1\n", "    b: y  # two\n    a: 1\n"},
		"quoted, two lines":  {change(text("b", "y")), "    b: \"x\n      z\" # two\n    a: 1\n", "    b: y # two\n    a: 1\n"},
		"brackets":           {change(list("b", "y", "a:b")), "    b: [x, \"]\"] # two\n", "    b: [y, 'a:b'] # two\n"},
		"brackets, lines":    {change(list("b", "y")), "    b: [\n      x, # ] one\n      z ]  # two\n    a: 1\n", "    b: [y]  # two\n    a: 1\n"},
		"items":              {change(list("b", "z", "n", "x")), "    b: # two\n      # why x\n      - x # one\n      - y\n      # why z\n      - 'z'\n      # more\n    a: 1\n", "    b: # two\n      # why z\n      - 'z'\n      - n\n      # why x\n      - x # one\n      # more\n    a: 1\n"},
		"items at the key":   {change(list("b", "y")), "    b:\n    - x\n    - y\n    a: 1\n", "    b:\n    - y\n    a: 1\n"},
		"items to a text":    {change(text("b", "y")), "    b:\n    - x\n    a: 1\n", "    b: y\n    a: 1\n"},
		"a map":              {change([]Setting{{Key: "b", Kind: setting.Map, Text: "{x: 2}"}}), "    b: # two\n      x: 1\n      y: 2\n    a: 1\n", "    b: {x: 2} # two\n    a: 1\n"},
		"taken out":          {change(nil, "b"), "    a: 1\n    # two\n    b: x # b\n    c: 3\n", "    a: 1\n    # two\n    c: 3\n"},
		"taken out, last":    {change(nil, "b"), "    a: 1\n    b:\n      - x\n", "    a: 1\n"},
		"taken out, none":    {change(nil, "z"), "    a: 1\n", "    a: 1\n"},
		"both":               {change(text("c", "y"), "a"), "    a: 1\n    b: 2\n", "    b: 2\n    c: y\n"},
		"an alias":           {change(text("b", "y")), "    a: &x z\n    b: *x\n", "    a: &x z\n    b: y\n"},
		"over a merge":       {change(text("b", "y")), "    <<: {b: x}\n    a: 1\n", "    <<: {b: x}\n    a: 1\n    b: y\n"},
		"characters":         {change(text("b", "y")), "    ä: ö\n    b: 'ü' # é\n", "    ä: ö\n    b: y # é\n"},
		"deep":               {change(text("c", "y")), "        a: 1\n        b: 2\n", "        a: 1\n        b: 2\n        c: y\n"},
		"control characters": {change(text("b", "a\tb")), "    b: x\n", "    b: \"a\\tb\"\n"},
	}
	for name, tt := range tests {
		for _, eol := range []string{"\n", "\r\n"} {
			in := func(s string) string { return strings.ReplaceAll(s, "\n", eol) }
			for _, tail := range []string{tail, ""} {
				got, err := edited(in(head+tt.text+tail), tt.change)
				if err != nil {
					t.Errorf("%s: %v %+v", name, err, err)
					continue
				}
				if diff := cmp.Diff(in(head+tt.want+tail), got); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
			got, err := edited(strings.TrimSuffix(in(head+tt.text), eol), tt.change)
			if err != nil || strings.TrimSuffix(got, eol) != strings.TrimSuffix(in(head+tt.want), eol) {
				t.Errorf("%s, without an end: %v %q", name, err, got)
			}
		}
	}
}

func TestSetInBraces(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change     func(*draft) error
		text, want string
	}{
		"a value":       {change(text("b", "y")), "profiles:\n  p: {a: 1, b: x, c: 3} # one\n", "profiles:\n  p: {a: 1, b: y, c: 3} # one\n"},
		"signs":         {change(text("b", "y, z]")), "profiles:\n  p: {a: 1, b: x}\n", "profiles:\n  p: {a: 1, b: 'y, z]'}\n"},
		"the last":      {change(text("b", "y")), "profiles: {p: {a: 1, b: \"x}\"}}\n", "profiles: {p: {a: 1, b: y}}\n"},
		"new":           {change(text("c", "y")), "profiles: {p: {a: 1, b: [x, 'z']}, q: {a: 1}}\n", "profiles: {p: {a: 1, b: [x, 'z'], c: y}, q: {a: 1}}\n"},
		"new, comma":    {change(text("c", "y")), "profiles: {p: {a: 1, }}\n", "profiles: {p: {a: 1, c: y, }}\n"},
		"lines":         {change(text("c", "y")), "profiles:\n  p: {\n    a: 1, # one\n    b: x # two\n  }\n", "profiles:\n  p: {\n    a: 1, # one\n    b: x, c: y # two\n  }\n"},
		"list":          {change(list("b", "y", "u,v")), "profiles:\n  p: {a: 1, b: [x]}\n", "profiles:\n  p: {a: 1, b: [y, 'u,v']}\n"},
		"out, first":    {change(nil, "a"), "profiles:\n  p: {a: 1, b: x}\n", "profiles:\n  p: {b: x}\n"},
		"out, last":     {change(nil, "b"), "profiles:\n  p: {a: 1, b: x}\n", "profiles:\n  p: {a: 1}\n"},
		"out, middle":   {change(nil, "b"), "profiles:\n  p: {a: 1, b: {x: 1}, c: 2}\n", "profiles:\n  p: {a: 1, c: 2}\n"},
		"JSON":          {change(text("b", "y")), "{\"profiles\": {\"p\": {\"a\": \"1\", \"b\": \"x\"}}}\n", "{\"profiles\": {\"p\": {\"a\": \"1\", \"b\": y}}}\n"},
		"anchor beside": {change(text("b", "y")), "x-a: &e {c: 1}\nprofiles:\n  p: {<<: *e, b: x}\n", "x-a: &e {c: 1}\nprofiles:\n  p: {<<: *e, b: y}\n"},
	}
	for name, tt := range tests {
		got, err := edited(tt.text, tt.change)
		if err != nil {
			t.Errorf("%s: %v %+v", name, err, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestSetDeclines: what would change more than the key, or cannot be found, is to be changed by hand.
func TestSetDeclines(t *testing.T) {
	t.Parallel()
	const unsure = "cannot be changed safely: the result would not be what it should"
	const other = "cannot be changed safely: it is no mapping of its own"
	tests := map[string]struct{ text, problem string }{
		"anchor of another":  {"profiles:\n  p: {b: &x y, a: 1}\n  q: {b: *x}\n", unsure},
		"anchor, its alias":  {"profiles:\n  q: &x {a: 1}\n  p: *x\n", other},
		"a profile's anchor": {"profiles:\n  p: &x {a: 1}\n  q:\n    <<: *x\n", unsure},
		"empty":              {"profiles:\n  p:\n", other},
		"text":               {"profiles:\n  p: text\n", other},
		"twice":              {"profiles:\n  p: {a: 1}\n  p: {a: 2}\n", "is given twice"},
		"a key twice":        {"profiles:\n  p:\n    a: 1\n    a: 2\n", "is given twice"},
		"none":               {"profiles:\n  q: {a: 1}\n", "there is no profile p"},
		"merged away":        {"x-a: &e {b: 1}\nprofiles:\n  p: {<<: *e, a: x}\n", unsure},
	}
	for name, tt := range tests {
		do := change(text("b", "z"))
		if name == "merged away" {
			do = change(nil, "b")
		}
		_, err := edited(tt.text, do)
		if e, _ := errors.AsType[*setting.Error](err); e == nil || e.Problem != tt.problem {
			t.Errorf("%s: %v %+v", name, err, e)
		}
	}
}
