//go:build linux

package main

import (
	"math"
	"time"
)

// softShare is the part of a token's life after which it is renewed, and the margin the time before its end from which
// on it is no longer served without a request. Both are written down in docs/fleets.md as assumptions of the model.
const softShare = 2.0 / 3

func margin(lifetime float64) float64 { return min(60, lifetime/5) }

// A model says on paper what a fleet costs, from what was measured. Times are in seconds.
//
// Runners come at random (a Poisson process), each for one token, each on a machine of its own. A token is renewed by
// the first runner after its soft time. The engine is there.
type model struct {
	// warm is what a runner costs that finds a token, holder one that asks, waiter one that waits for that.
	warm, holder, waiter share
	// found is how long a runner takes that finds a token, asking what one takes on top of the service that asks, and
	// woken how long after that one the last of a small crowd ends.
	found         spread
	asking, woken float64
	// starting and ending are the time that the processors work for a runner of a crowd until it waits, and after that.
	starting, ending float64
	// processors are those that what ran beside left: the machine's, less as the program took longer than it worked.
	processors float64
}

// share is what one runner asks of the engine: commands, bytes, and seconds of the engine's processor.
type share struct{ commands, received, sent, processor float64 }

func (s share) times(n float64) share {
	return share{s.commands * n, s.received * n, s.sent * n, s.processor * n}
}

func (s share) and(t share) share {
	return share{s.commands + t.commands, s.received + t.received, s.sent + t.sent, s.processor + t.processor}
}

func (r row) share() share {
	if r.Load == nil {
		return share{}
	}
	l := r.Load
	all := share{float64(l.total()), float64(l.Received), float64(l.Sent), l.Processor.Seconds()}
	return all.times(1 / float64(r.Runners))
}

// modelOf takes the model's figures from what was measured: a runner that asks from the crowd of one, one that waits
// from the biggest crowd.
func modelOf(r report) model {
	warm, one, few, most := r.row("warm"), r.crowd(1), r.crowd(10), r.biggest()
	m := model{warm: warm.share(), holder: one.share(), found: warm.Wait}
	floor := r.row("floor")
	m.processors = float64(r.Machine.CPUs) * min(1, floor.Processor.Seconds()/floor.Wait.P50.Seconds())
	n := float64(most.Together)
	m.waiter = most.share().times(n).and(m.holder.times(-1)).times(1 / (n - 1))
	m.asking = (one.Wait.P50 - one.Latency).Seconds()
	m.woken = few.WakeUp.P50.Seconds()
	// What a runner does before it waits is about what one does that finds a token, which looks once.
	m.starting = warm.Processor.Seconds()
	m.ending = max(0, most.Processor.Seconds()-m.starting)
	return m
}

// A fleet is so many runners an hour for one token that lives so long, at a service that takes so long.
type fleet struct{ runners, lifetime, latency float64 }

// rate is runners a second.
func (f fleet) rate() float64 { return f.runners / 3600 }

// requests are those to the service in an hour: one for each time that a token's soft time is over, somebody comes, and
// the service answers.
func (f fleet) requests() float64 { return 3600 / (softShare*f.lifetime + 1/f.rate() + f.latency) }

// asks is the part of the runners that ask, waits the part that waits for one who asks: they come while a token is got
// that nobody renewed in time.
func (f fleet) asks() float64 { return f.requests() / f.runners }

func (f fleet) waits() float64 {
	renewable := f.lifetime - margin(f.lifetime) - softShare*f.lifetime
	return f.asks() * f.rate() * f.latency * math.Exp(-f.rate()*renewable)
}

// load is what the engine is asked in a second.
func (m model) load(f fleet) share {
	asks, waits := f.asks(), f.waits()
	each := m.warm.times(1 - asks - waits).and(m.holder.times(asks)).and(m.waiter.times(waits))
	return each.times(f.rate())
}

// wait is how long a part of the runners waits at most.
func (m model) wait(f fleet, part float64) float64 {
	served := 1 - f.asks() - f.waits()
	if part <= served {
		return m.found.at(part / served)
	}
	return f.latency + m.asking
}

// at is the value below which a part is, between those that are known.
func (s spread) at(part float64) float64 {
	known := []struct {
		part float64
		time time.Duration
	}{{0.5, s.P50}, {0.9, s.P90}, {0.99, s.P99}, {1, s.Most}}
	for i, k := range known[1:] {
		if before := known[i]; part <= k.part {
			inside := max(0, part-before.part) / (k.part - before.part)
			return before.time.Seconds() + inside*(k.time-before.time).Seconds()
		}
	}
	return s.Most.Seconds()
}

// crowd is how long a part of n runners waits at most that start at once with nothing kept, each on a machine of its
// own where processors is 0, or all on so many processors. Those are shared: the one that asks is ready to ask when all
// the others are, and when it has the answer they wake up together and end one after the other.
func (m model) crowd(n, latency, part, processors float64) float64 {
	answered := latency + m.asking
	if processors == 0 {
		return answered + m.woken + part*n*m.waiter.processor
	}
	return answered + (n-1)*m.starting/processors + part*n*m.ending/processors
}
