//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// memoryRounds is how often peak memory is read; it hardly varies.
const memoryRounds = 5

// A side is one of the two programs of a comparison.
type side struct {
	name string
	argv []string
	env  []string
	// before runs ahead of each start and is not timed; nil does nothing.
	before func(context.Context) error
	// check looks at the output of the first start, so that no error message is measured; nil wants an exit code of
	// 0 only.
	check func(output string) error
}

// A comparison is ours against theirs.
type comparison struct {
	title        string
	ours, theirs side
	// maxRatio is the most that ours may take of theirs, 0 for no such target.
	maxRatio float64
	// maxMore is the most that ours may take on top of theirs, 0 for no such target.
	maxMore time.Duration
	// maxPeak is the most memory that ours may use, in KiB, 0 for no such target.
	maxPeak int64
}

// A result is a comparison that was measured.
type result struct {
	comparison

	oursTimes, theirsTimes []time.Duration
	// oursPeak and theirsPeak are in KiB.
	oursPeak, theirsPeak int64
}

// measure starts both sides in turns; who goes first changes with each round, since the second may find warmer caches.
func (c comparison) measure(ctx context.Context, peak string, rounds int) (result, error) {
	r := result{comparison: c}
	for _, s := range []side{c.ours, c.theirs} {
		if err := s.rehearse(ctx); err != nil {
			return r, err
		}
	}
	for i := range rounds {
		first, second := &c.ours, &c.theirs
		firstTimes, secondTimes := &r.oursTimes, &r.theirsTimes
		if i%2 == 1 {
			first, second = second, first
			firstTimes, secondTimes = secondTimes, firstTimes
		}
		if err := first.timed(ctx, firstTimes); err != nil {
			return r, err
		}
		if err := second.timed(ctx, secondTimes); err != nil {
			return r, err
		}
	}
	var err error
	if r.oursPeak, err = c.ours.memory(ctx, peak); err != nil {
		return r, err
	}
	r.theirsPeak, err = c.theirs.memory(ctx, peak)
	return r, err
}

// rehearse runs a side three times and looks at what it prints.
func (s side) rehearse(ctx context.Context) error {
	for range 3 {
		if err := s.prepare(ctx); err != nil {
			return err
		}
		output, err := capture(ctx, s.env, s.argv...)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if s.check == nil {
			continue
		}
		if err := s.check(output); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func (s side) prepare(ctx context.Context) error {
	if s.before == nil {
		return nil
	}
	if err := s.before(ctx); err != nil {
		return fmt.Errorf("preparing %s: %w", s.name, err)
	}
	return nil
}

// timed runs a side once, from before the fork to after the wait, with its output thrown away.
func (s side) timed(ctx context.Context, times *[]time.Duration) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, s.argv[0], s.argv[1:]...)
	cmd.Env = s.env
	begin := time.Now()
	err := cmd.Run()
	took := time.Since(begin)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	*times = append(*times, took)
	return nil
}

// memory returns the median peak memory of a side in KiB, as the helper program at peak reads it.
func (s side) memory(ctx context.Context, peak string) (int64, error) {
	var seen []int64
	for range memoryRounds {
		if err := s.prepare(ctx); err != nil {
			return 0, err
		}
		output, err := capture(ctx, s.env, append([]string{peak}, s.argv...)...)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", s.name, err)
		}
		kib, err := strconv.ParseInt(strings.TrimSpace(output), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading the memory of %s: %w", s.name, err)
		}
		seen = append(seen, kib)
	}
	return median(seen), nil
}

// capture runs a program and returns its stdout; a failure tells what it wrote on stderr.
func capture(ctx context.Context, env []string, argv ...string) (string, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("running %s: %w: %s", argv[0], err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

func median[T int64 | time.Duration](values []T) T {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// clean is the environment without what would point authctl, or the keyring's client, elsewhere.
func clean() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return strings.HasPrefix(name, "AUTHCTL_") || strings.HasPrefix(name, "XDG_") ||
			strings.HasSuffix(strings.ToLower(name), "_proxy") || name == "CI"
	})
}
