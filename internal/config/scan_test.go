package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/config/scan"
	"github.com/authctl/authctl/internal/providers"
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

// TestScanMeansWhatIsParsed compares the sample's parts by themselves with the whole.
func TestScanMeansWhatIsParsed(t *testing.T) {
	t.Parallel()
	text := strings.Replace(team(t), "løs-nothing", "los-nothing", 1)
	compare(t, []byte(text))
	compare(t, []byte(strings.ReplaceAll(text, "\n", "\r\n")))
}

// compare checks that parsing each profile by itself gives what parsing the
// whole file gives, wherever scan accepts the text.
func compare(t *testing.T, text []byte) {
	t.Helper()
	l, odd, _ := scan.Scan(text)
	if odd > 0 {
		return
	}
	whole, err := parse(text, 0)
	if err != nil {
		t.Fatalf("accepted, but %v\n%s", err, text)
	}
	compareEntries(t, text, l.Profiles, profiles, whole)
	compareEntries(t, text, l.Bases, bases, whole)
	for _, key := range append(scan.Scalars(), "include") {
		compareKey(t, text, l.Key(key), key, whole)
	}
}

func compareEntries(t *testing.T, text []byte, spans []scan.Span, k kind, whole *document) {
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
func compareKey(t *testing.T, text []byte, at scan.Span, name string, whole *document) {
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
	f.Add([]byte("profiles:\n  a: {b: {c: d, E-f: 'g', h: [i]}, j: {}}\n  k:\n    l: # m\n      n: o\n\n      P: \"q\"\n    r: {S: t}\n"))
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
				o := Options{Path: writeFile(b, text), Fetcher: &source.Fetcher{Env: environment()}, Services: providers.These(services()...)}
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
