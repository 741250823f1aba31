//go:build linux

package lab

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Median is the value in the middle.
func Median[T int64 | time.Duration](values []T) T { return Quantile(values, 0.5) }

// Quantile is the value below which a part of the values is, between two of them where it falls there.
func Quantile[T int64 | time.Duration](values []T, part float64) T {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	place := part * float64(len(sorted)-1)
	low := int(place)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + T((place-float64(low))*float64(sorted[high]-sorted[low]))
}

// InMS is a duration in milliseconds.
func InMS(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// A Grid is a table whose first line is its head.
type Grid [][]string

// Markdown writes a table as GitHub reads it, the first column to the left, and an empty line.
func (t Grid) Markdown(b *strings.Builder) {
	for i, line := range t {
		fmt.Fprintf(b, "| %s |\n", strings.Join(line, " | "))
		if i == 0 {
			fmt.Fprintf(b, "|---|%s\n", strings.Repeat("--:|", len(line)-1))
		}
	}
	b.WriteString("\n")
}
