//go:build linux

package main

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/bench/lab"
	"github.com/authctl/authctl/internal/testneed"
)

// TestMeasure runs everything once, small: that it measures is tested here, what it measures is for `make bench`.
func TestMeasure(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"gnome-keyring-daemon", "dbus-daemon", "secret-tool", "curl", "go"} {
		_, err := exec.LookPath(program)
		testneed.Need(t, program, err)
	}
	r, err := measure(t.Context(), options{rounds: 1, crowds: 1, soak: 1, quick: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range r.Groups {
		if len(g.Rows) == 0 {
			t.Errorf("%s: no rows", g.Title)
		}
		for _, row := range g.Rows {
			if len(row.Times) != 1 && g.ID != "soak" {
				t.Errorf("%s: %s was measured %d times, want 1", g.Title, row.Name, len(row.Times))
			}
		}
		for _, v := range g.Verdicts {
			if v.Value == nil && !slices.ContainsFunc(r.Unmeasured, func(line string) bool {
				what, _, _ := strings.Cut(line, ": ")
				return strings.Contains(v.Row, what)
			}) {
				t.Errorf("%s: not measured, and nothing says why", v.what())
			}
		}
	}
	crowd := r.Groups[len(r.Groups)-2]
	for _, row := range crowd.Rows {
		if !strings.Contains(row.Name, versionName) && (len(row.Requests) != 1 || row.Requests[0] != 1) {
			t.Errorf("%s: requests %v, want 1", row.Name, row.Requests)
		}
	}
	if text := results([]report{*r, *r}); !strings.Contains(text, "## Run 2") {
		t.Errorf("the results lack a run:\n%s", text)
	}
	checkCharts(t, []report{*r, *r})
}

func checkCharts(t *testing.T, runs []report) {
	t.Helper()
	text, err := charts(runs)
	if err != nil {
		t.Fatal(err)
	}
	var all []lab.Chart
	if err := json.Unmarshal([]byte(text), &all); err != nil || len(all) != 5 {
		t.Fatalf("%d charts, want 5: %v", len(all), err)
	}
	for _, c := range all {
		for _, s := range c.Series {
			if len(s.Points) == 0 {
				t.Errorf("%s: nothing is drawn of %q", c.File, s.Name)
			}
		}
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	ms := time.Millisecond
	g := group{Rows: []row{
		{Name: "a", Times: []time.Duration{4 * ms, 5 * ms, 6 * ms}, Peak: 10 << 10},
		{Name: "b", Times: []time.Duration{10 * ms, 10 * ms, 30 * ms}},
	}}
	for _, tt := range []struct {
		target        target
		what, outcome string
	}{
		{target{"a", "b", ratio, 0.5}, "a: at most 0.50 × b", "0.50 ×, met"},
		{target{"a", "b", ratio, 0.45}, "a: at most 0.45 × b", "0.50 ×, missed"},
		{target{"b", "a", more, 4}, "b: at most 4.0 ms more than a", "5.0 ms, missed"},
		{target{"a", "", peak, 12}, "a: at most 12.0 MiB", "10.0 MiB, met"},
		{target{"c", "b", ratio, 1}, "c: at most 1.00 × b", "not measured"},
		{target{"a", "c", ratio, 1}, "a: at most 1.00 × c", "not measured"},
	} {
		v := tt.target.judge(g)
		if v.what() != tt.what || v.outcome() != tt.outcome {
			t.Errorf("%q, %q; want %q, %q", v.what(), v.outcome(), tt.what, tt.outcome)
		}
	}
}
