// Package moment waits, and writes moments and durations, for people and for programs, in one form
// everywhere: a moment in the reader's own time with its zone, or in UTC where a program
// reads it; a duration in its two greatest units.
package moment

import (
	"context"
	"fmt"
	"time"
)

const day = 24 * time.Hour

// Text is a moment for people: in their own time, with the zone.
func Text(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") }

// UTC is a moment for programs: RFC 3339 in UTC.
func UTC(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Lasting is a duration for people, without its sign, in its two greatest units: 45s, 1m30s,
// 2h, 3d4h; below ten seconds in tenths, from 100 days on in days. It is cut and not rounded,
// so that it never says that more is left than there is.
func Lasting(d time.Duration) string {
	d = d.Abs()
	switch {
	case d < 10*time.Second:
		return d.Truncate(time.Second / 10).String()
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return units(d, time.Minute, "m", time.Second, "s")
	case d < day:
		return units(d, time.Hour, "h", time.Minute, "m")
	case d < 100*day:
		return units(d, day, "d", time.Hour, "h")
	}
	return fmt.Sprintf("%dd", d/day)
}

func units(d, great time.Duration, greatName string, small time.Duration, smallName string) string {
	text := fmt.Sprintf("%d%s", d/great, greatName)
	if rest := d % great / small; rest > 0 {
		text += fmt.Sprintf("%d%s", rest, smallName)
	}
	return text
}

// Away says how far a moment is, in whole seconds: "in 5m" or "5m ago".
func Away(d time.Duration) string {
	far := Lasting(d.Truncate(time.Second))
	if d > 0 {
		return "in " + far
	}
	return far + " ago"
}

// Sleep waits for d, or returns why ctx ended.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
