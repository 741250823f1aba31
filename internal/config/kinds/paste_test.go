package kinds

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                       {},
		"a b":                    {"a", "b"},
		" a,b ,c\t\r\n":          {"a", "b", "c"},
		"a;b; c":                 {"a", "b", "c"},
		"a|b":                    {"a", "b"},
		`["a", "b"]`:             {"a", "b"},
		`["a:b"]`:                {"a:b"},
		"[a, b]":                 {"a", "b"},
		"['a','b']":              {"a", "b"},
		"[]":                     {},
		"\uFEFFa\u00A0b\u200B c": {"a", "b", "c"},
		`"a b"`:                  {`"a`, `b"`},
		`[a`:                     {"[a"},
	} {
		if diff := cmp.Diff(want, Words(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}
