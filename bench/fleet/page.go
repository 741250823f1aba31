//go:build linux

package main

import (
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"github.com/authctl/authctl/bench/lab"
)

// page is docs/fleets.md with the tables that the results make: what is between a line <!-- table: NAME --> and the
// line <!-- end --> is replaced.
func (k kept) page(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	m := modelOf(k.fleet)
	tables := map[string]func() lab.Grid{
		"where": k.whereTable, "measured": k.measuredTable, "gone": k.goneTable, "steady": k.steadyTable,
		"runner": k.runnerTable,
		"hourly": func() lab.Grid { return hourlyTable(m) }, "regions": func() lab.Grid { return regionsTable(m) },
		"check": func() lab.Grid { return k.checkTable(m) },
	}
	const begin, end = "<!-- table: ", "<!-- end -->"
	var b strings.Builder
	rest := string(text)
	for {
		before, after, found := strings.Cut(rest, begin)
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, after, _ := strings.Cut(after, " -->\n")
		_, after, ended := strings.Cut(after, end)
		if tables[name] == nil || !ended {
			return "", fmt.Errorf("%s: there is no table %q, or it has no end", path, name)
		}
		b.WriteString(begin + name + " -->\n\n")
		tables[name]().Markdown(&b)
		b.WriteString(end)
		rest = after
	}
}

// ended is how runners ended.
func (r row) ended() string {
	if r.Codes[0] == r.Runners {
		return "all 0"
	}
	for code, n := range r.Codes {
		if n == r.Runners {
			return fmt.Sprintf("all %d", code)
		}
	}
	return tally(r.Codes)
}

// whole is a duration in milliseconds without a fraction.
func whole(d time.Duration) string { return fmt.Sprintf("%.0f", lab.InMS(d)) }

// whereTable is on what was measured, and what ran beside.
func (k kept) whereTable() lab.Grid {
	table := lab.Grid{{"", "machine", "engine", "load average before", "after"}}
	for _, run := range []struct {
		name string
		report
	}{{"many machines", k.fleet}, {"a steady stream", k.soft}} {
		table = append(table, []string{run.name, run.Machine.String(), run.Engine, run.Load[0], run.Load[1]})
	}
	return table
}

// measuredTable is what a fleet costs.
func (k kept) measuredTable() lab.Grid {
	table := lab.Grid{{
		"", "runners", "at once", "service ms", "requests", "tokens", "exit codes", "p50 ms", "p90 ms", "p99 ms",
	}}
	for _, r := range k.fleet.Rows {
		if r.ID == "floor" || r.ID == "gone" || r.ID == "restart" {
			continue
		}
		name := r.Name
		switch {
		case r.Rounds > 1:
			name = fmt.Sprintf("%s, %d times", name, r.Rounds)
		case r.Store == "memory":
			name += ", without an engine"
		case r.Store == "file":
			name += ", in a file of the machine"
		case r.Keys > 1:
			name = fmt.Sprintf("%d tokens × %d runners", r.Keys, r.Runners/r.Keys)
		}
		table = append(table, []string{
			name, fmt.Sprint(r.Runners), orDash(r.Together), whole(r.Latency), fmt.Sprint(r.Requests), fmt.Sprint(r.Tokens),
			r.ended(), whole(r.Wait.P50), whole(r.Wait.P90), whole(r.Wait.P99),
		})
	}
	return table
}

// goneTable is what failures of the engine cost.
func (k kept) goneTable() lab.Grid {
	table := lab.Grid{{"", "runners", "requests", "exit codes", "warned", "p50 ms", "p99 ms"}}
	for _, r := range k.fleet.Rows {
		if r.ID == "gone" || r.ID == "restart" {
			table = append(table, []string{
				r.Name, fmt.Sprint(r.Runners), fmt.Sprint(r.Requests), r.ended(), fmt.Sprint(r.Warned), whole(r.Wait.P50),
				whole(r.Wait.P99),
			})
		}
	}
	return table
}

// steadyTable is what a stream notices.
func (k kept) steadyTable() lab.Grid {
	table := lab.Grid{{"store", "the service", "runners", "failed", "waited", "requests per lifetime", "p50 ms", "p99 ms"}}
	for _, r := range k.soft.Rows {
		table = append(table, []string{
			r.Store, r.Name, fmt.Sprint(r.Runners), fmt.Sprint(r.Runners - r.Codes[0]), fmt.Sprint(r.Waited),
			fmt.Sprintf("%.2f", r.perLifetime()), whole(r.Wait.P50), whole(r.Wait.P99),
		})
	}
	return table
}

