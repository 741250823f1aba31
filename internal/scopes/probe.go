package scopes

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/authctl/authctl/internal/providers"
)

// Answer is how a service answered a request for some scopes.
type Answer struct {
	// Granted are the names that the client got; others than the asked ones are
	// ignored. A reply without scope granted what was asked (RFC 6749 §5.1).
	Granted []string
	// Refused says that nothing was granted because of at least one of the names.
	Refused bool
}

// State is what a probe knows. It holds names and no secret, so that it can be
// kept and the probe be resumed.
type State struct {
	Granted []string `json:"granted"`
	Refused []string `json:"refused"`
	// Suspect are groups of which at least one name is refused, nobody knows which.
	Suspect [][]string `json:"suspect,omitempty"`
	// Requests is how many answers it took, Extra how many of them do not count for
	// what Run promises: to ask again for what had been refused, or before the probe.
	Requests int `json:"requests"`
	Extra    int `json:"extra,omitempty"`
}

// Probe finds which scopes a client gets, with few requests. It takes the service
// to refuse a set of scopes if and only if it refuses one of them.
type Probe struct {
	// Ask sends one request for the names. An error ends the probe; a refusal of
	// scopes is an Answer, one of the credentials an error.
	Ask func(ctx context.Context, names []string) (Answer, error)
	// Known says which names are alike: those with the same access are often granted
	// or refused together, and are asked together.
	Known []providers.KnownScope
	// Progress is told after each answer how many names are decided; may be nil.
	Progress func(done, total, requests int)
	// Save is called with what is known after each answer; may be nil. Its error ends
	// the probe.
	Save func(State) error
}

// Run decides about all the names, and goes on from an earlier State, zero for a new
// probe. A probe of n names takes at most n + 4 requests, n + 1 of up to four names, and
// one more each time it is resumed: what was refused earlier is asked for again, all
// together, because the client may have been given it meanwhile. With an error it
// returns what is known, to be resumed from. Names of the earlier State that are not
// among names are forgotten.
func (p *Probe) Run(ctx context.Context, names []string, from State) (State, error) {
	s := newSearch(p.order(names), from)
	if again := s.with(refused); len(again) > 0 {
		answer, err := p.Ask(ctx, s.named(again))
		if err != nil {
			return s.state(), err
		}
		s.relearn(again, answer)
		if err := p.tell(s); err != nil {
			return s.state(), err
		}
	}
	for {
		ask := s.next()
		if len(ask) == 0 {
			return s.state(), nil
		}
		if err := ctx.Err(); err != nil {
			return s.state(), err
		}
		answer, err := p.Ask(ctx, s.named(ask))
		if err != nil {
			return s.state(), err
		}
		s.learn(ask, answer)
		if err := p.tell(s); err != nil {
			return s.state(), err
		}
	}
}

func (p *Probe) tell(s *search) error {
	if p.Progress != nil {
		p.Progress(len(s.names)-len(s.with(open)), len(s.names), s.requests+s.extra)
	}
	if p.Save == nil {
		return nil
	}
	if err := p.Save(s.state()); err != nil {
		return fmt.Errorf("keeping what the probe found: %w", err)
	}
	return nil
}

// order puts names with the same access beside each other.
func (p *Probe) order(names []string) []string {
	rank := map[string]int{}
	accesses := providers.Accesses()
	for _, k := range p.Known {
		rank[k.Name] = slices.Index(accesses, k.Access) + 1
	}
	ordered := Unique(names)
	slices.SortStableFunc(ordered, func(a, b string) int { return cmp.Compare(rank[a], rank[b]) })
	return ordered
}
