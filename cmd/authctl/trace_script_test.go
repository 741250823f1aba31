package main

import (
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"

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
}
