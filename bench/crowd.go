//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/authctl/authctl/bench/lab"
)

const (
	crowdDelay = 300 * time.Millisecond
	// crowdStarts is how many times what starting the same number of processes takes a crowd may have beside the delay.
	crowdStarts = 2.5
)

// crowds starts many processes at once on an empty store, while the endpoint takes 300 ms to answer; and, in turns with
// them, as many that do nothing.
func (b *testbed) crowds(ctx context.Context, sizes []int, times int) (group, error) {
	g := group{ID: "crowd", Title: "processes at once on an empty store, 300 ms at the service"}
	fault := fmt.Sprintf(`{"service":%q,"delay_ms":%d}`, profileName, crowdDelay.Milliseconds())
	if err := b.Fault(ctx, fault); err != nil {
		return g, err
	}
	for _, size := range sizes {
		rows := make([]row, 1+len(b.stores))
		rows[0] = row{Name: crowdName(versionName, size), Size: size}
		for i, store := range b.stores {
			rows[i+1] = row{Name: crowdName(warmName(store), size), Size: size}
		}
		for range times {
			if err := b.turn(ctx, rows, size); err != nil {
				return g, err
			}
		}
		g.Rows = append(g.Rows, rows...)
	}
	g.Verdicts = crowdVerdicts(g, slices.Max(sizes))
	return g, b.NoFaults(ctx)
}

func crowdName(what string, size int) string { return fmt.Sprintf("%d × %s", size, what) }

// turn starts a crowd of each row.
func (b *testbed) turn(ctx context.Context, rows []row, size int) error {
	took, err := b.startAll(ctx, size, b.env("memory"), "version")
	if err != nil {
		return err
	}
	rows[0].Times = append(rows[0].Times, took)
	for i, store := range b.stores {
		if err := b.empties(ctx, store); err != nil {
			return err
		}
		before, err := b.Requests(ctx, profileName)
		if err != nil {
			return err
		}
		if took, err = b.startAll(ctx, size, b.env(store), "token", "get", profileName); err != nil {
			return fmt.Errorf("store %s: %w", store, err)
		}
		after, err := b.Requests(ctx, profileName)
		if err != nil {
			return err
		}
		r := &rows[i+1]
		r.Times, r.Requests = append(r.Times, took), append(r.Requests, after-before)
	}
	return nil
}

// startAll runs a crowd of authctl, and returns the time from the first start to the last end. All must print the same.
func (b *testbed) startAll(ctx context.Context, size int, env []string, args ...string) (time.Duration, error) {
	outputs, failures := make([]string, size), make([]error, size)
	begin := time.Now()
	var wg sync.WaitGroup
	for i := range size {
		wg.Go(func() {
			outputs[i], failures[i] = capture(ctx, env, append([]string{b.authctl}, args...)...)
		})
	}
	wg.Wait()
	took := time.Since(begin)
	if err := errors.Join(failures...); err != nil {
		return 0, err
	}
	for _, output := range outputs {
		if output != outputs[0] || strings.TrimSpace(output) == "" {
			return 0, errors.New("the processes did not all print the same")
		}
	}
	return took, nil
}

// crowdVerdicts: one request, and an end that is soon after the answer, in relation to what starting the processes
// takes.
func crowdVerdicts(g group, size int) []verdict {
	var verdicts []verdict
	starting := crowdName(versionName, size)
	start, _ := g.row(starting)
	for _, store := range []string{"keyring", "kernel", "file"} {
		name := crowdName(warmName(store), size)
		asked := verdict{Row: name, Unit: calls, Most: 1}
		done := verdict{Row: name + ", less the 300 ms", Against: starting, Unit: ratio, Most: crowdStarts}
		if r, ok := g.row(name); ok {
			asked = asked.with(float64(slices.Max(r.Requests)))
			done = done.with(float64(lab.Median(r.Times)-crowdDelay) / float64(lab.Median(start.Times)))
		}
		verdicts = append(verdicts, asked, done)
	}
	return verdicts
}
