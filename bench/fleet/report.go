//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/authctl/authctl/bench/lab"
)

// report is a whole run, as it is kept. Durations are in nanoseconds.
type report struct {
	Started time.Time
	Took    time.Duration
	Machine lab.Machine
	// Engine is its version. Load is the machine's load average when the run began and when it ended: what was running
	// beside.
	Engine string
	Load   [2]string
	Quick  bool `json:",omitzero"`
	Rows   []row
}

// row is one measurement: so many runners of one kind.
type row struct {
	// ID says what was measured, Name in words.
	ID, Name string
	Store    string
	// Runners are in all, Together at a time, in so many Rounds with nothing kept before each, for so many Keys.
	Runners, Together, Rounds, Keys int `json:",omitzero"`
	// Latency is the service's, Lifetime that of its tokens.
	Latency, Lifetime time.Duration `json:",omitzero"`
	// Requests reached the service; Vain were begun while it hung. Those that it refused a connection nobody counts.
	Requests int
	Vain     int `json:",omitzero"`
	// Codes are how often a runner ended with each exit code, Sources how often its token came from there.
	Codes   map[int]int
	Sources map[string]int
	// Tokens are how many different ones there were, Warned how many runners wrote something on stderr.
	Tokens, Warned int
	// Said are their first lines, with how often each was written; what differs from one to the next is left out.
	Said map[string]int `json:",omitempty"`
	// Wait is from a runner's start to its end, Served that of those who asked nobody; WakeUp how long after the one that
	// asked those ended who waited for it.
	Wait           spread
	Served, WakeUp spread `json:",omitzero"`
	// Waited are those of a stream that asked nobody themselves and still took a quarter of what the service does.
	Waited int `json:",omitzero"`
	// Processor is the time that the processors worked for a runner, on average.
	Processor, Took time.Duration
	Load            *load `json:",omitempty"`
	// counts says that what the engine is asked is counted by who does it, or not at all.
	counts bool
}

// spread is how long most of them took.
type spread struct{ P50, P90, P99, Most time.Duration }

func spreadOf(times []time.Duration) spread {
	return spread{
		P50: lab.Median(times), P90: lab.Quantile(times, 0.9), P99: lab.Quantile(times, 0.99),
		Most: lab.Quantile(times, 1),
	}
}

// noticed is the part of the service's time from which on a runner counts as one that waited for it.
const noticed = 4

// count takes what became of some rounds of runners into a row.
func (r *row) count(rounds [][]outcome) {
	r.Rounds, r.Codes, r.Sources, r.Said = len(rounds), map[int]int{}, map[string]int{}, map[string]int{}
	tokens := map[string]bool{}
	var waits, served, wakeUps []time.Duration
	var worked time.Duration
	for _, outcomes := range rounds {
		r.Runners += len(outcomes)
		wakeUps = append(wakeUps, afterAnswer(outcomes)...)
		for _, o := range outcomes {
			r.Codes[o.code]++
			waits, worked = append(waits, o.took()), worked+o.processor
			if o.said != "" {
				r.Warned++
				r.Said[firstLine(o.said)]++
			}
			if o.source == "" {
				continue
			}
			tokens[o.token], r.Sources[o.source] = true, r.Sources[o.source]+1
			if o.source != "cache" {
				continue
			}
			served = append(served, o.took())
			if o.took() >= r.Latency/noticed && r.Lifetime > 0 {
				r.Waited++
			}
		}
	}
	r.Tokens, r.Wait, r.WakeUp = len(tokens), spreadOf(waits), spreadOf(wakeUps)
	r.Served = spreadOf(served)
	r.Processor = worked / time.Duration(max(1, r.Runners))
}

// firstLine is what a runner wrote first, without addresses, times and names of directories.
func firstLine(said string) string {
	line, _, _ := strings.Cut(said, "\n")
	words := strings.Fields(line)
	for i, word := range words {
		if strings.ContainsAny(word, "0123456789") {
			words[i] = "…"
		}
	}
	return strings.Join(words, " ")
}

// afterAnswer is how long after the first that asked each ended who had begun before that and did not ask.
func afterAnswer(outcomes []outcome) (later []time.Duration) {
	var answered time.Time
	for _, o := range outcomes {
		if o.source == "issued" && (answered.IsZero() || o.end.Before(answered)) {
			answered = o.end
		}
	}
	for _, o := range outcomes {
		if o.source == "cache" && o.begin.Before(answered) && o.end.After(answered) {
			later = append(later, o.end.Sub(answered))
		}
	}
	return later
}

// row is the first with an ID, the zero row where there is none.
func (r report) row(id string) row {
	i := slices.IndexFunc(r.Rows, func(row row) bool { return row.ID == id })
	if i < 0 {
		return row{}
	}
	return r.Rows[i]
}

// crowd is the crowd of a size at the usual service, biggest the biggest of them.
func (r report) crowd(size int) row {
	for _, row := range r.Rows {
		if row.ID == "crowd" && row.Latency == usual && row.Together == size {
			return row
		}
	}
	return row{}
}

func (r report) biggest() (most row) {
	for _, row := range r.Rows {
		if row.ID == "crowd" && row.Latency == usual && row.Together > most.Together {
			most = row
		}
	}
	return most
}

// publish prints the table and keeps the run.
func (r *report) publish(stdout *os.File, path string) error {
	kept, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if _, err := stdout.WriteString(r.text()); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, append(kept, '\n'), 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "\nkept in %s\n", path)
	return err
}

// text is the run for a terminal.
func (r *report) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %v, %s, load %s, %v\n\n", r.Started.UTC().Format(time.RFC3339), r.Machine, r.Engine, r.Load,
		r.Took.Round(time.Second))
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, line := range grid(r.Rows) {
		_, _ = fmt.Fprintln(w, strings.Join(line, "\t")) // b takes everything
	}
	_ = w.Flush()
	return b.String()
}

// kept are the two runs that the pages are made of.
type kept struct{ fleet, soft report }

func readKept(dir string) (k kept, err error) {
	for name, into := range map[string]*report{"fleet.json": &k.fleet, "soft.json": &k.soft} {
		text, failed := os.ReadFile(filepath.Join(dir, name))
		if failed == nil {
			failed = json.Unmarshal(text, into)
		}
		if failed == nil && into.Quick {
			failed = fmt.Errorf("%s is of a quick run, which shows only that it works", name)
		}
		err = errors.Join(err, failed)
	}
	return k, err
}

// loadAverage is what ran on the machine in the last minute.
func loadAverage() string {
	text, _ := os.ReadFile("/proc/loadavg")
	one, _, _ := strings.Cut(string(text), " ")
	return one
}
