package scopes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/authctl/authctl/internal/providers"
	"github.com/google/go-cmp/cmp"
)

// fakeService grants a set of scopes to its one client.
type fakeService struct {
	t       testing.TB
	granted map[string]bool
	// narrows: it grants what it can instead of refusing all.
	narrows bool
	// down are the requests that get no answer, counted from 1.
	down  func(request int) bool
	asked map[string]bool
	count int
}

var errDown = errors.New("the service is down")

func (f *fakeService) ask(_ context.Context, names []string) (Answer, error) {
	f.count++
	if f.down != nil && f.down(f.count) {
		return Answer{}, errDown
	}
	key := fmt.Sprint(names)
	if f.asked[key] {
		f.t.Errorf("asked twice for %s", key)
	}
	f.asked[key] = true
	var got, not []string
	for _, name := range names {
		if f.granted[name] {
			got = append(got, name)
		} else {
			not = append(not, name)
		}
	}
	switch {
	case len(not) == 0:
		return Answer{Granted: names}, nil
	case f.narrows:
		return Answer{Granted: append(got, "profile", "email")}, nil
	}
	return Answer{Refused: true}, nil
}

func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("s%02d", i)
	}
	return names
}

func serving(t testing.TB, granted []string) *fakeService {
	t.Helper()
	f := &fakeService{t: t, granted: map[string]bool{}, asked: map[string]bool{}}
	for _, name := range granted {
		f.granted[name] = true
	}
	return f
}

// probe runs to the end and checks that exactly what is granted was found.
func probe(t testing.TB, f *fakeService, names []string) int {
	t.Helper()
	state, err := (&Probe{Ask: f.ask}).Run(t.Context(), names, State{})
	if err != nil {
		t.Fatal(err)
	}
	f.check(names, state)
	return f.count
}

func (f *fakeService) check(names []string, state State) {
	f.t.Helper()
	got, not := []string{}, []string{}
	for _, name := range names {
		if f.granted[name] {
			got = append(got, name)
		} else {
			not = append(not, name)
		}
	}
	if diff := cmp.Diff(State{Granted: got, Refused: not, Requests: state.Requests, Extra: state.Extra}, state); diff != "" {
		f.t.Fatalf("granted %v (-want +got):\n%s", got, diff)
	}
}

func TestProbeFindsWhatIsGranted(t *testing.T) {
	t.Parallel()
	names := numbered(36)
	const most = 36 + 4
	for k := range len(names) + 1 {
		random := rand.New(rand.NewPCG(7, uint64(k)))
		sum, worst := 0, 0
		const tries = 30
		for range tries {
			granted := slices.Clone(names)
			random.Shuffle(len(granted), func(i, j int) { granted[i], granted[j] = granted[j], granted[i] })
			count := probe(t, serving(t, granted[:k]), names)
			sum, worst = sum+count, max(worst, count)
		}
		if worst > most {
			t.Errorf("%d granted: %d requests, more than %d", k, worst, most)
		}
		if k == 0 && worst > 36+2 {
			t.Errorf("nothing granted: %d requests, more than two beside one by one", worst)
		}
		t.Logf("%2d of 36 granted: %4.1f requests on average, %2d at most; one by one 36", k, float64(sum)/tries, worst)
	}
}

func TestProbeOfSmallSets(t *testing.T) {
	t.Parallel()
	for n := range 11 {
		names := numbered(n)
		for set := range 1 << n {
			var granted []string
			for i, name := range names {
				if set>>i&1 == 1 {
					granted = append(granted, name)
				}
			}
			if count := probe(t, serving(t, granted), names); count > newSearch(names, State{}).limit() {
				t.Errorf("%v of %v: %d requests", granted, names, count)
			}
		}
	}
}

func TestProbeIsQuickWhereItCanBe(t *testing.T) {
	t.Parallel()
	names := numbered(36)
	if count := probe(t, serving(t, names), names); count != 1 {
		t.Errorf("all granted: %d requests", count)
	}
	for i := range names {
		granted := slices.Delete(slices.Clone(names), i, i+1)
		if count := probe(t, serving(t, granted), names); count > 8 {
			t.Errorf("all but %s: %d requests", names[i], count)
		}
	}
	f := serving(t, names[3:9])
	f.narrows = true
	if count := probe(t, f, names); count != 1 {
		t.Errorf("a service that narrows: %d requests", count)
	}
}

