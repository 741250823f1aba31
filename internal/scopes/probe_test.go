package scopes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeService grants a set of scopes to its one client.
type fakeService struct {
	t       testing.TB
	granted []string
	// narrows: it grants what it can instead of refusing all. silent: its replies name no scope.
	narrows, silent bool
	asked           [][]string
	decided         int
}

func (f *fakeService) ask(_ context.Context, names []string) ([]string, bool, error) {
	if slices.ContainsFunc(f.asked, func(before []string) bool { return slices.Equal(before, names) }) {
		f.t.Errorf("asked twice for %s", names)
	}
	f.asked = append(f.asked, names)
	lacks := len(Missing(f.granted, names)) > 0
	switch {
	case lacks && !f.narrows, len(names) == 1 && lacks && f.silent:
		return nil, true, nil
	case f.silent:
		return nil, false, nil
	}
	return append(Missing(Missing(f.granted, names), names), "profile", "email"), false, nil
}

func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("s%02d", i)
	}
	return names
}

// probe runs to the end and requires that exactly what is granted is found; it returns the number of requests.
func (f *fakeService) probe(names []string) int {
	f.t.Helper()
	got, err := (&Probe{Ask: f.ask, Decided: func(more int) { f.decided += more }}).Run(f.t.Context(), names, false)
	if err != nil {
		f.t.Fatal(err)
	}
	want := Missing(Missing(f.granted, names), names)
	if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(got)); diff != "" || f.decided != len(names) {
		f.t.Fatalf("%+v: of %d names %d are decided (-want +got):\n%s", f, len(names), f.decided, diff)
	}
	return len(f.asked)
}

// TestProbeOfEverySet asks all kinds of services for all sets of up to seven scopes.
func TestProbeOfEverySet(t *testing.T) {
	t.Parallel()
	for n := 1; n < 8; n++ {
		names := numbered(n)
		for set := range 1 << n {
			var granted []string
			for i, name := range names {
				if set>>i&1 == 1 {
					granted = append(granted, name)
				}
			}
			refuses := &fakeService{t: t, granted: granted}
			if count := refuses.probe(names); count > 2*n-1 || len(granted) == n && count != 1 {
				t.Errorf("%v of %v: %d requests", granted, names, count)
			}
			narrows := &fakeService{t: t, granted: granted, narrows: true}
			if count := narrows.probe(names); count != 1 {
				t.Errorf("a service that narrows: %d requests", count)
			}
			// A reply that names no scope is not believed for several names.
			for _, narrow := range []bool{true, false} {
				silent := &fakeService{t: t, granted: granted, narrows: narrow, silent: true}
				if count := silent.probe(names); narrow && n > 1 && count != n+1 {
					t.Errorf("a service that names no scope: %d requests", count)
				}
			}
		}
	}
}

func TestProbeHalves(t *testing.T) {
	t.Parallel()
	names := numbered(8)
	f := &fakeService{t: t, granted: slices.Delete(slices.Clone(names), 6, 7)}
	f.probe(names)
	want := [][]string{names, names[:4], names[4:6], names[6:7], names[7:]}
	if diff := cmp.Diff(want, f.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestProbeEndsWithAnError(t *testing.T) {
	t.Parallel()
	down, f := errors.New("the service is down"), &fakeService{t: t}
	p := Probe{Decided: func(int) {}, Ask: func(ctx context.Context, names []string) ([]string, bool, error) {
		if len(f.asked) == 3 {
			return nil, false, down
		}
		return f.ask(ctx, names)
	}}
	if got, err := p.Run(t.Context(), numbered(8), false); !errors.Is(err, down) || got != nil {
		t.Errorf("%v, %v", got, err)
	}
}
