package files

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTidy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"abc":                       "abc",
		"\uFEFFabc":                 "abc",
		" abc\t":                    "abc",
		"abc\r\n":                   "abc",
		"\u00A0abc\u00A0":           "abc",
		"\u200Babc\u2060\uFEFF\n\n": "abc",
		"My Bank AB ":               "My Bank AB",
		"\uFEFF":                    "",
	} {
		if got := Tidy(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestTidySecret(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ secret, odd string }{
		"fake":                  {"fake", ""},
		"\uFEFFfake\r\n":        {"fake", ""},
		"fake\r\n\r\n":          {"fake", ""},
		"\nfake\uFEFF":          {"fake", ""},
		"fake \n":               {"fake ", "ends with a blank"},
		" fake":                 {" fake", "begins with a blank"},
		"\tfake ":               {"\tfake ", "begins and ends with a blank"},
		"two words":             {"two words", ""},
		"fa\u200Bke":            {"fa\u200Bke", "holds an invisible character (U+200B)"},
		"fake\u00A0":            {"fake\u00A0", "holds a blank that is not the usual one (U+00A0)"},
		"fa\r\nke\r\n":          {"fa\r\nke", "has more than one line"},
		"fake\x00":              {"fake\x00", "holds a control character (U+0000)"},
		"fake\x1A\r\n":          {"fake\x1A", "holds a control character (U+001A)"},
		"fa\x1B[Dke":            {"fa\x1B[Dke", "holds a control character (U+001B)"},
		"fa\xE4ke":              {"fa\xE4ke", "is not in UTF-8"},
		" \t\r\n":               {"", ""},
		"\u00A0 ":               {"", ""},
		"\uFEFF\r\n":            {"", ""},
		"-----BEGIN X-----\na":  {"-----BEGIN X-----\na", ""},
		"0\x82\x0A\x01\x00\r\n": {"0\x82\x0A\x01\x00\r\n", ""}, // PKCS#12
		"0\x80\x00\x00":         {"0\x80\x00\x00", ""},
		"MIIB+/\nAAA=\n":        {"MIIB+/\nAAA=", ""},
		"MI secret\nx":          {"MI secret\nx", "has more than one line"},
		"0123\r\n":              {"0123", ""},
	} {
		if got := TidySecret(text); got != want.secret || OddSecret(got) != want.odd {
			t.Errorf("%q becomes %q, %q", text, got, OddSecret(got))
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"abc": "abc", "\uFEFFabc": "abc", "": "", "a": "a",
		"\xFF\xFEa\x00": "is in UTF-16", "\xFE\xFF\x00a": "is in UTF-16", "a\x00b\x00": "is in UTF-16", "\x00a\x00b": "is in UTF-16",
	} {
		text, err := Text([]byte(raw))
		problem, wrong := errors.AsType[*Error](err)
		if got := string(text); !wrong && got != want || wrong && problem.Problem != want {
			t.Errorf("%q becomes %q, %v", raw, got, err)
		}
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	root := string(filepath.Separator)
	home, base := filepath.Join(root, "home", "jane"), filepath.Join(root, "etc")
	for text, want := range map[string]struct{ path, err string }{
		"":                   {"", ""},
		"~":                  {home, ""},
		"~/a/b":              {filepath.Join(home, "a", "b"), ""},
		" ~/a\r\n":           {filepath.Join(home, "a"), ""},
		"\uFEFFa":            {filepath.Join(base, "a"), ""},
		"a/b":                {filepath.Join(base, "a", "b"), ""},
		"./~a":               {filepath.Join(base, "~a"), ""},
		root + "x":           {root + "x", ""},
		"~root/a":            {"", errUserHome.Error()},
		"$HOME/a":            {"", errVariable.Error()},
		"${HOME}/a":          {"", errVariable.Error()},
		"/a/${USER}/b":       {"", errVariable.Error()},
		`%APPDATA%\a`:        {"", errVariable.Error()},
		"./$HOME":            {filepath.Join(base, "$HOME"), ""},
		"a$":                 {filepath.Join(base, "a$"), ""},
		"$":                  {filepath.Join(base, "$"), ""},
		"%/a%b":              {filepath.Join(base, "%", "a%b"), ""},
		`"/a"`:               {"", errQuoted.Error()},
		"'~/a'":              {"", errQuoted.Error()},
		"file:/a":            {"", errFileURL.Error()},
		"file:///a":          {"", errFileURL.Error()},
		"a\x00b":             {"", errNUL.Error()},
		"../a":               {filepath.Join(root, "a"), ""},
		"a ~/b":              {filepath.Join(base, "a ~", "b"), ""},
		root + "a/~/b":       {root + "a/~/b", ""},
		"\u200B~/zero-width": {filepath.Join(home, "zero-width"), ""},
	} {
		got, err := Place(text, home, base)
		if got != want.path || (err == nil) != (want.err == "") || err != nil && err.Error() != want.err {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
	for _, none := range []string{"", "relative"} {
		if _, err := Place("~/a", none, ""); !errors.Is(err, errNoHome) {
			t.Errorf("a home %q: %v", none, err)
		}
	}
	if got, err := Place("a", home, ""); got != "a" || err != nil {
		t.Errorf("without a base: %q, %v", got, err)
	}
}

func TestReadLimit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	// A hole: three gigabytes that are not there.
	if err := os.Truncate(path, 3<<30); err != nil {
		t.Skip(err)
	}
	_, err := Read(t.Context(), path, Rule{Limit: 1 << 10})
	if !errors.Is(err, ErrTooLong) {
		t.Errorf("error %v", err)
	}
	if _, err := ReadLimited(bytes.NewReader(make([]byte, 5)), 0, 5); err != nil {
		t.Errorf("all that is allowed: %v", err)
	}
}

func TestReplaceAndSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := time.Now().Add(-2 * time.Hour)
	for name, age := range map[string]time.Time{"1.tmp": old, "2.tmp": time.Now(), "kept.age": old, "dir.tmp/x": old} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600), os.Chtimes(path, age, age)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(filepath.Join(dir, "dir.tmp"), old, old); err != nil {
		t.Fatal(err)
	}
	write := func(text string, err error) func(*os.File) error {
		return func(f *os.File) error {
			_, wrote := io.WriteString(f, text)
			return errors.Join(wrote, err)
		}
	}
	path := filepath.Join(dir, "file")
	failed := errors.New("failed")
	if err := Replace(path, "*.tmp", write("one", nil)); err != nil {
		t.Fatal(err)
	}
	if err := Replace(path, "*.tmp", write("half", failed)); !errors.Is(err, failed) {
		t.Errorf("error %v", err)
	}
	if text, err := os.ReadFile(path); string(text) != "one" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if got := strings.Join(names, " "); got != "2.tmp dir.tmp file kept.age" {
		t.Errorf("left: %s", got)
	}
}