func TestProbeAsksForLikeScopesTogether(t *testing.T) {
	t.Parallel()
	p := service(t, "pexip")
	known := p.Catalogue().Scopes
	var all, reads []string
	for _, k := range known {
		all = append(all, k.Name)
		if k.Access == "read" {
			reads = append(reads, k.Name)
		}
	}
	f := serving(t, reads)
	state, err := (&Probe{Ask: f.ask, Known: known}).Run(t.Context(), all, State{})
	if err != nil || !slices.Equal(state.Granted, reads) {
		t.Fatalf("%v, %v", state.Granted, err)
	}
	apart := serving(t, reads)
	if one := probe(t, apart, all); f.count >= one || f.count > 27 {
		t.Errorf("%d requests, and %d without knowing the access", f.count, one)
	}
	t.Logf("the 18 reading scopes of 36: %d requests", f.count)
}

func TestProbeTellsHowFarItIs(t *testing.T) {
	t.Parallel()
	names := numbered(4)
	f := serving(t, names[1:])
	var told [][3]int
	saved := 0
	p := Probe{
		Ask:      f.ask,
		Progress: func(done, total, requests int) { told = append(told, [3]int{done, total, requests}) },
		Save:     func(State) error { saved++; return nil },
	}
	if _, err := p.Run(t.Context(), append(names, names...), State{}); err != nil {
		t.Fatal(err)
	}
	want := [][3]int{{0, 4, 1}, {1, 4, 2}, {2, 4, 3}, {3, 4, 4}, {4, 4, 5}}
	if diff := cmp.Diff(want, told); diff != "" || saved != len(want) {
		t.Errorf("saved %d times, told (-want +got):\n%s", saved, diff)
	}
	broken := errors.New("disk full")
	p.Save = func(State) error { return broken }
	if _, err := p.Run(t.Context(), []string{"other"}, State{}); !errors.Is(err, broken) {
		t.Errorf("a state that is not kept: %v", err)
	}
}

func TestProbeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	names := numbered(8)
	ctx, cancel := context.WithCancel(t.Context())
	f := serving(t, names[:3])
	p := Probe{Ask: f.ask, Progress: func(_, _, requests int) {
		if requests == 3 {
			cancel()
		}
	}}
	state, err := p.Run(ctx, names, State{})
	if !errors.Is(err, context.Canceled) || state.Requests != 3 {
		t.Errorf("%+v, %v", state, err)
	}
}

func TestProbeTakesNoHarmFromAnOddState(t *testing.T) {
	t.Parallel()
	names := numbered(4)
	for name, c := range map[string]struct {
		from          State
		granted, want []string
	}{
		"other names": {
			State{Granted: []string{"x"}, Refused: []string{"y"}, Suspect: [][]string{{"x", "s00"}}},
			[]string{"s01", "s02"},
			[]string{"s01", "s02"},
		},
		"group explained": {
			State{Granted: []string{"s01"}, Refused: []string{"s02"}, Suspect: [][]string{{"s01", "s02"}}},
			[]string{"s01", "s03"},
			[]string{"s01", "s03"},
		},
		// What was granted earlier is not asked for again.
		"granted and refused": {
			State{Granted: []string{"s01", "s02"}, Refused: []string{"s02"}}, []string{"s00"}, []string{"s00", "s01"},
		},
		"overlapping": {
			State{Refused: []string{"s03"}, Suspect: [][]string{{"s00", "s03"}, {"s02", "s03"}, {"s00", "s02"}}},
			[]string{"s01", "s02"},
			[]string{"s01", "s02"},
		},
		"empty group":       {State{Suspect: [][]string{{}, nil}}, []string{"s01", "s02"}, []string{"s01", "s02"}},
		"numbers":           {State{Requests: -5, Extra: -1}, []string{"s01", "s02"}, []string{"s01", "s02"}},
		"large number":      {State{Requests: 1 << 40}, []string{"s01", "s02"}, []string{"s01", "s02"}},
		"more than all":     {State{Requests: 1, Extra: 1 << 40}, []string{"s01"}, []string{"s01"}},
		"given meanwhile":   {State{Refused: []string{"s00", "s03"}}, names, names},
		"all given by then": {State{Granted: names[:3], Refused: names[3:]}, names, names},
	} {
		state, err := (&Probe{Ask: serving(t, c.granted).ask}).Run(t.Context(), names, c.from)
		if err != nil || !slices.Equal(state.Granted, c.want) || !slices.Equal(state.Refused, Missing(c.want, names)) {
			t.Errorf("%s: %+v, %v; want %s granted", name, state, err, c.want)
		}
	}
}

