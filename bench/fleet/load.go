//go:build linux

package main

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"
)

// A load is what an engine was asked, and what that took.
type load struct {
	// Commands are how often each command was called, by its name in lower case.
	Commands map[string]int
	// Received and Sent are bytes, from the engine's side.
	Received, Sent int
	// Memory is what its data takes in bytes at the end, less what an empty engine takes; Peak the most that it ever had.
	Memory, Peak int `json:",omitzero"`
	// Processor is how long the engine's processor worked.
	Processor time.Duration
}

// total is how many commands there were.
func (l load) total() (n int) {
	for _, calls := range l.Commands {
		n += calls
	}
	return n
}

// look is what the engine has been asked since its start, what looks at it cost included.
func (g *ground) look() (l load, err error) {
	s, err := g.engine.Stats()
	if err != nil {
		return l, err
	}
	l = load{Commands: s.Calls, Received: s.Received, Sent: s.Sent}
	for _, section := range []string{"memory", "cpu"} {
		answer, err := g.engine.Do("INFO", section)
		if err != nil {
			return l, err
		}
		for line := range strings.Lines(fmt.Sprint(answer)) {
			l.take(strings.TrimSpace(line))
		}
	}
	return l, nil
}

// take reads a line such as used_memory:817520.
func (l *load) take(line string) {
	name, value, _ := strings.Cut(line, ":")
	number, _ := strconv.ParseFloat(value, 64)
	switch name {
	case "used_memory":
		l.Memory = int(number)
	case "used_memory_peak":
		l.Peak = int(number)
	case "used_cpu_user", "used_cpu_sys":
		l.Processor += time.Duration(number * float64(time.Second))
	}
}

// weigh finds out what looking costs itself, and what an empty engine takes.
func (g *ground) weigh() error {
	before, err := g.look()
	if err != nil {
		return err
	}
	after, err := g.look()
	if err != nil {
		return err
	}
	g.idle = after.less(before)
	g.idle.Memory = after.Memory
	return nil
}

// less is what was asked after another look. Memory stays.
func (l load) less(before load) load {
	l.Received, l.Sent, l.Processor = l.Received-before.Received, l.Sent-before.Sent, l.Processor-before.Processor
	l.Commands = maps.Clone(l.Commands)
	for name, calls := range before.Commands {
		l.Commands[name] -= calls
	}
	maps.DeleteFunc(l.Commands, func(_ string, calls int) bool { return calls == 0 })
	return l
}

// since is what the engine was asked after a look at it, less what the looks cost.
func (g *ground) since(before load) (load, error) {
	after, err := g.look()
	l := after.less(before).less(g.idle)
	l.Memory -= g.idle.Memory
	return l, err
}

// and adds what was asked of an engine after it was started anew.
func (l load) and(more load) load {
	sum := load{
		Commands: maps.Clone(l.Commands), Received: l.Received + more.Received, Sent: l.Sent + more.Sent,
		Memory: more.Memory, Peak: max(l.Peak, more.Peak), Processor: l.Processor + more.Processor,
	}
	if sum.Commands == nil {
		sum.Commands = map[string]int{}
	}
	for name, calls := range more.Commands {
		sum.Commands[name] += calls
	}
	return sum
}
