//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/authctl/authctl/bench/lab"
)

// figures are those of one hop: of each round the median of what a request took, and the requests a second.
type figures struct {
	Name  string
	Took  []time.Duration
	Rates []int64
}

// report is what was measured.
type report struct {
	Machine     lab.Machine
	Connections int
	Hops        []figures
}

// The places of hops in a report.
const (
	atUpstream = iota
	atBare
	atAuthctl
)

const (
	// mostAdded is what authctl may add to a request, in the middle of the rounds, and leastRate how many requests it
	// has to answer of those of a bare ReverseProxy.
	mostAdded = 300 * time.Microsecond
	leastRate = 0.9
)

func readReport(path string) (*report, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &report{}
	return r, json.Unmarshal(text, r)
}

func (r *report) keep(path string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}

// added is what a hop adds to a request: of each round against the upstream of the same round.
func (r *report) added(i int) time.Duration {
	var more []time.Duration
	for round, took := range r.Hops[i].Took {
		more = append(more, took-r.Hops[atUpstream].Took[round])
	}
	return lab.Median(more)
}

// share is how many requests a hop answers of those of a bare ReverseProxy, in thousandths.
func (r *report) share(i int) int64 {
	var parts []int64
	for round, rate := range r.Hops[i].Rates {
		parts = append(parts, rate*1000/r.Hops[atBare].Rates[round])
	}
	return lab.Median(parts)
}

func (r *report) markdown() string {
	var b strings.Builder
	b.WriteString("# Results of make bench-proxy\n\nMeasured on " + r.Machine.String())
	rounds := len(r.Hops[0].Took)
	fmt.Fprintf(&b, ". A request gets a kibibyte of JSON; a figure is the median of %d rounds, in which all are\n", rounds)
	b.WriteString("measured in turns, with what asks on the same machine. Compare within a table: machines differ.\n\n")
	at := fmt.Sprintf("%d connections, requests/s", r.Connections)
	grid := lab.Grid{{"", "one after the other, p50", "added, p50", at, "of a bare ReverseProxy"}}
	for i, h := range r.Hops {
		added, share := ms(r.added(i)), fmt.Sprintf("%.2f", float64(r.share(i))/1000)
		if i == atUpstream {
			added, share = "–", "–"
		}
		grid = append(grid, []string{h.Name, ms(lab.Median(h.Took)), added, fmt.Sprint(lab.Median(h.Rates)), share})
	}
	grid.Markdown(&b)
	more, rate := r.added(atAuthctl), float64(r.share(atAuthctl))/1000
	fmt.Fprintf(&b, "- authctl proxy adds at most %s: %s, %s\n", ms(mostAdded), ms(more), met(more <= mostAdded))
	fmt.Fprintf(&b, "- at least %.2f of the requests of a bare ReverseProxy: %.2f, %s\n",
		leastRate, rate, met(rate >= leastRate))
	return b.String()
}

func ms(d time.Duration) string { return fmt.Sprintf("%.3f ms", lab.InMS(d)) }

func met(yes bool) string {
	if yes {
		return "met"
	}
	return "missed"
}