// runnerTable is what one runner asks the engine, as the model takes it.
func (k kept) runnerTable() lab.Grid {
	m := modelOf(k.fleet)
	table := lab.Grid{{
		"a runner that", "commands", "bytes to the engine", "bytes from it", "µs of the engine's processor",
	}}
	for _, kind := range []struct {
		name string
		share
	}{{"finds a token", m.warm}, {"asks the service", m.holder}, {"waits for one that asks", m.waiter}} {
		table = append(table, []string{
			kind.name, fmt.Sprintf("%.1f", kind.commands), fmt.Sprintf("%.0f", kind.received), fmt.Sprintf("%.0f", kind.sent),
			fmt.Sprintf("%.0f", 1e6*kind.processor),
		})
	}
	return table
}

// hourlyTable is the model for one engine and one token.
func hourlyTable(m model) lab.Grid {
	table := lab.Grid{{
		"runners an hour", "lifetime s", "service ms", "requests an hour", "commands a second", "KiB a second", "p50 ms",
		"p99 ms",
	}}
	for _, runners := range []float64{100, 1000, 10_000, 100_000, 1_000_000} {
		for _, f := range []fleet{{runners, 300, 0.3}, {runners, 300, 3}, {runners, 3600, 0.3}} {
			l := m.load(f)
			table = append(table, []string{
				thousands(f.runners), fmt.Sprint(f.lifetime), fmt.Sprint(f.latency * 1000), fmt.Sprintf("%.1f", f.requests()),
				fmt.Sprintf("%.1f", l.commands), fmt.Sprintf("%.1f", (l.received+l.sent)/1024),
				fmt.Sprintf("%.0f", 1000*m.wait(f, 0.5)), fmt.Sprintf("%.0f", 1000*m.wait(f, 0.99)),
			})
		}
	}
	return table
}

// regionsTable is a million runners an hour: without an engine, with one, with one in each region, and with many
// tokens.
func regionsTable(m model) lab.Grid {
	table := lab.Grid{{
		"", "engines", "tokens", "requests an hour", "an engine: commands a second", "KiB a second", "its processor",
	}}
	const all = 1e6
	for _, plan := range []struct {
		name          string
		engines, keys float64
	}{
		{"each runner asks", 0, 1},
		{"one engine for all", 1, 1},
		{"one engine a region", 3, 1},
		{"one engine a region", 3, 100},
	} {
		line := []string{plan.name, fmt.Sprint(plan.engines), fmt.Sprint(plan.keys), thousands(all), "–", "–", "–"}
		if plan.engines > 0 {
			f := fleet{all / plan.engines / plan.keys, 300, usual.Seconds()}
			l := m.load(f).times(plan.keys)
			line[3] = thousands(plan.engines * plan.keys * f.requests())
			line[4], line[5] = fmt.Sprintf("%.0f", l.commands), fmt.Sprintf("%.0f", (l.received+l.sent)/1024)
			line[6] = fmt.Sprintf("%.1f %%", 100*l.processor)
		}
		table = append(table, line)
	}
	return table
}

// checkTable holds the model against what was measured.
func (k kept) checkTable(m model) lab.Grid {
	table := lab.Grid{{"", "the model says", "measured", "ratio"}}
	add := func(what, form string, says, was float64) {
		table = append(table, []string{what, fmt.Sprintf(form, says), fmt.Sprintf(form, was), fmt.Sprintf("%.2f", was/says)})
	}
	for _, r := range k.fleet.Rows {
		if r.ID != "crowd" {
			continue
		}
		for _, q := range []quantile{{0.5, "p50"}, {0.99, "p99"}} {
			add(fmt.Sprintf("%d at once, a service of %s ms: %s ms", r.Together, whole(r.Latency), q.name), "%.0f",
				1000*m.crowd(float64(r.Together), r.Latency.Seconds(), q.part, m.processors), lab.InMS(q.of(r.Wait)))
		}
	}
	for _, store := range []string{"redis", "file"} {
		if r := k.softOf(store); r.Runners > 0 {
			f := r.hour()
			add(fmt.Sprintf("a stream, %s: requests in a lifetime", store), "%.2f",
				f.requests()*f.lifetime/3600, r.perLifetime())
		}
	}
	if r := k.softOf("redis"); r.Runners > 0 {
		f := r.hour()
		add("a stream: commands a second", "%.1f", m.load(f).commands, float64(r.Load.total())/r.Took.Seconds())
		add("a stream: p99 ms", "%.0f", 1000*m.wait(f, 0.99), lab.InMS(r.Wait.P99))
	}
	if r := k.fleet.row("restart"); r.Runners > 0 {
		// The stream asks as often as it has runners while the engine is away, and once each time it is back.
		times := math.Round((r.Took.Seconds() - downFor.Seconds()) / (upFor + downFor).Seconds())
		add("the engine is killed again and again: requests", "%.0f", times*(1+downFor.Seconds()/every.Seconds()),
			float64(r.Requests))
	}
	if r := k.fleet.row("keys"); r.Runners > 0 {
		add(fmt.Sprintf("%d tokens: requests", r.Keys), "%.0f", float64(r.Keys), float64(r.Requests))
	}
	return table
}

// thousands writes a number with commas.
func thousands(n float64) string {
	text := fmt.Sprintf("%.0f", n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
