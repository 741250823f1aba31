package scan

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestScan(t *testing.T) {
	t.Parallel()
	team, err := os.ReadFile(filepath.Join("..", "testdata", "team.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(team), "løs-nothing", "los-nothing", 1)
	l, odd, _ := Scan([]byte(text))
	if odd > 0 {
		t.Fatal("the sample is declined")
	}
	var got []string
	for _, s := range append(l.Profiles, l.Key("default_profile")) {
		first, _, _ := strings.Cut(text[s.Start:s.End], "\n")
		got = append(got, fmt.Sprintf("%d %s %s", s.Line, s.Name, strings.TrimSpace(first)))
	}
	want := []string{
		"5 engage engage:", "12 calls calls:", "20 los-nothing los-nothing:", "21 agents agents:",
		"3 default_profile default_profile: engage",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestScanDeclines puts one odd thing each into a file.
func TestScanDeclines(t *testing.T) {
	t.Parallel()
	const around = "profiles:\n  a:\n    x: 1\n%s\n  b:\n    x: 1\n"
	lines := []string{
		"\tc: d", "    c:\td", "    c: &d e", "    c: *d", "    <<: *d", "    c: |\n      d", "    c: >\n      d",
		"    c: {d: {e: f}}", "    c: {d: e, d: f}", "    c: {True: e}", "    c: {d: e} f", "    c: {d}", "    c: {d: e", "    c: [d,\n    e]", "    c: [[d]]", "    c: [d: e]", "    c: [d,,e]", "    c: [d] e",
		"    \"c\": d", "    c: d\n      e", "    c: \"d", "    c: 'd", "    c: \"d\\n\"", "    c: \"d\" e",
		"    c: !!str d", "    c: @d", "    c: `d", "    c: %d", "    c: d: e", "    c: d:", "    ? c", "     c: d",
		"   c: d", "    x: d", "  a:", "  'a':", "  \"C\":", "  \"c\":", "  C:", "  1:", "  null:", "  c: {}", "  c: d", "---", "...", "other: d",
		"profiles:", "    c:\n      - d\n     - e", "    c:\n      - - d", "    c:\n      -", "    c:\n        d:\n          e: f", "    c:\n        d: {e: f}",
		"    c:\n        d: e\n        d: f", "    c:\n        d: e\n       f: g", "    c:\n        d: e\n        - f", "    c:\n      - d\n      e: f",
		"    c:\n        \"d\": e", "    c:\n        null: e", "    c:\n        <<: *d", "    - c",
		"    c: d\n    - e", "    c: \x00", "    c: \xff", "    c: \u2028", "    c: \u0085", "    c: \rd", "    c: -d", "    c: ?d",
	}
	for _, line := range lines {
		if _, odd, _ := Scan(fmt.Appendf(nil, around, line)); odd == 0 {
			t.Errorf("%q is not declined", line)
		}
	}
	for _, text := range []string{
		"include: {a: b}\n", "include:\n  a: b\n", "include:\n  a\n", "include: a\n- b\n", "include: a\n  - b\n",
		"include:\n- a\n  - b\n", "include:\n  - a\n- b\n", "include:\n- a: b\n", "include: a\ninclude: b\n",
		"bases:\n  a: {b: c}\n    d: e\n", "bases:\n  a: {b: c}\n    - d\n", "bases: {a: {b: c}}\n", "x-a: b\nprofiles:\n",
		"bases:\n  a: {b: c, b: d}\n", "bases:\n  a: {b: {c: {d: e}}}\n", "bases:\n  a: {b: {c: d, c: e}}\n", "bases:\n  a: {b: [{c: d}]}\n", "bases:\n  a: {b}\n", "bases:\n  a: {b: c\n", "bases:\n  a: {b: }\n",
		"bases:\n  a: {b:c}\n", "bases:\n  a: {b: c: d}\n", "bases:\n  a: {b: c #d}\n", "bases:\n  a: {b: &c d}\n", "bases:\n  a: {<<: *c}\n",
		"bases:\n  a: {b: c} d\n", "bases:\n  a: {,}\n", "bases:\n  a: {b: c,, d: e}\n", "bases:\n  a: {b: c:}\n", "bases:\n  a: {\"b\": c}\n",
	} {
		if _, odd, _ := Scan([]byte(text)); odd == 0 {
			t.Errorf("%q is not declined", text)
		}
	}
	if _, odd, _ := Scan([]byte("\ufeffprofiles:\n")); odd == 0 {
		t.Error("a byte order mark is not declined")
	}
}

// TestScanKnowsMaps reads settings that are mappings, in each form that people write.
func TestScanKnowsMaps(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"    c: {d: e, X-Api-Key: 'f', g: [h]} # i", "    c: {}", "    c:\n        d: e # f\n\n        X-Api-Key: env:K",
		"    c: # d\n      # e\n      f: \"g\"\n      h:\n    i: [j]\n    k:\n    - l", "    c:\n      d: e\n    f:\n      d: e",
	} {
		if _, odd, _ := Scan([]byte("profiles:\n  a:\n    x: 1\n" + text + "\n  b: {c: {D: e}, f: g}\n")); odd > 0 {
			t.Errorf("%q is declined at line %d", text, odd)
		}
	}
}

// TestPrintableLine puts every byte at every place of two words.
func TestPrintableLine(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		for at := range 16 {
			line := []byte(strings.Repeat("x", 16))
			line[at] = byte(c)
			if want := c >= 0x20 && c <= 0x7e; printableLine(line) != want {
				t.Fatalf("byte %#x at %d: %v", c, at, !want)
			}
		}
	}
	if !printableLine([]byte("løsning på tværs")) || printableLine([]byte("a\u0085b\u2028c\u00a0d")) {
		t.Error("characters beyond ASCII")
	}
}
