package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/testneed"
	"github.com/rogpeppe/go-internal/testscript"
)

// recorded is what a test reads of a HAR file.
type recorded struct {
	Log struct {
		Version string
		Entries []struct {
			Request  struct{ Method, URL string }
			Response struct {
				Status int
				Error  string `json:"_error"`
			}
			Time    float64
			Timings map[string]float64
		}
	}
}

// lines are the requests of a record, as "POST /path 200", sorted: some are sent at the same time.
func (r *recorded) lines() ([]string, error) {
	var all []string
	for _, e := range r.Log.Entries {
		address, err := url.Parse(e.Request.URL)
		if err != nil {
			return nil, err
		}
		status, _ := json.Marshal(e.Response.Status) // numbers always encode
		all = append(all, e.Request.Method+" "+address.Path+" "+string(status))
	}
	slices.Sort(all)
	return all, nil
}

// har wants a file to be a whole HAR of nobody else's with exactly these requests, and no secret in it:
// har FILE 'POST /oauth/token 200' ….
func har(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: har FILE REQUEST…")
	}
	info, err := os.Lstat(ts.MkAbs(args[0]))
	ts.Check(err)
	if mode := info.Mode(); runtime.GOOS != "windows" && mode != fs.FileMode(0o600) {
		ts.Fatalf("%s has mode %v", args[0], mode)
	}
	var r recorded
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &r); err != nil || r.Log.Version != "1.2" {
		ts.Fatalf("%s is no HAR: %v", args[0], err)
	}
	got, err := r.lines()
	ts.Check(err)
	if want := slices.Sorted(slices.Values(args[1:])); !slices.Equal(got, want) {
		ts.Fatalf("%s has\n%s\nwant\n%s", args[0], strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	noSecret(ts, false, args[:1])
	if problem := readByOthers(ts.MkAbs(args[0])); problem != "" {
		ts.Fatalf("%s: %s", args[0], problem)
	}
}

// readByOthers has the npm package har-validator read a file, and returns what is wrong with it. Where the package is
// not here nobody reads it, but where nothing may be missing.
func readByOthers(path string) string {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return err.Error()
	}
	dir := filepath.Join(root, "test", "har")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "har-validator", "package.json")); err != nil {
		if os.Getenv(testneed.Switch) == "all" {
			return "the npm package har-validator is missing; scripts/install-test-deps installs it"
		}
		return ""
	}
	node := "node"
	own := filepath.Join(dir, ".node", "node_modules", ".bin", "node")
	if _, err := os.Stat(own); err == nil {
		node = own
	}
	out, err := exec.Command(node, filepath.Join(dir, "validate.cjs"), path).CombinedOutput() //nolint:noctx // it ends by itself
	if err != nil || !strings.HasPrefix(string(out), "ok ") {
		return fmt.Sprintf("%v: %s", err, out)
	}
	return ""
}

// TestReaderOfRecordsRefuses: who reads the records of the scripts knows a wrong one.
func TestReaderOfRecordsRefuses(t *testing.T) {
	t.Parallel()
	_, err := os.Stat(filepath.Join(testneed.Root(t), "test", "har", "node_modules", "har-validator", "package.json"))
	testneed.Need(t, "the npm package har-validator", err)
	for name, text := range map[string]string{
		"cut":    `{"log":{`,
		"no HAR": `{"log":{"version":"1.2"}}`,
		"no request": `{"log":{"version":"1.2","creator":{"name":"a","version":"1"},"entries":[{"startedDateTime":"2026-11-30T13:00:00Z",` +
			`"time":1,"response":{},"cache":{},"timings":{"send":1,"wait":1,"receive":1}}]}}`,
	} {
		path := filepath.Join(t.TempDir(), "wrong.har")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if readByOthers(path) == "" {
			t.Errorf("%s is taken for a HAR", name)
		}
	}
}
