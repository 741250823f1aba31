package redistest

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Stats are what a server was asked since its start, ours included.
type Stats struct {
	// Calls are how often each command was called, by its name in lower case; a subcommand stands behind "|".
	Calls map[string]int
	// Received and Sent are bytes.
	Received, Sent int
}

// Stats asks the server for them.
func (e *Engine) Stats() (Stats, error) {
	s := Stats{Calls: map[string]int{}}
	for _, section := range []string{"commandstats", "stats"} {
		answer, err := e.Do("INFO", section)
		if err != nil {
			return s, err
		}
		for line := range strings.Lines(fmt.Sprint(answer)) {
			s.take(strings.TrimSpace(line))
		}
	}
	return s, nil
}

// take reads a line such as cmdstat_get:calls=2,usec=9,… or total_net_input_bytes:31.
func (s *Stats) take(line string) {
	name, value, _ := strings.Cut(line, ":")
	number, _ := strconv.Atoi(value)
	switch {
	case name == "total_net_input_bytes":
		s.Received = number
	case name == "total_net_output_bytes":
		s.Sent = number
	case strings.HasPrefix(name, "cmdstat_"):
		calls, _, _ := strings.Cut(strings.TrimPrefix(value, "calls="), ",")
		s.Calls[strings.TrimPrefix(name, "cmdstat_")], _ = strconv.Atoi(calls)
	}
}

// Dump is what the server writes of its keys to disk, as SAVE does.
func (e *Engine) Dump() ([]byte, error) {
	if _, err := e.Do("SAVE"); err != nil {
		return nil, err
	}
	return os.ReadFile(e.file("dump.rdb"))
}

// Memory is all that the server's process can write to, which is where everything is that it holds or has held and not
// written over. On Linux only.
func (e *Engine) Memory() ([]byte, error) {
	process := fmt.Sprintf("/proc/%d/", e.daemon.PID)
	maps, err := os.Open(process + "maps")
	if err != nil {
		return nil, err
	}
	defer maps.Close()
	memory, err := os.Open(process + "mem")
	if err != nil {
		return nil, err
	}
	defer memory.Close()
	var all bytes.Buffer
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		var from, to int64
		var rights string
		_, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &rights)
		if err != nil || !strings.HasPrefix(rights, "rw") {
			continue
		}
		if _, err := io.Copy(&all, io.NewSectionReader(memory, from, to-from)); err != nil {
			return nil, err
		}
	}
	return all.Bytes(), lines.Err()
}

// Monitor collects each command that a server is sent by anybody, as MONITOR shows them.
type Monitor struct {
	engine *Engine
	from   *conversation

	mu   sync.Mutex
	text strings.Builder
	err  error
}

// Monitor begins to collect; Stop ends it.
func (e *Engine) Monitor() (*Monitor, error) {
	c, err := e.dial()
	if err != nil {
		return nil, err
	}
	if _, err := c.do("MONITOR"); err != nil {
		return nil, err
	}
	m := &Monitor{engine: e, from: c}
	if err := c.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	go m.collect()
	return m, nil
}

func (m *Monitor) collect() {
	for {
		answer, err := m.from.read()
		m.mu.Lock()
		if err != nil {
			m.err = err
			m.mu.Unlock()
			return
		}
		fmt.Fprintln(&m.text, answer)
		m.mu.Unlock()
	}
}

// Text is what was sent until now, a command a line.
func (m *Monitor) Text() (string, error) {
	last := rand.Text()
	if _, err := m.engine.Do("ECHO", last); err != nil {
		return "", err
	}
	var text string
	err := m.engine.await("showed what it was sent", func() (bool, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		text = m.text.String()
		return strings.Contains(text, last), m.err
	})
	return text, err
}

// Stop ends the collecting.
func (m *Monitor) Stop() { _ = m.from.Close() }
