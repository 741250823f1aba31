package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/secret/source"
	"github.com/google/go-cmp/cmp"
)

// team is the kind of file that scan is for, as people write it.
func team(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "team.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestScan(t *testing.T) {
	t.Parallel()
	text := strings.Replace(team(t), "løs-nothing", "los-nothing", 1)
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
	compare(t, []byte(text))
	compare(t, []byte(strings.ReplaceAll(text, "\n", "\r\n")))
}

// TestScanDeclines puts one odd thing each into a file.
func TestScanDeclines(t *testing.T) {
	t.Parallel()
	const around = "profiles:\n  a:\n    x: 1\n%s\n  b:\n    x: 1\n"
	lines := []string{
		"\tc: d", "    c:\td", "    c: &d e", "    c: *d", "    <<: *d", "    c: |\n      d", "    c: >\n      d",
		"    c: {d: e}", "    c: [d,\n    e]", "    c: [[d]]", "    c: [d: e]", "    c: [d,,e]", "    c: [d] e",
		"    \"c\": d", "    c: d\n      e", "    c: \"d", "    c: 'd", "    c: \"d\\n\"", "    c: \"d\" e",
		"    c: !!str d", "    c: @d", "    c: `d", "    c: %d", "    c: d: e", "    c: d:", "    ? c", "     c: d",
		"   c: d", "    x: d", "  a:", "  'a':", "  \"C\":", "  \"c\":", "  C:", "  1:", "  null:", "  c: {}", "  c: d", "---", "...", "other: d",
		"profiles:", "    c:\n      - d\n     - e", "    c:\n      - - d", "    c:\n      -", "    c:\n        d: e", "    - c",
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
		"bases:\n  a: {b: c, b: d}\n", "bases:\n  a: {b: {c: d}}\n", "bases:\n  a: {b}\n", "bases:\n  a: {b: c\n", "bases:\n  a: {b: }\n",
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

// compare checks that parsing each profile by itself gives what parsing the
// whole file gives, wherever scan accepts the text.
func compare(t *testing.T, text []byte) {
	t.Helper()
	l, odd, _ := Scan(text)
	if odd > 0 {
		return
	}
	whole, err := parse(text, 0)
	if err != nil {
		t.Fatalf("accepted, but %v\n%s", err, text)
	}
	compareEntries(t, text, l.Profiles, profiles, whole)
	compareEntries(t, text, l.Bases, bases, whole)
	for _, key := range append(topScalars(), "include") {
		compareKey(t, text, l.Key(key), key, whole)
	}
}

func compareEntries(t *testing.T, text []byte, spans []Span, k kind, whole *document) {
	t.Helper()
	var names []string
	for _, at := range spans {
		names = append(names, at.Name)
		one, err := parse(append([]byte(k.key()+":\n"), text[at.Start:at.End]...), at.Line-2)
		if err != nil {
			t.Fatalf("%s by itself: %v\n%s", at.Name, err, text)
		}
		wantValues, wantKey, wantNode := whole.entry(k, at.Name)
		values, key, node := one.entry(k, at.Name)
		if diff := cmp.Diff(wantValues, values); diff != "" {
			t.Errorf("%s: %s\n%s", at.Name, diff, text)
		}
		if one.line(key) != whole.line(wantKey) || one.line(node) != whole.line(wantNode) {
			t.Errorf("%s: lines %d %d, want %d %d", at.Name, one.line(key), one.line(node), wantKey.Line, wantNode.Line)
		}
	}
	if diff := cmp.Diff(whole.names(k), names); diff != "" {
		t.Errorf("%s\n%s", diff, text)
	}
}

// compareKey checks that a key at the margin by itself means what it means in the whole.
func compareKey(t *testing.T, text []byte, at Span, name string, whole *document) {
	t.Helper()
	key, _ := lookup(whole.root, name)
	if at.Line != whole.line(key) {
		t.Fatalf("%s at line %d, want %d\n%s", name, at.Line, whole.line(key), text)
	}
	if key == nil {
		return
	}
	one, err := parse(text[at.Start:at.End], at.Line-1)
	if err != nil {
		t.Fatalf("%s by itself: %v\n%s", name, err, text)
	}
	if diff := cmp.Diff(whole.values.Get(name), one.values.Get(name)); diff != "" {
		t.Errorf("%s: %s\n%s", name, diff, text)
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte(team(f)))
	f.Add([]byte(two))
	f.Add([]byte("profiles:\n  a:\n  # x\n    b: c\n #y\n  d:\n    e:\n    - \"f\"\n# z"))
	f.Add([]byte("profiles:\n  \"12\":\n    a: b\n  'c': {d: e, f: [g, 'h:i'], j: env:K, l: } # m\n  2nd: {}\n"))
	f.Add([]byte("profiles: {} # c\ndefault_profile: on\n"))
	f.Add([]byte("---\nprofiles: # c\n a:\n  b: ~\n  c: [a:b, 'x', \"y\",]\ndefault_profile: 'a' # b\n"))
	f.Add([]byte("include: [a.yaml, 'b c']\nstore: file\nbases:\n  t: {p: q, r: [s, 't'], u: \"v w\"} # x\nprofiles:\n"))
	f.Add([]byte("include: # y\n- a\n- ~/b.yaml\n\nbases: {}\nprofiles:\n  a: {extends: t, b: file:/c/d, e: https://f.g/h,}\n"))
	f.Add([]byte("include:\n  - 'a'\nbases:\n  t:\n    a: b\nprofiles:\n  t: { b: file:~/x }\n  u:\n    c: d\nstore_key: file:~/k\n"))
	f.Add([]byte("x-a: &a\n  b: c\nprofiles:\n  d:\n    <<: *a\n"))
	f.Fuzz(func(t *testing.T, text []byte) { compare(t, text) })
}

// many is a file with n profiles of some 200 bytes each.
func many(n int) string {
	var b strings.Builder
	b.WriteString("default_profile: p0\nprofiles:\n")
	for i := range n {
		fmt.Fprintf(&b, "  p%d:\n    provider: talkdesk\n    account: account-%d\n    region: eu # of the customer\n", i, i)
		fmt.Fprintf(&b, "    client_id: 0f3c9d1e-%d\n    client_secret: file:/run/secrets/talkdesk-%d\n", i, i)
		b.WriteString("    scopes: [calls:read, contacts:write]\n\n")
	}
	return b.String()
}

func BenchmarkProfile(b *testing.B) {
	for _, n := range []int{1, 1000} {
		simple := many(n)
		anchored := strings.Replace(simple, "account-0", "&anchor account-0", 1)
		for kind, text := range map[string]string{"scanned": simple, "whole": anchored} {
			b.Run(fmt.Sprintf("%s/profiles=%d", kind, n), func(b *testing.B) {
				o := Options{Path: writeFile(b, text), Fetcher: &source.Fetcher{Env: environment()}, Services: services()}
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					f, err := Load(o)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := f.Profile(fmt.Sprintf("p%d", n-1), nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkViper is what viper and the YAML parser cost for one small profile,
// without any of our own.
func BenchmarkViper(b *testing.B) {
	text := []byte(many(1))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parse(text, 0); err != nil {
			b.Fatal(err)
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
