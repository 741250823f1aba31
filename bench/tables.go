//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/authctl/authctl/bench/lab"
)

// grid shows a group: what each row took, and that in relation to the first row whose name is not authctl's.
func (g group) grid() lab.Grid {
	table := lab.Grid{{g.Title, "median ms", "quartiles", "ratio", "peak MiB", "faults", "requests"}}
	base := g.base()
	for _, r := range g.Rows {
		line := []string{r.label(), "–", "–", "–", "–", "–", "–"}
		if len(r.Times) > 0 {
			line[1] = ms(lab.Median(r.Times))
			line[2] = ms(lab.Quantile(r.Times, 0.25)) + "–" + ms(lab.Quantile(r.Times, 0.75))
		}
		if base > 0 {
			line[3] = fmt.Sprintf("%.2f", float64(lab.Median(r.Times))/float64(base))
		}
		if r.Peak > 0 {
			line[4] = fmt.Sprintf("%.1f", float64(r.Peak)/1024)
		}
		if r.Faults > 0 {
			line[5] = fmt.Sprint(r.Faults)
		}
		if len(r.Requests) > 0 {
			line[6] = fmt.Sprint(slices.Max(r.Requests))
		}
		table = append(table, line)
	}
	return withoutEmptyColumns(table)
}

func (r row) label() string {
	if r.Note == "" {
		return r.Name
	}
	return r.Name + " (" + r.Note + ")"
}

// base is what the ratios of a group are to: what its first target is told in relation to. A target of what is no row,
// such as of the end of a crowd, tells nothing of the rows.
func (g group) base() time.Duration {
	for _, v := range g.Verdicts {
		_, ours := g.row(v.Row)
		if r, ok := g.row(v.Against); ok && ours {
			return lab.Median(r.Times)
		}
	}
	return 0
}

func withoutEmptyColumns(t lab.Grid) lab.Grid {
	for column := len(t[0]) - 1; column > 0; column-- {
		if slices.ContainsFunc(t[1:], func(line []string) bool { return line[column] != "–" }) {
			continue
		}
		for i := range t {
			t[i] = slices.Delete(t[i], column, column+1)
		}
	}
	return t
}

// text is the run for a terminal.
func (r *report) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %v, %d rounds in turns, %v\n", r.Started.UTC().Format(time.RFC3339), r.Machine, r.Rounds,
		r.Took.Round(time.Second))
	for _, g := range r.Groups {
		b.WriteString("\n")
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, line := range g.grid() {
			_, _ = fmt.Fprintln(w, strings.Join(line, "\t")) // b takes everything
		}
		_ = w.Flush()
		for _, v := range g.Verdicts {
			fmt.Fprintf(&b, "  target %s: %s\n", v.what(), v.outcome())
		}
	}
	for _, line := range r.Unmeasured {
		fmt.Fprintf(&b, "\nnot measured: %s\n", line)
	}
	return b.String()
}

const markdownHead = `# Results of make bench

Written by ` + "`make bench-results`" + ` from the runs that ` + "`make bench`" + ` kept in bench/results.
Times are medians with their quartiles, in milliseconds; compare ratios, since machines differ. What the figures mean,
and how to repeat them, is in [docs/performance.md](../docs/performance.md).

`

// results is bench/RESULTS.md: the targets of all runs side by side, then each run.
func results(reports []report) string {
	var b strings.Builder
	b.WriteString(markdownHead)
	fmt.Fprintf(&b, "Measured on %v; beside %s.\n\n## Targets\n\n", reports[0].Machine,
		strings.Join(reports[0].Machine.Peers, ", "))
	targetGrid(reports).Markdown(&b)
	for i, r := range reports {
		fmt.Fprintf(&b, "## Run %d\n\n%s, %d rounds in turns, %v in all.\n\n", i+1,
			r.Started.UTC().Format("2006-01-02 15:04 MST"), r.Rounds, r.Took.Round(time.Second))
		for _, g := range r.Groups {
			g.grid().Markdown(&b)
		}
		for _, line := range r.Unmeasured {
			fmt.Fprintf(&b, "Not measured: %s.\n\n", line)
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// targetGrid puts the runs side by side, which have the same targets.
func targetGrid(reports []report) lab.Grid {
	table := lab.Grid{{"", "target"}}
	for _, g := range reports[0].Groups {
		for _, v := range g.Verdicts {
			table = append(table, []string{g.Title, v.what()})
		}
	}
	for i, r := range reports {
		table[0] = append(table[0], fmt.Sprintf("run %d", i+1))
		line := 1
		for _, g := range r.Groups {
			for _, v := range g.Verdicts {
				table[line] = append(table[line], v.outcome())
				line++
			}
		}
	}
	return table
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", lab.InMS(d)) }
