//go:build linux

package main

import (
	"fmt"
	"math"
	"time"

	"github.com/authctl/authctl/bench/lab"
)

const (
	line  = "line"
	marks = "marks"
	// hourly is the axis of how many runners there are.
	hourly = "runners an hour"
)

// charts is what the pictures of docs/fleets.md show, as JSON.
func (k kept) charts() (string, error) {
	m := modelOf(k.fleet)
	return lab.Plot(k.requestsChart(), k.waitChart(m), k.crowdChart(m), k.latencyChart(m), k.engineChart(m))
}

// curve is a line through what a function says between two values, evenly by their logarithm.
func curve(name string, from, to float64, f func(float64) float64) lab.Series {
	const steps = 80
	s := lab.Series{Name: name, Only: line}
	for i := range steps + 1 {
		x := from * math.Pow(to/from, float64(i)/steps)
		s.Points = append(s.Points, lab.At(x, f(x)))
	}
	return s
}

// measured are marks.
func measured(name string, points ...lab.Point) lab.Series {
	return lab.Series{Name: name, Only: marks, Points: points}
}

// hour is the stream of a row as a fleet of the model.
func (r row) hour() fleet {
	return fleet{
		runners: float64(r.Runners) * 3600 / r.Took.Seconds(), lifetime: r.Lifetime.Seconds(), latency: r.Latency.Seconds(),
	}
}

// requestsChart: how often the service is asked.
func (k kept) requestsChart() lab.Chart {
	c := lab.Chart{
		File: "requests.svg", Kind: "lines", LogX: true, LogY: true, X: hourly, Y: "requests an hour",
		Title: "Requests to the service for one token",
	}
	alone := curve("each asks", 10, 1e6, func(n float64) float64 { return n })
	alone.Faint = true
	for _, lifetime := range []float64{300, 3600} {
		c.Series = append(c.Series, curve(fmt.Sprintf("one engine, tokens of %.0f s", lifetime), 10, 1e6,
			func(n float64) float64 { return fleet{n, lifetime, usual.Seconds()}.requests() }))
	}
	c.Series = append(c.Series, curve("three regions, tokens of 300 s", 10, 1e6,
		func(n float64) float64 { return 3 * fleet{n / 3, 300, usual.Seconds()}.requests() }))
	r := k.soft.row("soft")
	f := r.hour()
	c.Series = append(c.Series,
		curve(fmt.Sprintf("tokens of %v, a service of %v", r.Lifetime, r.Latency), 10, 1e6, func(n float64) float64 {
			return fleet{n, f.lifetime, f.latency}.requests()
		}),
		measured("measured", lab.At(f.runners, float64(r.Requests)*3600/r.Took.Seconds())), alone)
	return c
}

// waitChart: how long a runner waits while tokens are renewed in time.
func (k kept) waitChart(m model) lab.Chart {
	c := lab.Chart{
		File: "wait.svg", Kind: "lines", LogX: true, LogY: true, X: hourly, Y: "milliseconds of a runner",
		Title: "A runner's wait, tokens of 300 s, 300 ms at the service",
	}
	for _, part := range []float64{0.5, 0.99} {
		c.Series = append(c.Series, curve(fmt.Sprintf("p%.0f", part*100), 10, 1e6, func(n float64) float64 {
			return 1000 * m.wait(fleet{n, 300, usual.Seconds()}, part)
		}))
		r := k.fleet.row("warm")
		wait := r.Wait.P50
		if part > 0.5 {
			wait = r.Wait.P99
		}
		c.Series = append(c.Series,
			measured(fmt.Sprintf("measured, p%.0f", part*100), lab.At(r.hour().runners, lab.InMS(wait))))
	}
	return c
}

