//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authctl/authctl/bench/lab"
)

// sizes are how much is measured.
type sizes struct {
	floor, cold, warm, together, atOnce int
	crowds                              []int
	latencies                           []time.Duration
	rounds                              int
	restarts, keys, perKey, limited     int
}

func sizesOf(quick bool) sizes {
	if quick {
		return sizes{
			floor: 4, cold: 12, warm: 12, together: 4, atOnce: 2, crowds: []int{4}, rounds: 1,
			latencies: []time.Duration{100 * time.Millisecond}, restarts: 1, keys: 3, perKey: 2, limited: 4,
		}
	}
	return sizes{
		floor: 500, cold: 1000, warm: 10_000, together: 50, atOnce: 2, crowds: []int{1, 10, 50, 100, 200}, rounds: 5,
		latencies: []time.Duration{100 * time.Millisecond, time.Second, 3 * time.Second},
		restarts:  10, keys: 20, perKey: 50, limited: 50,
	}
}

const (
	// usual is how long the service takes unless something else is measured.
	usual = 300 * time.Millisecond
	// every is how often a stream starts a runner.
	every = 50 * time.Millisecond
	// upFor and downFor are how long the engine runs and is away while it is restarted again and again.
	upFor, downFor = 3 * time.Second, time.Second
)

// measureFleet measures everything but renewals.
func measureFleet(ctx context.Context, o options) (_ *report, err error) {
	r, g, err := begin(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, g.close()) }()
	s := sizesOf(o.quick)
	for _, measure := range []func(context.Context, sizes) ([]row, error){
		g.floor, g.warmReads, g.coldRunners, g.crowds, g.manyKeys, g.limits, g.refusals, g.engineGone, g.restarts,
	} {
		rows, err := measure(ctx, s)
		if err != nil {
			return nil, err
		}
		r.Rows = append(r.Rows, rows...)
	}
	r.finish()
	return r, nil
}

// begin sets a ground up, and a report that describes it.
func begin(ctx context.Context, o options) (*report, *ground, error) {
	r := &report{Started: time.Now(), Machine: lab.ThisMachine(), Quick: o.quick}
	r.Load[0] = loadAverage()
	g, err := newGround(ctx, o.authctl)
	if err != nil {
		return nil, nil, err
	}
	r.Engine, err = g.version()
	return r, g, err
}

func (r *report) finish() { r.Took, r.Load[1] = time.Since(r.Started), loadAverage() }

// observe runs something, and puts down what became of it, what the service was asked and what the engine.
func (g *ground) observe(ctx context.Context, r row, service string, act func() ([][]outcome, error)) (row, error) {
	say(r.Name)
	asked, err := g.Requests(ctx, service)
	if err != nil {
		return r, err
	}
	before, err := g.look()
	if err != nil {
		return r, err
	}
	began := time.Now()
	rounds, err := act()
	if err != nil {
		return r, fmt.Errorf("%s: %w", r.Name, err)
	}
	r.Took = time.Since(began)
	r.count(rounds...)
	if r.Store == "redis" && r.Load == nil {
		l, err := g.since(before)
		if err != nil {
			return r, err
		}
		r.Load = &l
	}
	now, err := g.Requests(ctx, service)
	r.Requests = now - asked
	return r, err
}

// slow has the service take its time, from an empty store on.
func (g *ground) slow(ctx context.Context, service string, latency time.Duration, more string) error {
	fault := fmt.Sprintf(`{"service":%q,"delay_ms":%d%s}`, service, latency.Milliseconds(), more)
	return errors.Join(g.forget(), g.Fault(ctx, fault))
}

// floor is what it costs to start the program.
func (g *ground) floor(ctx context.Context, s sizes) ([]row, error) {
	r := row{ID: "floor", Name: "authctl version", Together: s.atOnce}
	r, err := g.observe(ctx, r, profileName, func() ([][]outcome, error) {
		return rounds(g.together(ctx, s.floor, s.atOnce, func(int) job { return job{args: []string{"version"}} }))
	})
	return []row{r}, err
}

func rounds(outcomes []outcome, err error) ([][]outcome, error) { return [][]outcome{outcomes}, err }

// warmReads are runners that find a token, as many at a time as there are processors.
func (g *ground) warmReads(ctx context.Context, s sizes) (rows []row, err error) {
	for _, store := range []string{"redis", "file"} {
		if err := g.slow(ctx, profileName, usual, ""); err != nil {
			return nil, err
		}
		r := row{ID: "warm", Name: "a token that is there", Store: store, Together: s.atOnce, Keys: 1, Latency: usual}
		if _, err := g.one(ctx, get(store, profileName)); err != nil {
			return nil, err
		}
		r, err = g.observe(ctx, r, profileName, func() ([][]outcome, error) {
			return rounds(g.together(ctx, s.warm, s.atOnce, func(int) job { return get(store, profileName) }))
		})
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// coldRunners begin with nothing kept anywhere, in batches.
func (g *ground) coldRunners(ctx context.Context, s sizes) ([]row, error) {
	if err := g.slow(ctx, profileName, usual, ""); err != nil {
		return nil, err
	}
	r := row{ID: "cold", Name: "cold runners", Store: "redis", Together: s.together, Keys: 1, Latency: usual}
	r, err := g.observe(ctx, r, profileName, func() ([][]outcome, error) {
		return rounds(g.together(ctx, s.cold, s.together, func(int) job { return get("redis", profileName) }))
	})
	return []row{r}, err
}

// crowds all start at once with nothing kept: as many as there are, and at services that take longer.
func (g *ground) crowds(ctx context.Context, s sizes) (rows []row, err error) {
	type crowd struct {
		size    int
		latency time.Duration
	}
	var all []crowd
	for _, size := range s.crowds {
		all = append(all, crowd{size, usual})
	}
	for _, latency := range s.latencies {
		all = append(all, crowd{s.together, latency})
	}
	for _, c := range all {
		r := row{ID: "crowd", Name: "a crowd at once", Store: "redis", Together: c.size, Keys: 1, Latency: c.latency}
		r, err = g.observe(ctx, r, profileName, func() (all [][]outcome, err error) {
			for range s.rounds {
				if err := g.slow(ctx, profileName, c.latency, ""); err != nil {
					return nil, err
				}
				outcomes, err := g.together(ctx, c.size, c.size, func(int) job { return get("redis", profileName) })
				if err != nil {
					return nil, err
				}
				all = append(all, outcomes)
			}
			return all, nil
		})
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// manyKeys are runners of several profiles mixed: each scope is a token of its own.
func (g *ground) manyKeys(ctx context.Context, s sizes) ([]row, error) {
	if err := g.slow(ctx, profileName, usual, ""); err != nil {
		return nil, err
	}
	scopes, err := g.scopes(ctx, s.keys)
	if err != nil {
		return nil, err
	}
	r := row{ID: "keys", Name: "many tokens", Store: "redis", Together: s.together, Keys: s.keys, Latency: usual}
	r, err = g.observe(ctx, r, profileName, func() ([][]outcome, error) {
		return rounds(g.together(ctx, s.keys*s.perKey, s.together, func(i int) job {
			return get("redis", profileName, "--scope", scopes[i%len(scopes)])
		}))
	})
	return []row{r}, err
}
