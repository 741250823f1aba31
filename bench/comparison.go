//go:build linux

package main

import (
	"context"

	"github.com/authctl/authctl/bench/lab"
)

const (
	// rehearsals is how often a program is started before it is measured.
	rehearsals = 3
	// useRounds is how often memory and page faults are read; they hardly vary.
	useRounds = 5
)

// A comparison is some programs measured in turns: A B C … A B C …
type comparison struct {
	id, title string
	subjects  []subject
	targets   []target
}

// A unit is what a target is told in.
type unit string

const (
	ratio unit = "×"   // of what it is compared with
	more  unit = "ms"  // on top of what it is compared with
	peak  unit = "MiB" // of memory
	calls unit = "request(s)"
	kib   unit = "KiB" // of memory that grew
	count unit = ""
)

// A target is the most that a row may cost.
type target struct {
	// row is the name of a subject, against of another; empty where the target is an absolute one.
	row, against string
	unit         unit
	most         float64
}

// measure starts the subjects in turns. Each round begins with another one, since the second may find warmer caches.
func (c comparison) measure(ctx context.Context, runner string, rounds int) (group, error) {
	g := group{ID: c.id, Title: c.title, Rows: make([]row, len(c.subjects))}
	for i, s := range c.subjects {
		g.Rows[i] = row{Name: s.name, Note: s.note, Size: s.size}
		if err := s.rehearse(ctx, min(rehearsals, rounds)); err != nil {
			return g, err
		}
	}
	for round := range rounds {
		for i := range c.subjects {
			which := (i + round) % len(c.subjects)
			if every := max(1, c.subjects[which].every); round%every != 0 {
				continue
			}
			took, err := c.subjects[which].timed(ctx)
			if err != nil {
				return g, err
			}
			g.Rows[which].Times = append(g.Rows[which].Times, took)
		}
	}
	for i, s := range c.subjects {
		used, err := s.uses(ctx, runner, min(useRounds, rounds))
		if err != nil {
			return g, err
		}
		g.Rows[i].Peak, g.Rows[i].Faults = medianUse(used)
	}
	for _, t := range c.targets {
		g.Verdicts = append(g.Verdicts, t.judge(g))
	}
	return g, nil
}

func medianUse(used []use) (peak, faults int64) {
	var peaks, faulted []int64
	for _, u := range used {
		peaks, faulted = append(peaks, u.peak), append(faulted, u.faults)
	}
	return lab.Median(peaks), lab.Median(faulted)
}

// judge compares medians with a target. A row that could not be measured has no value.
func (t target) judge(g group) verdict {
	v := verdict{Row: t.row, Against: t.against, Unit: t.unit, Most: t.most}
	ours, ok := g.row(t.row)
	if !ok {
		return v
	}
	if t.unit == peak {
		return v.with(float64(ours.Peak) / 1024)
	}
	theirs, ok := g.row(t.against)
	if !ok {
		return v
	}
	if t.unit == ratio {
		return v.with(float64(lab.Median(ours.Times)) / float64(lab.Median(theirs.Times)))
	}
	return v.with(lab.InMS(lab.Median(ours.Times) - lab.Median(theirs.Times)))
}