// crowdChart: how long a crowd waits that nothing is kept for, by its size.
func (k kept) crowdChart(m model) lab.Chart {
	c := lab.Chart{
		File: "crowd.svg", Kind: "lines", LogX: true, X: "runners at once, nothing kept", Y: "milliseconds of a runner",
		Title: "A crowd's wait for one request of 300 ms",
	}
	most := float64(k.fleet.biggest().Together)
	c.Series = append(c.Series, curve("a machine each", 1, most, func(n float64) float64 {
		return 1000 * m.crowd(n, usual.Seconds(), 0.99, 0)
	}))
	for _, q := range []quantile{{0.5, "p50"}, {0.99, "p99"}} {
		c.Series = append(c.Series, curve("all on one machine, "+q.name, 1, most,
			func(n float64) float64 { return 1000 * m.crowd(n, usual.Seconds(), q.part, m.processors) }))
		var points []lab.Point
		for _, r := range k.fleet.Rows {
			if r.ID == "crowd" && r.Latency == usual {
				points = append(points, lab.At(float64(r.Together), lab.InMS(q.of(r.Wait))))
			}
		}
		c.Series = append(c.Series, measured("measured, "+q.name, points...))
	}
	return c
}

// A quantile is the part that waits no longer.
type quantile struct {
	part float64
	name string
}

func (q quantile) of(s spread) time.Duration {
	if q.part > 0.5 {
		return s.P99
	}
	return s.P50
}

// latencyChart: how long a crowd waits, by what the service takes.
func (k kept) latencyChart(m model) lab.Chart {
	c := lab.Chart{
		File: "latency.svg", Kind: "lines", LogX: true, LogY: true, X: "milliseconds of the service",
		Y: "milliseconds of a runner", Title: "A crowd's wait, by what the service takes",
	}
	var points []lab.Point
	var size int
	for _, r := range k.fleet.Rows {
		if r.ID == "crowd" && r.Latency != usual {
			size, points = r.Together, append(points, lab.At(lab.InMS(r.Latency), lab.InMS(r.Wait.P99)))
		}
	}
	if r := k.fleet.crowd(size); r.Runners > 0 {
		points = append(points, lab.At(lab.InMS(r.Latency), lab.InMS(r.Wait.P99)))
	}
	service := curve("the service alone", 30, 10_000, func(x float64) float64 { return x })
	service.Faint = true
	c.Series = []lab.Series{
		curve(fmt.Sprintf("%d at once on one machine, p99", size), 30, 10_000,
			func(x float64) float64 { return 1000 * m.crowd(float64(size), x/1000, 0.99, m.processors) }),
		measured("measured", points...), service,
	}
	return c
}

// engineChart: what the engine is asked.
func (k kept) engineChart(m model) lab.Chart {
	c := lab.Chart{
		File: "engine.svg", Kind: "lines", LogX: true, LogY: true, X: hourly, Y: "in a second",
		Title: "What one engine is asked, tokens of 300 s",
	}
	at := func(n float64) share { return m.load(fleet{n, 300, usual.Seconds()}) }
	for _, kind := range []struct {
		name string
		of   func(share) float64
	}{
		{"commands", func(s share) float64 { return s.commands }},
		{"KiB in and out", func(s share) float64 { return (s.received + s.sent) / 1024 }},
	} {
		c.Series = append(c.Series, curve(kind.name, 100, 1e6, func(n float64) float64 { return kind.of(at(n)) }))
		var points []lab.Point
		for _, r := range []row{k.fleet.row("warm"), k.fleet.row("restart"), k.softOf("redis")} {
			if r.Runners > 0 {
				points = append(points, lab.At(r.hour().runners, kind.of(r.share().times(float64(r.Runners)/r.Took.Seconds()))))
			}
		}
		c.Series = append(c.Series, measured("measured, "+kind.name, points...))
	}
	return c
}

// softOf is the undisturbed stream of a store.
func (k kept) softOf(store string) row {
	for _, r := range k.soft.Rows {
		if r.Store == store {
			return r
		}
	}
	return row{}
}
