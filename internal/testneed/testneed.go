// Package testneed tells what to do when a part that a test needs (a program, a Debian package, a Node module) is
// not on this machine: skip with the reason, or fail where nothing may be skipped.
package testneed

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Switch is the environment variable that forbids skipping when its value is "all". CI sets it, so that a part that
// went missing is a failure there and not a quieter run.
const Switch = "AUTHCTL_TEST_REQUIRE"

// Need returns when err is nil. Otherwise the part named by what is missing because of err, and the test is skipped,
// or fails under Switch.
func Need(t testing.TB, what string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if os.Getenv(Switch) == "all" {
		t.Fatalf("%s is needed here (%s=all) and missing: %v; scripts/install-test-deps installs it", what, Switch, err)
	}
	t.Skipf("%s is missing: %v; scripts/install-test-deps installs it", what, err)
}

// Program returns the path of an executable, looked up as the shell would; see [Need] for when there is none.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	Need(t, name, err)
	return path
}

// Root returns the directory of the project's go.mod, found upwards from where the test runs.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("finding the project: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("finding the project: no go.mod above the working directory")
		}
		dir = parent
	}
}
