package session

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/cli/verb"
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
		d := verb.New(t.Context(), verb.World{LookupEnv: func(name string) (string, bool) {
			v, ok := map[string]string{"BROWSER": chosen, "PATH": dir}[name]
			return v, ok
		}}, nil, "")
		if got := firstBrowser(d, address); got != want && (!strings.HasSuffix(want, ": ") || !strings.HasPrefix(got, want)) {
			t.Errorf("BROWSER=%q starts %q, want %q", chosen, got, want)
		}
	}
}

// firstBrowser is what would be started, or why nothing is.
func firstBrowser(d *verb.Deps, address string) string {
	var failed error
	for _, b := range browsers(d) {
		path, args, err := b.command(address)
		if err == nil {
			return strings.Join(slices.Concat([]string{filepath.Base(path)}, args), "|")
		}
		failed = err
	}
	return failed.Error()
}
