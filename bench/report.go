//go:build linux

package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report is a whole run.
type report struct {
	Rounds      int
	Started     time.Time
	Comparisons []result
	Crowds      []crowdResult
}

// table is the run for people.
func (r *report) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s/%s, %d CPUs, %d rounds in turns; times in ms, memory in MiB\n\n",
		r.Started.UTC().Format(time.RFC3339), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), r.Rounds)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) } // b takes everything
	line("\tmedian\tleast\tpeak\tresult")
	for _, c := range r.Comparisons {
		line("%s\t\t\t\t%s", c.title, c.verdict())
		line("  %s\t%s\t%s\t%s\t", c.ours.name, ms(median(c.oursTimes)), ms(slices.Min(c.oursTimes)), mib(c.oursPeak))
		line("  %s\t%s\t%s\t%s\t", c.theirs.name, ms(median(c.theirsTimes)), ms(slices.Min(c.theirsTimes)),
			mib(c.theirsPeak))
	}
	for _, c := range r.Crowds {
		line("%d processes at once, empty %s store\t\t\t\t%s", crowdSize, c.store, c.verdict())
		line("  authctl token get\t%s\t%s\t\t", ms(median(c.times)), ms(slices.Min(c.times)))
	}
	_ = w.Flush()
	return b.String()
}

// benchmarks is the run in the format of Go's benchmarks
// (https://go.dev/design/14313-benchmark-format), one line a measurement.
func (r *report) benchmarks() string {
	var b strings.Builder
	fmt.Fprintf(&b, "goos: %s\ngoarch: %s\npkg: github.com/authctl/authctl/bench\n", runtime.GOOS, runtime.GOARCH)
	for _, c := range r.Comparisons {
		for _, s := range []struct {
			name  string
			times []time.Duration
		}{{c.ours.name, c.oursTimes}, {c.theirs.name, c.theirsTimes}} {
			for _, t := range s.times {
				fmt.Fprintf(&b, "Benchmark%s/%s 1 %d ns/op\n", word(c.title), word(s.name), t.Nanoseconds())
			}
		}
	}
	for _, c := range r.Crowds {
		for i, t := range c.times {
			fmt.Fprintf(&b, "BenchmarkCrowd/%s 1 %d ns/op %d requests\n", word(c.store), t.Nanoseconds(), c.requests[i])
		}
	}
	return b.String()
}

// verdict compares the medians with the targets.
func (r result) verdict() string {
	var parts []string
	ours, theirs := median(r.oursTimes), median(r.theirsTimes)
	if r.maxRatio > 0 {
		ratio := float64(ours) / float64(theirs)
		parts = append(parts, fmt.Sprintf("%.2f× of at most %.2f×: %s", ratio, r.maxRatio, met(ratio <= r.maxRatio)))
	}
	if r.maxMore > 0 {
		more := ours - theirs
		parts = append(parts, fmt.Sprintf("%+.1f ms of at most %+.1f ms: %s",
			inMS(more), inMS(r.maxMore), met(more <= r.maxMore)))
	}
	if r.maxPeak > 0 {
		parts = append(parts, fmt.Sprintf("%s MiB of less than %s MiB: %s",
			mib(r.oursPeak), mib(r.maxPeak), met(r.oursPeak < r.maxPeak)))
	}
	return strings.Join(parts, "; ")
}

func (c crowdResult) verdict() string {
	return fmt.Sprintf("%d requests at most of 1: %s", slices.Max(c.requests), met(slices.Max(c.requests) == 1))
}

func met(ok bool) string {
	if ok {
		return "met"
	}
	return "missed"
}

func inMS(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", inMS(d)) }

func mib(kib int64) string { return fmt.Sprintf("%.1f", float64(kib)/1024) }

// word makes a name that benchstat takes as one.
func word(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == '-' }), "_")
}
