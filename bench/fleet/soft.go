//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A steady stream: so many lifetimes of tokens that live so long, of a service that takes so long, and of whose time it
// is away for a part of each lifetime.
type steady struct {
	lifetimes         int
	lifetime, latency time.Duration
	away              float64
}

func steadyOf(quick bool) steady {
	if quick {
		return steady{lifetimes: 1, lifetime: 8 * time.Second, latency: 400 * time.Millisecond, away: 0.25}
	}
	// The latency is far more than a process takes on a busy machine, so that who waits for the service is seen. A tenth
	// of the lifetime is the most that a renewal may take while the token at hand is good.
	return steady{lifetimes: 5, lifetime: 20 * time.Second, latency: time.Second, away: 0.25}
}

// measureSoft measures what a steady stream of runners notices of renewals, and of a service that is away.
func measureSoft(ctx context.Context, o options) (_ *report, err error) {
	r, g, err := begin(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, g.close()) }()
	s := steadyOf(o.quick)
	for _, store := range o.stores {
		for _, outage := range []struct {
			name string
			shut func() error
		}{{"the service is there", nil}, {"it refuses connections", g.gate.refuse}, {"it hangs", g.gate.hang}} {
			row, err := g.steady(ctx, s, store, outage.name, outage.shut)
			if err != nil {
				return nil, err
			}
			r.Rows = append(r.Rows, row)
		}
	}
	r.finish()
	return r, nil
}

// steady is one stream. What one runner finds before it is the token that the first waited for.
func (g *ground) steady(ctx context.Context, s steady, store, name string, shut func() error) (row, error) {
	j := get(store, profileName)
	r := row{ID: "soft", Name: name, Store: store, Keys: 1, Latency: s.latency, Lifetime: s.lifetime}
	first := func() error {
		return g.keep(ctx, j, s.latency, fmt.Sprintf(`,"expires_in":%d`, int(s.lifetime.Seconds())))
	}
	r, err := g.observe(ctx, r, profileName, first, func() ([]outcome, error) {
		failed := make(chan error, 1)
		go func() { failed <- g.outages(ctx, s, shut) }()
		outcomes, err := g.stream(ctx, every, time.Duration(s.lifetimes)*s.lifetime, j)
		return outcomes, errors.Join(err, <-failed)
	})
	r.Requests-- // of the one before them
	return r, err
}

// outages shuts the gate in the middle of each lifetime; nil shuts nothing.
func (g *ground) outages(ctx context.Context, s steady, shut func() error) error {
	if shut == nil {
		return nil
	}
	down := time.Duration(s.away * float64(s.lifetime))
	up := s.lifetime - down
	for range s.lifetimes {
		err := errors.Join(sleep(ctx, up/2), shut(), sleep(ctx, down), g.gate.open(), sleep(ctx, up-up/2))
		if err != nil {
			return err
		}
	}
	return nil
}
