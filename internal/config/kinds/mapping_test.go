package kinds

import (
	"errors"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/setting"
)

// FuzzMappingText reads what variables may hold: each name once, each value whole, and nothing in an error that may be
// a secret.
func FuzzMappingText(f *testing.F) {
	for _, text := range []string{
		"tenant=acme,x=y", "a=b\nc=d", "{a: b, c: 'd,e'}", `{"a": {"b": [1, null, 1e3]}}`, "{<<: {a: b}, a: c}", "{a: &x b, c: *x}",
		"{a: &x [*x]}", "{? [a] : b}", "=", "{", "a", "{a: !!binary aGk=}", "X-A=env:B,x-a=c", "{a: .inf, b: 2024-01-01}",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range []setting.Setting{setting.Params(), setting.Headers(), setting.Claims()} {
			members, err := MappingText(d, "AUTHCTL_X", text)
			if _, ok := errors.AsType[*setting.Error](err); err != nil && !ok {
				t.Fatalf("%T is no error of a setting", err)
			}
			seen := map[string]bool{}
			for _, m := range members {
				name := m.Name
				if d.AnyCase {
					name = strings.ToLower(name)
				}
				text, isText := m.Value.(string)
				if seen[name] || name == "" || !d.JSON && (!isText || text == "" || strings.ContainsAny(text, "\r\n\x00")) {
					t.Fatalf("%q: %q is %q", d.Name, m.Name, m.Value)
				}
				seen[name] = true
			}
		}
	})
}
