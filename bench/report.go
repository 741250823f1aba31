//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/authctl/authctl/bench/lab"
)

// report is a whole run, as it is kept. Durations are in nanoseconds.
type report struct {
	Started time.Time
	Took    time.Duration
	Rounds  int
	Machine lab.Machine
	Groups  []group
	// Unmeasured says what could not be measured, and why.
	Unmeasured []string
}

// group is a comparison that was measured.
type group struct {
	ID, Title string
	Rows      []row
	Verdicts  []verdict
}

// row is one program of a group.
type row struct {
	Name string
	Note string `json:",omitempty"`
	// Size is what the row varies in: profiles, bytes of a token, processes.
	Size  int `json:",omitzero"`
	Times []time.Duration
	// Peak is in KiB.
	Peak   int64 `json:",omitzero"`
	Faults int64 `json:",omitzero"`
	// Requests are those that reached the service, each time.
	Requests []int `json:",omitempty"`
}

// row finds a row by its name.
func (g group) row(name string) (row, bool) {
	for _, r := range g.Rows {
		if r.Name == name {
			return r, true
		}
	}
	return row{}, false
}

// verdict is a target and what was measured.
type verdict struct {
	Row     string
	Against string `json:",omitempty"`
	Unit    unit
	Most    float64
	// Value is nil where it could not be measured.
	Value *float64
}

func (v verdict) with(value float64) verdict {
	v.Value = &value
	return v
}

// what is the target in words: "authctl, keyring: at most 0.45 × secret-tool lookup".
func (v verdict) what() string {
	text := fmt.Sprintf("%s: at most %s", v.Row, v.quantity(v.Most))
	switch {
	case v.Against == "":
		return text
	case v.Unit == ratio:
		return text + " " + v.Against
	}
	return text + " more than " + v.Against
}

// outcome is what was measured, and whether that is enough.
func (v verdict) outcome() string {
	if v.Value == nil {
		return "not measured"
	}
	if *v.Value <= v.Most {
		return v.quantity(*v.Value) + ", met"
	}
	return v.quantity(*v.Value) + ", missed"
}

func (v verdict) quantity(value float64) string {
	switch v.Unit {
	case ratio:
		return fmt.Sprintf("%.2f ×", value)
	case more, peak:
		return fmt.Sprintf("%.1f %s", value, v.Unit)
	}
	return strings.TrimSpace(fmt.Sprintf("%.0f %s", value, v.Unit))
}

// publish prints the tables and keeps the run: as it was printed, as JSON, and in the format of Go's benchmarks for
// benchstat.
func (r *report) publish(stdout *os.File, directory string) error {
	text := r.text()
	kept, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if _, err := stdout.WriteString(text); err != nil {
		return err
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	stem := filepath.Join(directory, r.Started.UTC().Format("2006-01-02T15-04-05Z"))
	for suffix, content := range map[string]string{
		".txt": text, ".json": string(kept) + "\n", ".bench": r.benchmarks(),
	} {
		if err := os.WriteFile(stem+suffix, []byte(content), 0o644); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(stdout, "\nkept in %s.txt, .json and .bench\n", stem)
	return err
}

// readReports reads runs that were kept as JSON.
func readReports(names []string) ([]report, error) {
	reports := make([]report, len(names))
	for i, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &reports[i]); err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		if a, b := reports[0].targets(), reports[i].targets(); a != b {
			return nil, fmt.Errorf("%s has %d targets and %s has %d: they are not runs of one benchmark", names[0], a, name, b)
		}
	}
	return reports, nil
}

func (r *report) targets() (n int) {
	for _, g := range r.Groups {
		n += len(g.Verdicts)
	}
	return n
}

// benchmarks is the run in the format of Go's benchmarks (https://go.dev/design/14313-benchmark-format), one line a
// measurement.
func (r *report) benchmarks() string {
	var b strings.Builder
	fmt.Fprintf(&b, "goos: %s\ngoarch: %s\npkg: github.com/authctl/authctl/bench\n", runtime.GOOS, runtime.GOARCH)
	for _, g := range r.Groups {
		for _, row := range g.Rows {
			for i, t := range row.Times {
				fmt.Fprintf(&b, "Benchmark%s/%s 1 %d ns/op", word(g.ID), word(row.Name), t.Nanoseconds())
				if i < len(row.Requests) {
					fmt.Fprintf(&b, " %d requests", row.Requests[i])
				}
				b.WriteString("\n")
			}
		}
	}
	return b.String()
}

// word makes a name that benchstat takes as one.
func word(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == '-' }), "_")
}
