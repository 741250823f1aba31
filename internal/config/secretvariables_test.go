package config

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf16"

	"github.com/authctl/authctl/internal/secret/source"
	"github.com/google/go-cmp/cmp"
)

func TestVariablesIn(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"": nil,
		"profiles:\n  a:\n    client_secret: env:A\n    api_key:  env: B # why\r\n  b: {x: env:C, y: 'env:D'}\n": {"A", "B", "C", "D"},
		"z: [ \"env:E\" ]\nbroken: [\nclient_secret: env:F":                                                      {"E", "F"},
		"env:\nenv:env:G": {"env:G", "G"},
		"provider: genesys\nenvironment: production\n": nil,
	} {
		if diff := cmp.Diff(want, variablesIn([]byte(text))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestVariablesOfWhatTheParserReads(t *testing.T) {
	t.Parallel()
	wide := func(text string, order binary.AppendByteOrder) string {
		out := order.AppendUint16(nil, 0xFEFF)
		for _, unit := range utf16.Encode([]rune(text)) {
			out = order.AppendUint16(out, unit)
		}
		return string(out)
	}
	const plain = "profiles:\n  a:\n    client_secret: env:A\n"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"plain":                 {plain, []string{"A"}},
		"byte order mark":       {"\uFEFF" + plain, []string{"A"}},
		"UTF-16, little end":    {wide(plain, binary.LittleEndian), []string{"A"}},
		"UTF-16, big end":       {wide(plain, binary.BigEndian), []string{"A"}},
		"folded":                {"profiles:\n  a:\n    client_secret: >-\n      env:\n      A\n", []string{"A"}},
		"literal":               {"profiles:\n  a:\n    client_secret: |\n      env:A\n", []string{"A"}},
		"over lines, quoted":    {"profiles:\n  a:\n    client_secret: \"env:\n      A\"\n", []string{"A"}},
		"with a broken line":    {"profiles:\n  a:\n    client_secret: \"en\\\n      v:A\"\n", []string{"A"}},
		"escaped":               {"profiles:\n  a:\n    client_secret: \"\\x65nv:\\u0041\"\n", []string{"A"}},
		"binary":                {"profiles:\n  a:\n    client_secret: !!binary ZW52OkE=\n", []string{"A"}},
		"an anchor":             {"x-a: &a {client_secret: env:A}\nprofiles: {a: *a, b: {api_key: 'env:B'}}\n", []string{"A", "B"}},
		"in a list":             {"x: [[env:A], [env: B]]\n", []string{"A"}},
		"a comment names none":  {"# env:NO\nprofiles:\n  a: {client_secret: env:A}\n", []string{"A"}},
		"no YAML, as it stands": {"profiles: [\n client_secret: env:A", []string{"A"}},
	} {
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Load(Options{Path: path, Fetcher: &source.Fetcher{Env: func(string) (string, bool) { return "", false }}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append([]string{}, c.want...), f.layers[0].variables()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
