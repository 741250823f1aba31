//go:build linux

package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Patience bounds the waits for the sandbox and for daemons.
const Patience = 20 * time.Second

// A Sandbox is the emulated services as a process of its own, as a user would run them.
type Sandbox struct {
	// URL is where it listens, Config the file with its profiles.
	URL, Config string
	process     *exec.Cmd
}

// StartSandbox starts the sandbox of the program authctl, with its configuration in a directory. home are the variables
// that say where a home is.
func StartSandbox(authctl, dir string, home []string) (*Sandbox, error) {
	s := &Sandbox{Config: filepath.Join(dir, "sandbox.yaml")}
	s.process = exec.Command(authctl, "sandbox", "serve", "--config-out", s.Config) //nolint:noctx // Close interrupts it
	s.process.Env = append(append(Environment(), home...), "AUTHCTL_CONFIG="+s.Config)
	stderr, err := s.process.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	giveUp := time.AfterFunc(Patience, func() { _ = s.process.Process.Kill() })
	defer giveUp.Stop()
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "sandbox ready at "); ok {
			s.URL = strings.TrimSpace(url)
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return s, nil
		}
	}
	return nil, errors.Join(errors.New("it ended, or took too long, before it was ready"), s.Close())
}

// Close interrupts it, and kills it where that is in vain.
func (s *Sandbox) Close() error {
	_ = s.process.Process.Signal(os.Interrupt)
	giveUp := time.AfterFunc(Patience, func() { _ = s.process.Process.Kill() })
	defer giveUp.Stop()
	_ = s.process.Wait()
	return nil
}

// Requests returns how often a service was asked, of the last 10,000 requests to all of them.
func (s *Sandbox) Requests(ctx context.Context, service string) (int, error) {
	var log struct {
		Requests []struct {
			Service string `json:"service"`
		} `json:"requests"`
	}
	if err := s.control(ctx, http.MethodGet, "requests", "", &log); err != nil {
		return 0, err
	}
	n := 0
	for _, request := range log.Requests {
		if request.Service == service {
			n++
		}
	}
	return n, nil
}

// Fault makes the sandbox misbehave in one way from now on.
func (s *Sandbox) Fault(ctx context.Context, fault string) error {
	if err := s.NoFaults(ctx); err != nil {
		return err
	}
	return s.control(ctx, http.MethodPost, "faults", fault, nil)
}

// NoFaults makes it behave.
func (s *Sandbox) NoFaults(ctx context.Context) error {
	return s.control(ctx, http.MethodDelete, "faults", "", nil)
}

// control asks the sandbox itself; into may be nil.
func (s *Sandbox) control(ctx context.Context, method, page, body string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, s.URL+"/_sandbox/"+page, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Timeout: Patience}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the sandbox answered %s %s with status %d", method, page, resp.StatusCode)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
