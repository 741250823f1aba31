//go:build linux

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/bench/lab"
)

// grid shows rows of any kind.
func grid(rows []row) lab.Grid {
	table := lab.Grid{{
		"", "store", "runners", "at once", "keys", "service", "requests", "exit codes", "tokens", "warned",
		"p50 ms", "p90 ms", "p99 ms", "wake-up p50", "wake-up p99", "CPU ms", "commands", "bytes in", "bytes out",
	}}
	for _, r := range rows {
		table = append(table, append([]string{
			r.Name, r.Store, fmt.Sprint(r.Runners), orDash(r.Together), orDash(r.Keys), inMS(r.Latency), fmt.Sprint(r.Requests),
			tally(r.Codes), fmt.Sprint(r.Tokens), fmt.Sprint(r.Warned), ms(r.Wait.P50), ms(r.Wait.P90), ms(r.Wait.P99),
			inMS(r.WakeUp.P50), inMS(r.WakeUp.P99), ms(r.Processor),
		}, r.perRunner()...))
	}
	return table
}

// perRunner is what the engine was asked for a runner, on average.
func (r row) perRunner() []string {
	if r.Load == nil || r.Runners == 0 {
		return []string{"–", "–", "–"}
	}
	share := func(n int) string { return fmt.Sprintf("%.1f", float64(n)/float64(r.Runners)) }
	return []string{share(r.Load.total()), share(r.Load.Received), share(r.Load.Sent)}
}

// tally is how often there was what: "0 × 200".
func tally(counts map[int]int) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d × %d", key, counts[key]))
	}
	return strings.Join(parts, ", ")
}

// commands are the engine's, for a runner on average, the most frequent first.
func (l load) commands(runners int) string {
	names := slices.SortedFunc(maps.Keys(l.Commands), func(a, b string) int {
		if d := l.Commands[b] - l.Commands[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %.2f", name, float64(l.Commands[name])/float64(runners))
	}
	return strings.Join(names, ", ")
}

func orDash(n int) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprint(n)
}

func inMS(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	return ms(d)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", lab.InMS(d)) }

// steadyGrid shows the streams of -soft.
func steadyGrid(rows []row) lab.Grid {
	table := lab.Grid{{
		"service", "store", "runners", "failed", "waited for another's request", "requests", "in vain", "per lifetime",
		"most ms of a runner that asked nobody", "warned", "p50 ms", "p99 ms",
	}}
	for _, r := range rows {
		table = append(table, []string{
			r.Name, r.Store, fmt.Sprint(r.Runners), fmt.Sprint(r.Runners - r.Codes[0]), fmt.Sprint(r.Waited),
			fmt.Sprint(r.Requests), fmt.Sprint(r.Vain), fmt.Sprintf("%.2f", r.perLifetime()), ms(r.Served.Most),
			fmt.Sprint(r.Warned), ms(r.Wait.P50), ms(r.Wait.P99),
		})
	}
	return table
}

// perLifetime is how many requests there were in a token's lifetime, those in vain included.
func (r row) perLifetime() float64 {
	if r.Took == 0 {
		return 0
	}
	return float64(r.Requests+r.Vain) * float64(r.Lifetime) / float64(r.Took)
}

const markdownHead = `# Results of make fleet

Written by ` + "`make fleet-results`" + ` from what ` + "`make fleet`" + ` kept in bench/fleet/results. Each runner is
a process with a home, a runtime and a state directory of its own, and all of them run on one machine: where many are at
once, they wait for its processors. *Wake-up* is how long after the runner that asked those ended who waited for it;
*CPU*, commands and bytes are those of a runner on average, bytes from the engine's side. What the figures mean is in
[docs/fleets.md](../../docs/fleets.md).

`

// markdown is bench/fleet/RESULTS.md.
func (k kept) markdown() string {
	var b strings.Builder
	b.WriteString(markdownHead)
	k.fleet.heading(&b, "Many machines, one engine")
	grid(k.fleet.Rows).Markdown(&b)
	b.WriteString("What the engine was asked, for a runner on average, and what its data took:\n\n")
	k.fleet.engineGrid().Markdown(&b)
	k.soft.heading(&b, "Never wait, never notice")
	fmt.Fprintf(&b, "A runner each %v.\n\n", every)
	steadyGrid(k.soft.Rows).Markdown(&b)
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func (r report) heading(b *strings.Builder, title string) {
	fmt.Fprintf(b, "## %s\n\n%s, %v, %s. It took %v; load average %s before and %s after.\n\n", title,
		r.Started.UTC().Format("2006-01-02 15:04 MST"), r.Machine, r.Engine, r.Took.Round(time.Second), r.Load[0], r.Load[1])
}

// engineGrid tells of what the engine was asked.
func (r report) engineGrid() lab.Grid {
	table := lab.Grid{{"", "commands of a runner", "data KiB", "peak KiB"}}
	for _, row := range r.Rows {
		if row.Load != nil {
			table = append(table, []string{
				fmt.Sprintf("%s, %d at once, %s ms", row.Name, row.Together, inMS(row.Latency)), row.Load.commands(row.Runners),
				fmt.Sprintf("%.0f", float64(row.Load.Memory)/1024), fmt.Sprintf("%.0f", float64(row.Load.Peak)/1024),
			})
		}
	}
	return table
}
