//go:build linux

package lab

import (
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		values []time.Duration
		part   float64
		want   time.Duration
	}{
		{nil, 0.5, 0},
		{[]time.Duration{7}, 0.25, 7},
		{[]time.Duration{30, 10, 20}, 0.5, 20},
		{[]time.Duration{40, 10, 20, 30}, 0.5, 25},
		{[]time.Duration{10, 20, 30, 40, 50}, 0.25, 20},
		{[]time.Duration{10, 20}, 1, 20},
	} {
		if got := Quantile(tt.values, tt.part); got != tt.want {
			t.Errorf("Quantile(%v, %v) = %v, want %v", tt.values, tt.part, got, tt.want)
		}
	}
}
