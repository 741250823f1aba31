package scopes

import (
	"math"
	"math/bits"
	"slices"
)

// verdict is what is known of one name.
type verdict int

const (
	open verdict = iota
	granted
	refused
)

// search is adaptive group testing: a set that passes clears all its names, a set
// that fails is narrowed down. How large the sets are follows how many of the names
// nearby were refused; where that is more than 38 %, they are single names, because
// sets do not pay then (Hwang, "A Method for Detecting All Defective Members in a
// Population by Group Testing", https://doi.org/10.1080/01621459.1972.10481257).
//
// Names are meant by their index.
type search struct {
	names    []string
	verdicts []verdict
	// groups are disjoint sets of open names, each with a refused one in it, in order.
	groups [][]int
	// requests are those of the search, without the extra ones.
	requests, extra int
}

func newSearch(names []string, from State) *search {
	s := &search{names: names, verdicts: make([]verdict, len(names))}
	s.extra = max(0, from.Extra)
	s.requests = max(0, from.Requests-s.extra)
	s.decide(s.indexes(from.Granted), granted)
	s.decide(s.indexes(from.Refused), refused)
	for _, group := range from.Suspect {
		// A group is only of use whole: the refused name may be the one that is gone.
		if known := s.indexes(group); len(known) == len(group) {
			s.groups = append(s.groups, known)
		}
	}
	s.settle()
	return s
}

// next returns what to ask for, nothing when all is decided.
func (s *search) next() []int {
	undecided := s.with(open)
	if len(undecided) == 0 {
		return nil
	}
	from, size := s.choose(undecided)
	if s.requests+len(undecided) >= s.limit() {
		// One by one each answer decides a name, which keeps the promise of Run.
		size = 1
	}
	return from[:size]
}

// limit is the most requests that a probe may take: as many as there are names, and a
// few for sets that were asked for in vain.
func (s *search) limit() int {
	if n := len(s.names); n <= 4 {
		return n + 1
	}
	return len(s.names) + 4
}

// choose returns the names to ask for next, and how many of them.
func (s *search) choose(undecided []int) (from []int, size int) {
	// After two sets in vain, another one needs a better chance than every second one.
	const sure = 0.25
	all, opening := len(s.names), bits.Len(uint(len(s.names)))
	if len(s.groups) == 0 {
		from, size = undecided, len(undecided)
	} else {
		from, size = s.groups[0], len(s.groups[0])/2
	}
	switch {
	case len(from) == all && len(s.groups) > 0:
		// If these few are refused too, they are asked for one by one: that finds a
		// single refused name as soon as halving all would, and wastes but this one
		// request where most names are refused.
		return from, opening
	case len(s.groups) > 0 && s.vain() > 1 && len(s.with(granted)) < opening:
		return from, 1
	case s.few():
	case s.vain() > 1 && s.density(from[0]) > sure:
		return from, 1
	default:
		size = min(size, groupSize(s.density(from[0])))
	}
	return from, size
}

// vain is how many requests have decided nothing, set off against the names that were
// decided together.
func (s *search) vain() int { return s.requests + len(s.with(open)) - len(s.names) }

// few reports whether it may well be a single name that is refused: it is found by
// halving, and all the rest is asked for at once.
func (s *search) few() bool {
	bad := len(s.with(refused))
	return bad+len(s.groups) <= 1 && 2*bad <= len(s.with(granted))
}

// density is which part of the names is refused, judged by the names near one. Two
// names of which one is refused stand for what nobody has seen yet.
func (s *search) density(at int) float64 {
	const fading = 0.8
	bad, all := 1.0, 2.0
	for i, v := range s.verdicts {
		if v == open {
			continue
		}
		weight := math.Pow(fading, math.Abs(float64(i-at))-1)
		all += weight
		if v == refused {
			bad += weight
		}
	}
	return bad / all
}

// groupSize is the size at which a set passes about every second time: the least n
// with q^n + q^(n+1) <= 1, where q is the part that is granted.
func groupSize(density float64) int {
	n, q := 1, 1-density
	for math.Pow(q, float64(n))*(1+q) > 1 {
		n++
	}
	return n
}

// learn takes in the answer to a request.
func (s *search) learn(asked []int, a Answer) {
	s.requests++
	if a.Refused {
		s.groups = append(s.groups, asked)
	} else {
		s.decide(asked, refused)
		s.decide(intersection(asked, s.indexes(a.Granted)), granted)
	}
	s.settle()
}

// relearn takes in the answer to a request for what was refused before. A refusal says
// nothing new.
func (s *search) relearn(asked []int, a Answer) {
	s.extra++
	if !a.Refused {
		s.decide(intersection(asked, s.indexes(a.Granted)), granted)
	}
}

// settle draws the conclusions: a group with a refused name is explained, one that
// holds a smaller group says nothing more, and what is left of a group when all
// others are granted is refused.
func (s *search) settle() {
	slices.SortFunc(s.groups, func(a, b []int) int { return len(a) - len(b) })
	groups := s.groups
	s.groups = nil
	for _, group := range groups {
		isRefused := func(i int) bool { return s.verdicts[i] == refused }
		if slices.ContainsFunc(group, isRefused) || slices.ContainsFunc(group, s.suspected) {
			continue
		}
		left := intersection(group, s.with(open))
		switch len(left) {
		case 0: // a service that refuses what it granted before
		case 1:
			s.decide(left, refused)
		default:
			s.groups = append(s.groups, left)
		}
	}
	slices.SortFunc(s.groups, slices.Compare)
}

func (s *search) decide(names []int, v verdict) {
	for _, i := range names {
		s.verdicts[i] = v
	}
}

// suspected reports whether a name is in a group.
func (s *search) suspected(i int) bool {
	return slices.ContainsFunc(s.groups, func(group []int) bool { return slices.Contains(group, i) })
}

// with returns the names with a verdict.
func (s *search) with(v verdict) []int {
	var list []int
	for i, have := range s.verdicts {
		if have == v {
			list = append(list, i)
		}
	}
	return list
}

func (s *search) named(list []int) []string {
	names := make([]string, len(list))
	for i, n := range list {
		names[i] = s.names[n]
	}
	return names
}

// indexes are those of the names that the search is about, in its order.
func (s *search) indexes(names []string) []int {
	var list []int
	for i, name := range s.names {
		if slices.Contains(names, name) {
			list = append(list, i)
		}
	}
	return list
}

func (s *search) state() State {
	state := State{
		Granted: s.named(s.with(granted)), Refused: s.named(s.with(refused)),
		Requests: s.requests + s.extra, Extra: s.extra,
	}
	for _, group := range s.groups {
		state.Suspect = append(state.Suspect, s.named(group))
	}
	return state
}

// intersection keeps the order of a.
func intersection(a, b []int) []int {
	return slices.DeleteFunc(slices.Clone(a), func(i int) bool { return !slices.Contains(b, i) })
}
