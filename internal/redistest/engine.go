// Package redistest starts real Redis servers on loopback, alone, as a Cluster or under a Sentinel, shows what they
// hold and were asked, and puts faults between them and their clients: for tests only.
package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/daemontest"
	"github.com/authctl/authctl/internal/testneed"
)

// patience bounds every wait for a server. It is no expectation: it turns a hang into a failure.
const patience = 60 * time.Second

// Engine is one redis-server on 127.0.0.1.
type Engine struct {
	// Host is its address, HOST:PORT, the same after a restart.
	Host string
	// Files are the paths of the authority that clients have to trust and of a client's certificate and key; empty
	// without TLS.
	Authority, Certificate, Key string

	options Options
	dir     string
	admin   credentials
	daemon  *daemontest.Daemon
}

// Start starts a server, and ends it with the test. Without the program the test is skipped, or fails, as testneed.Need
// says.
func Start(t testing.TB, o Options) *Engine {
	t.Helper()
	testneed.Program(t, "redis-server")
	e, err := New(t.TempDir(), o)
	if err != nil {
		t.Fatalf("starting a Redis for tests: %v", err)
	}
	t.Cleanup(e.Kill)
	return e
}

// New starts a server as Start does, with its files in a directory that is there and empty; Kill ends it. The error
// wraps exec.ErrNotFound when the program is not installed.
func New(dir string, o Options) (*Engine, error) {
	e := &Engine{options: o, dir: dir}
	if err := e.prepare(); err != nil {
		return nil, err
	}
	// A port that was free a moment ago may be another's now.
	for attempt := 1; ; attempt++ {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		e.Host = net.JoinHostPort("127.0.0.1", port)
		err = e.Restart()
		if err == nil || attempt == 5 || !strings.Contains(e.Log(), "Address already in use") {
			return e, err
		}
	}
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}

// URL is the address as a profile has it, without user and password.
func (e *Engine) URL() string {
	if e.options.TLS {
		return "rediss://" + e.Host + "/0"
	}
	return "redis://" + e.Host + "/0"
}

// Kill ends the server with SIGKILL, whatever it does. What it holds is lost, unless it persists. It may be killed
// twice.
func (e *Engine) Kill() { e.daemon.Stop() }

// Restart kills the server, if it runs, starts it at the same address, and waits until it answers.
func (e *Engine) Restart() error {
	e.Kill()
	if err := e.writeConfig(); err != nil {
		return err
	}
	arguments := []string{e.file("redis.conf")}
	if e.options.sentinel != "" {
		arguments = append(arguments, "--sentinel")
	}
	cmd := exec.Command("redis-server", arguments...) //nolint:noctx // Kill ends it
	// What whoever runs the tests has in the environment is no business of a memory that is searched.
	cmd.Dir, cmd.Env = e.dir, []string{"PATH=" + os.Getenv("PATH")}
	var err error
	if e.daemon, err = daemontest.Start(cmd); err != nil {
		return err
	}
	return e.await("answers", func() (bool, error) {
		_, err := e.Do("PING")
		return err == nil, nil
	})
}

// await asks again and again until something is so, and fails when the server ends before.
func (e *Engine) await(what string, so func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		if ok, err := so(); err != nil || ok {
			return err
		}
		select {
		case <-e.daemon.Exited():
			return fmt.Errorf("redis-server at %s ended before it %s: %s", e.Host, what, e.Log())
		case <-ctx.Done():
			return fmt.Errorf("redis-server at %s never %s: %s", e.Host, what, e.Log())
		case <-look.C:
		}
	}
}

// Do sends one command over a connection of its own, as a user who may do all, and returns the answer: a string, an
// int64, nil, a []any of such, or an error, which an answer that is one becomes.
func (e *Engine) Do(command ...string) (any, error) {
	c, err := e.dial()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.do(command...)
}

// all sends commands one after the other, up to the first that fails.
func (e *Engine) all(commands ...[]string) error {
	for _, command := range commands {
		if _, err := e.Do(command...); err != nil {
			return fmt.Errorf("%s at %s: %w", strings.Join(command, " "), e.Host, err)
		}
	}
	return nil
}

// Log is what the server has written of itself so far, at its most talkative but for what it is asked.
func (e *Engine) Log() string {
	text, err := os.ReadFile(e.file("redis.log"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err.Error()
	}
	return string(text)
}

func (e *Engine) file(name string) string { return filepath.Join(e.dir, name) }