// TestProbeAsksAgainForWhatWasRefused: once, for all of it together.
func TestProbeAsksAgainForWhatWasRefused(t *testing.T) {
	t.Parallel()
	from := State{Granted: []string{"a"}, Refused: []string{"b", "c"}, Requests: 4}
	for name, c := range map[string]struct {
		answer  Answer
		granted []string
	}{
		"still refused":   {Answer{Refused: true}, []string{"a"}},
		"given":           {Answer{Granted: []string{"b", "c"}}, []string{"a", "b", "c"}},
		"one of them now": {Answer{Granted: []string{"c", "openid"}}, []string{"a", "c"}},
	} {
		var asked [][]string
		ask := func(_ context.Context, names []string) (Answer, error) {
			asked = append(asked, names)
			return c.answer, nil
		}
		saved := 0
		p := Probe{Ask: ask, Save: func(State) error { saved++; return nil }}
		state, err := p.Run(t.Context(), []string{"a", "b", "c"}, from)
		if diff := cmp.Diff([][]string{{"b", "c"}}, asked); diff != "" || err != nil || saved != 1 {
			t.Errorf("%s: %v, saved %d times, asked (-want +got):\n%s", name, err, saved, diff)
		}
		if !slices.Equal(state.Granted, c.granted) || state.Requests != 5 || state.Extra != 1 {
			t.Errorf("%s: %+v, want %s granted", name, state, c.granted)
		}
	}
	down := Probe{Ask: func(context.Context, []string) (Answer, error) { return Answer{}, errDown }}
	if state, err := down.Run(t.Context(), []string{"a", "b", "c"}, from); !errors.Is(err, errDown) || !cmp.Equal(state, from) {
		t.Errorf("%+v, %v: want what was known", state, err)
	}
}

// FuzzProbe interrupts and resumes: the answer stays the same.
func FuzzProbe(f *testing.F) {
	f.Add(uint64(0), uint64(0), uint8(36))
	f.Add(uint64(1)<<36-1, uint64(5), uint8(36))
	f.Add(uint64(0x3ffff), uint64(0xaaaa), uint8(36))
	f.Fuzz(func(t *testing.T, set, interruptions uint64, n uint8) {
		names := numbered(int(n) % 49)
		var granted []string
		for i, name := range names {
			if set>>i&1 == 1 {
				granted = append(granted, name)
			}
		}
		service := serving(t, granted)
		service.down = func(request int) bool { return request < 64 && interruptions>>request&1 == 1 }
		state := State{}
		for {
			delete(service.asked, fmt.Sprint(state.Refused)) // asked for again when it goes on
			next, err := (&Probe{Ask: service.ask}).Run(t.Context(), names, state)
			kept, problem := json.Marshal(next)
			if problem != nil {
				t.Fatal(problem)
			}
			state = State{}
			if problem := json.Unmarshal(kept, &state); problem != nil {
				t.Fatal(problem)
			}
			if err == nil {
				break
			}
			if !errors.Is(err, errDown) {
				t.Fatal(err)
			}
		}
		service.check(names, state)
		if limit := newSearch(names, State{}).limit(); state.Requests-state.Extra > limit {
			t.Errorf("%d requests, %d of them extra, more than %d", state.Requests, state.Extra, limit)
		}
	})
}

func TestGroupSize(t *testing.T) {
	t.Parallel()
	for density, want := range map[float64]int{1: 1, 0.5: 1, 0.39: 1, 0.38: 2, 0.1: 7, 0.02: 34} {
		if got := groupSize(density); got != want {
			t.Errorf("%v refused: sets of %d, want %d", density, got, want)
		}
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	p := Probe{Known: []providers.KnownScope{{Name: "w", Access: "write"}, {Name: "r", Access: "read"}, {Name: "r2", Access: "read"}}}
	if diff := cmp.Diff([]string{"new", "r2", "r", "w"}, p.order([]string{"w", "r2", "new", "r", "w"})); diff != "" {
		t.Error(diff)
	}
}
