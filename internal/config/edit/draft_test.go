package edit

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/setting"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// two has a profile of each form.
const two = `default_profile: calls
profiles:
  calls:
    provider: talkdesk
    account: acme
    region: eu
    client_id: abc
    client_secret: env:CALLS_SECRET
    scopes: [x, y]
  engage: {provider: pexip, account: other}
`

// team is a file as people write it, the one that scan is tested with.
func team(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "testdata", "team.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// newProfile is what the tests add; its lines follow.
func newProfile() []Setting {
	return []Setting{
		{Key: "provider", Text: "pexip"},
		{Key: "client_id", Text: "0123"},
		{Key: "client_secret", Kind: setting.Secret, Text: "env:NEW"},
		{Key: "scopes", Kind: setting.List, List: []string{"a:b", "true"}},
		{Key: "pkce", Kind: setting.Bool, Text: "false"},
	}
}

const added = `  new:
    provider: pexip
    client_id: "0123"
    client_secret: env:NEW
    scopes: ['a:b', "true"]
    pkce: false
`

// edited runs one edit on text and returns the new text or the error's.
func edited(text string, change func(*draft) error) (string, error) {
	out, err := changed([]byte(text), change)
	return string(out), err
}

func addNew(d *draft) error { return d.add("new", newProfile()) }

func TestAdd(t *testing.T) {
	t.Parallel()
	const head = "# mine\nprofiles: # all of them\n  # the first\n  a:\n    x: 1 # one\n\n"
	deep := strings.ReplaceAll(strings.ReplaceAll(added, "  ", "   "), "\n", "\r\n")
	tests := map[string]struct{ text, want string }{
		"empty file":       {"", "profiles:\n" + added},
		"comments only":    {"# c\n", "# c\nprofiles:\n" + added},
		"marker only":      {"---\n", "---\nprofiles:\n" + added},
		"no profiles":      {"default_profile: new\n", "default_profile: new\nprofiles:\n" + added},
		"null":             {"profiles:\n# c\n", "profiles:\n" + added + "# c\n"},
		"null word":        {"profiles: null # c\n", "profiles: # c\n" + added},
		"empty flow":       {"profiles: { } # c\ndefault_profile: a\n", "profiles: # c\n" + added + "default_profile: a\n"},
		"at the end":       {head, "# mine\nprofiles: # all of them\n  # the first\n  a:\n    x: 1 # one\n" + added + "\n"},
		"before a key":     {head + "# the default\ndefault_profile: a\n", strings.TrimSuffix(head, "\n") + added + "\n# the default\ndefault_profile: a\n"},
		"indented comment": {"profiles:\n  a:\n    x: 1\n    # y: 2\n", "profiles:\n  a:\n    x: 1\n    # y: 2\n" + added},
		"no final newline": {"profiles:\n  a:\n    x: 1", "profiles:\n  a:\n    x: 1\n" + strings.TrimSuffix(added, "\n")},
		"block scalar":     {"profiles:\n  a:\n    x: |\n      # no comment\n\n      y\n", "profiles:\n  a:\n    x: |\n      # no comment\n\n      y\n" + added},
		"end marker":       {"profiles:\n  a:\n    x: 1\n...\n# end\n", "profiles:\n  a:\n    x: 1\n" + added + "...\n# end\n"},
		"default a list":   {"default_profile: [b]\nprofiles:\n  a:\n    x: 1\n", "default_profile: [b]\nprofiles:\n  a:\n    x: 1\n" + added},
		"keys in quotes":   {"\"profiles\":\n  'a':\n    x: 1\n", "\"profiles\":\n  'a':\n    x: 1\n" + added},
		"crlf, deep":       {"profiles:\r\n   a:\r\n      x: 1\r\n", "profiles:\r\n   a:\r\n      x: 1\r\n" + deep},
	}
	for name, tt := range tests {
		got, err := edited(tt.text, addNew)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAddDeclines(t *testing.T) {
	t.Parallel()
	const unsure = "cannot be changed safely: it is in a style that authctl does not edit"
	paste := "add this by hand:\n" + strings.TrimSuffix(added, "\n")
	inProfiles := strings.Replace(paste, "\n", "\nprofiles:\n", 1)
	tests := map[string]struct{ text, problem, suggestion string }{
		"flow profiles": {"profiles: {a: {x: 1}}\n", unsure, paste},
		"flow root":     {"{default_profile: a}\n", unsure, inProfiles},
		"end, no key":   {"default_profile: a\n...\n", "cannot be changed safely: the result would not be what it should", inProfiles},
		"exists":        {"profiles:\n  new:\n    x: 1\n", "exists already", "choose another name; or change the one there: authctl profile set new KEY=VALUE, or client_secret"},
		"syntax":        {"profiles: [\n", "is not valid YAML: did not find expected node content", ""},
		"unknown key":   {"profile: {}\n", "is not a known key", "did you mean profiles?"},
		"not a mapping": {"profiles: 12\n", "must be a mapping of names to profiles", ""},
		"twice":         {"profiles:\n  a: {}\n  a: {}\n", "is given twice", ""},
	}
	for name, tt := range tests {
		_, err := edited(tt.text, addNew)
		e, _ := errors.AsType[*setting.Error](err)
		if e == nil || e.Problem != tt.problem || e.Help != tt.suggestion {
			t.Errorf("%s: %v\n%+v", name, err, e)
		}
	}
}

const three = `# mine
default_profile: b # the usual

profiles:
  # a's own
  a:
    x: 1

  # b's own
  # and more
  b:
    x: 1
    # y: 2

  c: {x: 1}
# the end
`

func TestRemove(t *testing.T) {
	t.Parallel()
	drop := func(text string, parts ...string) string {
		for _, part := range parts {
			text = strings.Replace(text, part, "", 1)
		}
		return text
	}
	b := "  # b's own\n  # and more\n  b:\n    x: 1\n    # y: 2\n\n"
	tests := map[string]struct{ text, name, want string }{
		"first":          {three, "a", drop(three, "  # a's own\n  a:\n    x: 1\n\n")},
		"the default":    {three, "b", drop(three, b, "default_profile: b # the usual\n")},
		"default behind": {drop(three, "default_profile: b # the usual\n") + "default_profile: b", "b", strings.TrimSuffix(drop(three, b, "default_profile: b # the usual\n"), "\n")},
		"last":           {three, "c", drop(three, "  c: {x: 1}\n")},
		"last, in gap":   {"profiles:\n  a:\n    x: 1\n\n  b:\n    x: 1\n", "b", "profiles:\n  a:\n    x: 1\n"},
		"the only one":   {"profiles:\n  a:\n    x: 1\n", "a", "profiles:\n"},
		"end marker":     {"---\nprofiles:\n  a:\n    x: 1\n...\n", "a", "---\nprofiles:\n...\n"},
		"keys in quotes": {"'profiles':\n  \"a\":\n    x: 1\n", "a", "'profiles':\n"},
		"crlf, bare":     {"profiles:\r\n  a:\r\n    x: 1\r\n  b:\r\n    x: 1", "b", "profiles:\r\n  a:\r\n    x: 1"},
	}
	for name, tt := range tests {
		got, err := edited(tt.text, func(d *draft) error { return d.remove(tt.name) })
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	_, err := edited(three, func(d *draft) error { return d.remove("d") })
	if !errors.Is(err, config.ErrNoProfile) {
		t.Errorf("unknown: %v", err)
	}
	_, err = edited("profiles:\n  a: &x {y: 1}\n  b: *x\n", func(d *draft) error { return d.remove("a") })
	if e, ok := errors.AsType[*setting.Error](err); !ok || !strings.HasPrefix(e.Problem, "cannot be changed safely") {
		t.Errorf("an anchor in use: %v", err)
	}
}

func TestAddThenRemove(t *testing.T) {
	t.Parallel()
	for _, text := range []string{three, two, team(t), strings.ReplaceAll(three, "\n", "\r\n"), "profiles:\n  a:\n    x: 1"} {
		with, err := edited(text, addNew)
		if err != nil {
			t.Fatal(err)
		}
		got, err := edited(with, func(d *draft) error { return d.remove("new") })
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestSetDefault(t *testing.T) {
	t.Parallel()
	const body = "profiles:\n  a: {x: 1}\n  on: {x: 1}\n"
	tests := map[string]struct{ text, name, want string }{
		"plain":           {"default_profile:  on # c\n" + body, "a", "default_profile:  a # c\n" + body},
		"double quotes":   {"default_profile: \"on\"  # c\n" + body, "a", "default_profile: a  # c\n" + body},
		"single quotes":   {"default_profile: 'on'\n" + body, "a", "default_profile: a\n" + body},
		"empty":           {"default_profile:\n" + body, "a", "default_profile: a\n" + body},
		"empty, comment":  {"default_profile: # c\n" + body, "a", "default_profile: a # c\n" + body},
		"the same":        {"default_profile: a\n" + body, "a", "default_profile: a\n" + body},
		"behind":          {body + "default_profile: x", "a", body + "default_profile: a"},
		"needs quotes":    {"profiles:\n  '12': {x: 1}\n", "12", "default_profile: \"12\"\nprofiles:\n  '12': {x: 1}\n"},
		"none":            {body, "a", "default_profile: a\n" + body},
		"file's comment":  {"# mine\n" + body, "a", "# mine\ndefault_profile: a\n" + body},
		"key's comment":   {"# mine\n\n# all\n" + body, "a", "# mine\n\ndefault_profile: a\n# all\n" + body},
		"end marker":      {body + "...\n", "a", "default_profile: a\n" + body + "...\n"},
		"braces":          {"profiles: {a: {x: 1}}\n", "a", "default_profile: a\nprofiles: {a: {x: 1}}\n"},
		"lines of braces": {"default_profile: b\nprofiles: {\n  a: {x: 1}\n}\n", "a", "default_profile: a\nprofiles: {\n  a: {x: 1}\n}\n"},
		"a list":          {"default_profile: [b] # c\n" + body, "a", "default_profile: a # c\n" + body},
		"in quotes":       {"'default_profile': b\n" + body, "a", "'default_profile': a\n" + body},
		"odd profile":     {"profiles:\n  ? a\n  : {x: 1}\n", "a", "default_profile: a\nprofiles:\n  ? a\n  : {x: 1}\n"},
		"after a marker":  {"---\n" + body, "a", "---\ndefault_profile: a\n" + body},
		"carriage return": {"default_profile: x\r\n" + strings.ReplaceAll(body, "\n", "\r\n"), "a", "default_profile: a\r\n" + strings.ReplaceAll(body, "\n", "\r\n")},
	}
	for name, tt := range tests {
		got, err := edited(tt.text, func(d *draft) error { return d.setDefault(tt.name, nil) })
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	_, err := edited(body, func(d *draft) error { return d.setDefault("b", nil) })
	if !errors.Is(err, config.ErrNoProfile) {
		t.Errorf("unknown: %v", err)
	}
	for _, text := range []string{"{profiles: {a: {x: 1}}}", "profiles:\n  ? a\n  : {x: 1}\ndefault_profile: b\n"} {
		_, err = edited(text, func(d *draft) error { return d.setDefault("a", nil) })
		if e, ok := errors.AsType[*setting.Error](err); !ok || e.Help != "add this by hand:\ndefault_profile: a" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestEditFile(t *testing.T) {
	t.Parallel()
	path := writeFile(t, two)
	if err := Add(at(t, path), "new", newProfile()); err != nil {
		t.Fatal(err)
	}
	if err := Add(at(t, path), "new", newProfile()); !errors.Is(err, ErrExists) {
		t.Errorf("a taken name: %v", err)
	}
	if err := SetDefault(at(t, path), "new"); err != nil {
		t.Fatal(err)
	}
	if err := Remove(at(t, path), "calls"); err != nil {
		t.Fatal(err)
	}
	f, err := config.Load(config.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	names, _ := f.Names()
	fallback, _ := f.Default()
	if diff := cmp.Diff([]string{"engage", "new", "new"}, append(names, fallback)); diff != "" {
		t.Error(diff)
	}
	err = Add(at(t, path), "Not good", nil)
	if e, ok := errors.AsType[*setting.Error](err); !ok || e.Path != path {
		t.Errorf("a bad name: %v", err)
	}
}

// TestEditRace changes the file between the reading and the replacing.
func TestEditRace(t *testing.T) {
	t.Parallel()
	path := writeFile(t, two)
	err := apply(at(t, path), func(d *draft) error {
		if err := os.WriteFile(path, []byte(three), 0o600); err != nil {
			return err
		}
		return d.setDefault("engage", nil)
	})
	if e, ok := errors.AsType[*setting.Error](err); !ok || e.Problem != "was changed by somebody else meanwhile" {
		t.Errorf("error %v", err)
	}
	if text, _ := os.ReadFile(path); string(text) != three {
		t.Error("the other's change is lost")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".config-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// FuzzEdit checks that an edit either declines or changes what it should and
// drops or reorders none of the other lines.
func FuzzEdit(f *testing.F) {
	for _, text := range []string{"", two, three, team(f), "profiles: {}", "---\nprofiles:\n a:\n  b: |\n   c\n# d"} {
		f.Add([]byte(text), "a")
		f.Add([]byte(strings.ReplaceAll(text, "\n", "\r\n")), "b")
	}
	f.Add([]byte("include: [a]\nx-a: &a\n  b: c\nprofiles:\n  d: {e: f, g: [h]}\n  i: *a\n\n"+
		"# j\nbases:\n  k: {l: m}\nstore: file\n"), "n")
	f.Fuzz(func(t *testing.T, text []byte, value string) {
		values := []Setting{{Key: "provider", Text: value}, {Key: "scopes", Kind: setting.List, List: []string{value, "b"}}}
		with, err := changed(text, func(d *draft) error { return d.add("new", values) })
		if err != nil {
			return
		}
		contains(t, with, text)
		was, got := profilesOf(t, text), profilesOf(t, with)
		was["new"] = map[string]any{"provider": value, "scopes": []any{value, "b"}}
		if diff := cmp.Diff(was, got); diff != "" {
			t.Fatal(diff)
		}
		chosen, err := changed(with, func(d *draft) error { return d.setDefault("new", nil) })
		if err != nil {
			return
		}
		without, err := changed(chosen, func(d *draft) error { return d.remove("new") })
		if err != nil {
			return
		}
		contains(t, chosen, without)
	})
}

// profilesOf parses a configuration.
func profilesOf(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var doc struct{ Profiles map[string]any }
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatalf("it does not parse: %v\n%s", err, text)
	}
	if doc.Profiles == nil {
		return map[string]any{}
	}
	return doc.Profiles
}

// contains fails the test unless the lines of part are lines of text, in order.
// A line with only profiles: or default_profile: may have got another value.
func contains(t *testing.T, text, part []byte) {
	t.Helper()
	lines := bytes.Split(text, []byte("\n"))
	for line := range bytes.SplitSeq(part, []byte("\n")) {
		line = bytes.TrimRight(line, "\r")
		if bytes.HasPrefix(line, []byte("profiles:")) || len(line) == 0 {
			continue
		}
		for len(lines) > 0 && !bytes.Equal(bytes.TrimRight(lines[0], "\r"), line) {
			lines = lines[1:]
		}
		if len(lines) == 0 {
			t.Fatalf("line %q is lost or moved:\n%s\n%s", line, part, text)
		}
		lines = lines[1:]
	}
}

// at reads the file at path, which may be missing.
func at(t *testing.T, path string) *config.File {
	t.Helper()
	f, err := config.Load(config.Options{Path: path, New: true})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// writeFile writes a file that only its owner can write, and returns its path.
func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestEditKeepsMark changes a file that an editor of Windows wrote.
func TestEditKeepsMark(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "\uFEFF"+strings.ReplaceAll(two, "\n", "\r\n"))
	if err := SetDefault(at(t, path), "engage"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(text), "\uFEFF") || strings.Count(string(text), "\uFEFF") != 1 ||
		!strings.Contains(string(text), "default_profile: engage\r\n") {
		t.Errorf("%q, %v", text, err)
	}
	f, err := config.Load(config.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if name, err := f.Default(); name != "engage" || err != nil {
		t.Errorf("the default is %q, %v", name, err)
	}
	path = writeFile(t, "\xFF\xFEp\x00")
	err = SetDefault(at(t, path), "engage")
	if e, ok := errors.AsType[*setting.Error](err); !ok || e.Problem != "is in UTF-16" || e.Help == "" {
		t.Errorf("UTF-16: %v", err)
	}
}

// TestSetTop writes the store into files of every kind.
func TestSetTop(t *testing.T) {
	t.Parallel()
	values := []Setting{{Key: "store", Text: "file"}, {Key: "store_key", Text: "file:~/a b.key"}}
	const lines = "store: file\nstore_key: file:~/a b.key\n"
	for name, row := range map[string]struct{ text, want string }{
		"none":      {"", lines},
		"comment":   {"# mine\n", "# mine\n" + lines},
		"bare":      {"# mine", "# mine\n" + strings.TrimSuffix(lines, "\n")},
		"profiles":  {"# mine\n\n# all\nprofiles: {}\n", "# mine\n\n" + lines + "# all\nprofiles: {}\n"},
		"in place":  {"store: # here\nprofiles:\n", "store_key: file:~/a b.key\nstore: file # here\nprofiles:\n"},
		"same":      {"store: 'file'\n" + two, "store_key: file:~/a b.key\nstore: 'file'\n" + two},
		"odd":       {"x-a: &a\n  b: [c,\n  d]\n" + two, lines + "x-a: &a\n  b: [c,\n  d]\n" + two},
		"braces":    {"{store_password: 'env:X'}\n", ""},
		"something": {"store: keyring\n", ""},
		"a list":    {"store: [file]\nprofiles: {}", ""},
	} {
		got, err := changed([]byte(row.text), func(d *draft) error { return d.setTop(values) })
		if string(got) != row.want || (err == nil) != (row.want != "") {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
	_, err := changed([]byte("# x\nstore: keyring\n"), func(d *draft) error { return d.setTop(values) })
	if e, ok := errors.AsType[*setting.Error](err); !ok || !errors.Is(err, ErrExists) || e.Line != 2 || e.Name != "store" {
		t.Errorf("another value: %v", err)
	}
}
