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
			floor: 4, cold: 12, warm: 12, together: 4, atOnce: 2, crowds: []int{1, 10}, rounds: 1,
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

// observe runs something in rounds, each from what prepare makes, and puts down what became of it, what the service was
// asked and what the engine.
func (g *ground) observe(
	ctx context.Context, r row, service string, prepare func() error, act func() ([]outcome, error),
) (row, error) {
	say(fmt.Sprintf("%s: %s", r.Name, r.Store))
	asked, err := g.Requests(ctx, service)
	if err != nil {
		return r, err
	}
	vain := g.gate.inVain()
	var all [][]outcome
	for range max(1, r.Rounds) {
		if err := prepare(); err != nil {
			return r, err
		}
		outcomes, err := g.round(&r, act)
		if err != nil {
			return r, fmt.Errorf("%s: %w", r.Name, err)
		}
		all = append(all, outcomes)
	}
	r.count(all)
	now, err := g.Requests(ctx, service)
	r.Requests, r.Vain = now-asked, g.gate.inVain()-vain
	return r, err
}

// round is one round of a row: the time it took, and what the engine was asked unless somebody counts that himself.
func (g *ground) round(r *row, act func() ([]outcome, error)) ([]outcome, error) {
	before, err := g.look()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	outcomes, err := act()
	if err != nil {
		return nil, err
	}
	r.Took += time.Since(began)
	if r.Store != "redis" || r.counts {
		return outcomes, nil
	}
	l, err := g.since(before)
	if r.Load != nil {
		l = r.Load.and(l)
	}
	r.Load = &l
	return outcomes, err
}

// slow has the service take its time, from an empty store on. more is what else it does, as the sandbox takes faults.
func (g *ground) slow(ctx context.Context, service string, latency time.Duration, more string) func() error {
	fault := fmt.Sprintf(`{"service":%q,"delay_ms":%d%s}`, service, latency.Milliseconds(), more)
	return func() error { return errors.Join(g.forget(), g.Fault(ctx, fault)) }
}

// crowd starts the runners of a row at once.
func (g *ground) crowd(ctx context.Context, r row, service, fault string, j job) (row, error) {
	return g.observe(ctx, r, service, g.slow(ctx, service, r.Latency, fault), func() ([]outcome, error) {
		return g.together(ctx, r.Together, r.Together, func(int) job { return j })
	})
}

// floor is what it costs to start the program.
func (g *ground) floor(ctx context.Context, s sizes) ([]row, error) {
	r := row{ID: "floor", Name: "authctl version", Together: s.atOnce}
	r, err := g.observe(ctx, r, profileName, g.forget, func() ([]outcome, error) {
		return g.together(ctx, s.floor, s.atOnce, func(int) job { return job{args: []string{"version"}} })
	})
	return []row{r}, err
}

// warmReads are runners that find a token, as many at a time as there are processors.
func (g *ground) warmReads(ctx context.Context, s sizes) (rows []row, err error) {
	for _, store := range []string{"redis", "file"} {
		j := get(store, profileName)
		r := row{ID: "warm", Name: "a token that is there", Store: store, Together: s.atOnce, Keys: 1, Latency: usual}
		r, err = g.observe(ctx, r, profileName, func() error { return g.keep(ctx, j, r.Latency, "") },
			func() ([]outcome, error) { return g.together(ctx, s.warm, s.atOnce, func(int) job { return j }) })
		if err != nil {
			return nil, err
		}
		r.Requests-- // of the one before them
		rows = append(rows, r)
	}
	return rows, nil
}

// keep has a first runner get the token that the others find.
func (g *ground) keep(ctx context.Context, j job, latency time.Duration, fault string) error {
	if err := g.slow(ctx, profileName, latency, fault)(); err != nil {
		return err
	}
	o, err := g.one(ctx, j)
	if err == nil && o.code != 0 {
		err = fmt.Errorf("the first runner ended with exit code %d: %s", o.code, o.said)
	}
	return err
}

// coldRunners begin with nothing kept anywhere, in batches.
func (g *ground) coldRunners(ctx context.Context, s sizes) ([]row, error) {
	r := row{ID: "cold", Name: "cold runners", Store: "redis", Together: s.together, Keys: 1, Latency: usual}
	r, err := g.observe(ctx, r, profileName, g.slow(ctx, profileName, usual, ""), func() ([]outcome, error) {
		return g.together(ctx, s.cold, s.together, func(int) job { return get("redis", profileName) })
	})
	return []row{r}, err
}

// crowds all start at once with nothing kept: as many as there are, and at services that take longer.
func (g *ground) crowds(ctx context.Context, s sizes) (rows []row, err error) {
	r := row{ID: "crowd", Name: "a crowd at once", Store: "redis", Keys: 1, Rounds: s.rounds}
	for _, size := range s.crowds {
		r.Together, r.Latency = size, usual
		rows = append(rows, r)
	}
	for _, latency := range s.latencies {
		r.Together, r.Latency = s.together, latency
		rows = append(rows, r)
	}
	for i, r := range rows {
		if rows[i], err = g.crowd(ctx, r, profileName, "", get("redis", profileName)); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// manyKeys are runners of several profiles mixed: each scope is a token of its own.
func (g *ground) manyKeys(ctx context.Context, s sizes) ([]row, error) {
	scopes, err := g.scopes(ctx, s.keys)
	if err != nil {
		return nil, err
	}
	r := row{ID: "keys", Name: "many tokens", Store: "redis", Together: s.together, Keys: s.keys, Latency: usual}
	r, err = g.observe(ctx, r, profileName, g.slow(ctx, profileName, usual, ""), func() ([]outcome, error) {
		return g.together(ctx, s.keys*s.perKey, s.together, func(i int) job {
			return get("redis", profileName, "--scope", scopes[i%len(scopes)])
		})
	})
	return []row{r}, err
}
