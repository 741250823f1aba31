package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/process"
)

// TestBrowserCommand has what people put into $BROWSER, and what it starts: the first command
// whose program is there.
func TestBrowserCommand(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a script is no program there")
	}
	dir := t.TempDir()
	for _, name := range []string{"x", "y", "with blank", "xdg-open", "open"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	own := map[string]string{"darwin": "open"}[runtime.GOOS]
	if own == "" {
		own = "xdg-open"
	}
	const address = "https://id.example/authorize?a=1&scope=a%20b"
	for chosen, want := range map[string]string{
		"":                               own + "|" + address,
		" : ":                            own + "|" + address,
		"x":                              "x|" + address,
		"x %s":                           "x|" + address,
		"x --url=%s --new":               "x|--url=" + address + "|--new",
		"x %%s":                          "x|%s|" + address,
		"x 100%% %s %c":                  "x|100%|" + address + "|:",
		"x --new-window":                 "x|--new-window|" + address,
		"x  -a  b":                       "x|-a|b|" + address,
		"x 'a b' \"c d\" ''":             "x|a b|c d||" + address,
		"gone:y":                         "y|" + address,
		"gone -a %s:also-gone:x -b:y":    "x|-b|" + address,
		":x":                             "x|" + address,
		dir + "/y":                       "y|" + address,
		dir + "/with blank":              "with blank|" + address,
		"'" + dir + "/with blank' -n %s": "with blank|-n|" + address,
		"gone":                           "gone: ",
		"./gone %s":                      "./gone: ",
	} {
		a := newApp(t.Context(), verb.World{LookupEnv: func(name string) (string, bool) {
			v, ok := map[string]string{"BROWSER": chosen, "PATH": dir}[name]
			return v, ok
		}})
		if got := firstBrowser(a, address); got != want && (!strings.HasSuffix(want, ": ") || !strings.HasPrefix(got, want)) {
			t.Errorf("BROWSER=%q starts %q, want %q", chosen, got, want)
		}
	}
}

// firstBrowser is what would be started, or why nothing is.
func firstBrowser(a *app, address string) string {
	var failed error
	for _, b := range a.browsers() {
		path, args, err := b.command(address)
		if err == nil {
			return strings.Join(slices.Concat([]string{filepath.Base(path)}, args), "|")
		}
		failed = err
	}
	return failed.Error()
}

// TestProgramIsFoundAsByExecvp: what the user names is looked for in all of PATH, what authctl
// chooses only in directories that do not depend on where one is.
func TestProgramIsFoundAsByExecvp(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes are not kept there")
	}
	dir := t.TempDir()
	t.Chdir(dir)
	for name, mode := range map[string]os.FileMode{
		"bin/tool": 0o700, "bin/curl": 0o700, "later/curl": 0o700, "bin/text": 0o600, "later/both": 0o700, "bin/both": 0o600, "here": 0o700,
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("bin/dir", 0o700); err != nil {
		t.Fatal(err)
	}
	const list = "./bin:bin:"
	later := filepath.Join(dir, "later")
	for _, c := range []struct {
		path, name string
		own        bool
		want       string // a path, else the exit code
	}{
		{list + later, "tool", false, "./bin/tool"},
		{"bin", "tool", false, "bin/tool"},
		{"", "here", false, "127"},
		{":" + later, "here", false, "./here"},
		{".", "here", false, "./here"},
		{later, "./here", false, "./here"},
		{later, "bin/tool", false, "bin/tool"},
		{later, dir + "/bin/tool", false, dir + "/bin/tool"},
		{later, "tool", false, "127"},
		{"bin", "text", false, "126"},
		{"bin:" + later, "both", false, later + "/both"},
		{"bin", "dir", false, "127"},
		{"bin", "", false, "127"},
		{list + later, "curl", true, later + "/curl"},
		{".:bin:", "curl", true, "127"},
		{"./bin:/gone", "curl", true, "127"},
	} {
		a := newApp(t.Context(), verb.World{LookupEnv: func(name string) (string, bool) { return c.path, name == "PATH" }})
		find := a.FindProgram
		if c.own {
			find = a.FindOwnProgram
		}
		got, err := find(c.name)
		if child, ok := err.(*process.Error); ok { //nolint:errorlint // it is returned as it is
			got = map[int]string{126: "126", 127: "127"}[child.Code]
		}
		if got != c.want {
			t.Errorf("PATH=%s: %q (chosen by authctl: %t) is %q (%v), want %q", c.path, c.name, c.own, got, err, c.want)
		}
	}
}
