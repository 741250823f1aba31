//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// limits are runners of a service that takes one request a second, with the engine and without.
func (g *ground) limits(ctx context.Context, s sizes) (rows []row, err error) {
	for _, store := range []string{"redis", "memory"} {
		r := row{ID: "limit", Name: "a request a second", Store: store, Together: s.limited, Latency: usual, Keys: 1}
		if r, err = g.crowd(ctx, r, limitedName, "", get(store, limitedName)); err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// refusals are a wrong secret, and a service that is down, while nothing is kept.
func (g *ground) refusals(ctx context.Context, s sizes) ([]row, error) {
	r := row{Store: "redis", Together: s.crowds[len(s.crowds)-1], Keys: 1, Latency: usual}
	wrong := get("redis", profileName)
	wrong.env = []string{"AUTHCTL_CLIENT_SECRET=not-the-secret"}
	r.ID, r.Name = "refused", "a wrong secret"
	refused, err := g.crowd(ctx, r, profileName, "", wrong)
	if err != nil {
		return nil, err
	}
	r.ID, r.Name = "down", "the service is down"
	down, err := g.crowd(ctx, r, profileName, `,"status":503`, get("redis", profileName))
	return []row{refused, down}, err
}

// engineGone are runners while the engine refuses connections, and while it takes them and says nothing. The gate in
// front of the service has a twin in front of the engine for that.
func (g *ground) engineGone(ctx context.Context, s sizes) (rows []row, err error) {
	away, err := newGate(g.engine.Host)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, away.close()) }()
	j := get("redis", profileName)
	j.env = []string{"AUTHCTL_STORE=redis://" + away.address + "/0"}
	for _, how := range []struct {
		name string
		shut func() error
	}{{"the engine hangs", away.hang}, {"the engine refuses connections", away.refuse}} {
		if err := how.shut(); err != nil {
			return nil, err
		}
		r := row{ID: "gone", Name: how.name, Store: "redis", Together: s.limited, Keys: 1, Latency: usual, counts: true}
		if r, err = g.crowd(ctx, r, profileName, "", j); err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// restarts is a stream of runners while the engine is killed and started again and again, and forgets each time.
func (g *ground) restarts(ctx context.Context, s sizes) ([]row, error) {
	r := row{
		ID: "restart", Name: fmt.Sprintf("the engine is killed %d times, and away for %v each", s.restarts, downFor),
		Store: "redis", Keys: 1, Latency: usual, Load: &load{}, counts: true,
	}
	r, err := g.observe(ctx, r, profileName, g.slow(ctx, profileName, usual, ""), func() ([]outcome, error) {
		failed := make(chan error, 1)
		go func() { failed <- g.roll(ctx, s.restarts, r.Load) }()
		long := time.Duration(s.restarts)*(upFor+downFor) + downFor
		outcomes, err := g.stream(ctx, every, long, get("redis", profileName))
		return outcomes, errors.Join(err, <-failed)
	})
	return []row{r}, err
}

// roll kills the engine and starts it again some times, and adds up what each was asked.
func (g *ground) roll(ctx context.Context, times int, sum *load) error {
	before, err := g.look()
	if err != nil {
		return err
	}
	for range times {
		if err := sleep(ctx, upFor); err != nil {
			return err
		}
		part, err := g.since(before)
		if err != nil {
			return err
		}
		*sum = sum.and(part)
		g.engine.Kill()
		if err := sleep(ctx, downFor); err != nil {
			return err
		}
		if err := g.engine.Restart(); err != nil {
			return err
		}
		if before, err = g.look(); err != nil {
			return err
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
