package client

import (
	"testing"
	"time"

	"github.com/authctl/authctl/internal/providers"
)

func TestRetries(t *testing.T) {
	t.Parallel()
	r, now := &Retries{}, time.Unix(1_000_000, 0)
	failure := &providers.Failure{Reason: providers.ReasonTemporary}
	for i, want := range []int{1, 2, 4, 8, 16, 30, 30, 30} {
		if got := r.After(failure, now); got != now.Add(time.Duration(want)*time.Second) {
			t.Errorf("the attempt after %d failures comes after %v, want %d s", i+1, got.Sub(now), want)
		}
	}
	failure.NotBefore = now.Add(time.Hour)
	if got := r.After(failure, now); got != failure.NotBefore {
		t.Errorf("the next attempt comes at %v, before the service's %v", got, failure.NotBefore)
	}
}
