package verb

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/authctl/authctl/internal/process"
)

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
		d := New(t.Context(), World{LookupEnv: func(name string) (string, bool) { return c.path, name == "PATH" }}, nil, "")
		find := d.FindProgram
		if c.own {
			find = d.FindOwnProgram
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
