// Package secretservicetest starts a real Secret Service (gnome-keyring) on a
// private session bus, for tests. Nothing of it is linked into the program.
//
// Each Session has a home directory and daemons of its own, so that tests can run
// side by side and never meet the keyring of whoever runs them.
package secretservicetest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/daemontest"
	"github.com/authctl/authctl/internal/testneed"
)

// Password unlocks the login collection of a Session.
const Password = "not-a-real-password"

// patience bounds every wait for a daemon.
const patience = 20 * time.Second

// Session is a private session bus with a home directory, and usually a Secret
// Service on it.
type Session struct {
	home   string
	bus    *daemontest.Daemon
	secret *daemontest.Daemon
}

// Start starts a session whose login collection is unlocked, and ends it with the
// test. Without the daemons the test is skipped, or fails, as testneed.Need says.
func Start(t testing.TB) *Session {
	t.Helper()
	return started(t, New)
}

// StartLocked starts a session whose login collection is locked, as after a login
// without a password. Nobody is there to answer a prompt.
func StartLocked(t testing.TB) *Session {
	t.Helper()
	s := Start(t)
	if err := s.Restart("another-password"); err != nil {
		t.Fatalf("restarting gnome-keyring with another password: %v", err)
	}
	return s
}

// StartEmpty starts a session whose Secret Service has no collection, as on a machine that nobody has
// logged in to with a password. Nobody is there to make one.
func StartEmpty(t testing.TB) *Session {
	t.Helper()
	s := StartBus(t)
	if err := s.Restart(""); err != nil {
		t.Fatalf("starting gnome-keyring without a collection: %v", err)
	}
	return s
}

// StartBus starts a session bus without a Secret Service and without a way to
// start one.
func StartBus(t testing.TB) *Session {
	t.Helper()
	return started(t, NewBus)
}

func started(t testing.TB, start func() (*Session, error)) *Session {
	t.Helper()
	s, err := start()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		t.Skipf("there is no Secret Service on this system: %v", err)
	case errors.Is(err, exec.ErrNotFound):
		testneed.Need(t, "a Secret Service", err)
	case err != nil:
		t.Fatalf("starting a Secret Service for tests: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// New starts a session as Start does; Close ends it. The error wraps
// exec.ErrNotFound when a daemon is not installed, and errors.ErrUnsupported where
// there is no such service.
func New() (*Session, error) {
	if _, err := exec.LookPath("gnome-keyring-daemon"); err != nil {
		return nil, err
	}
	s, err := NewBus()
	if err != nil {
		return nil, err
	}
	if err := s.Restart(Password); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// NewBus starts a session as StartBus does; Close ends it.
func NewBus() (*Session, error) {
	// A socket's path has room for 107 bytes, which a test's own directory may
	// use up.
	home, err := os.MkdirTemp("", "authctl-ss")
	if err != nil {
		return nil, err
	}
	s := &Session{home: home}
	for _, dir := range []string{"run", "data", "config", "cache", "state"} {
		if err := os.Mkdir(filepath.Join(home, dir), 0o700); err != nil {
			s.Close()
			return nil, err
		}
	}
	if err := s.startBus(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Home is the session's home directory.
func (s *Session) Home() string { return s.home }

// KeyringDir is where gnome-keyring keeps its files.
func (s *Session) KeyringDir() string { return filepath.Join(s.home, "data", "keyrings") }

// Address is the address of the session's bus.
func (s *Session) Address() string { return "unix:path=" + s.socket() }

// Env is the part of a process's environment that makes it use this session, to be
// appended to the rest. DISPLAY and WAYLAND_DISPLAY are emptied: nothing may open a
// prompt on a real desktop.
func (s *Session) Env() []string {
	return append(s.EnvWithoutAddress(), "DBUS_SESSION_BUS_ADDRESS="+s.Address())
}

// EnvWithoutAddress is Env without the address of the bus, which is then found
// below XDG_RUNTIME_DIR.
func (s *Session) EnvWithoutAddress() []string {
	return []string{
		"HOME=" + s.home,
		"XDG_RUNTIME_DIR=" + filepath.Join(s.home, "run"),
		"XDG_DATA_HOME=" + filepath.Join(s.home, "data"),
		"XDG_CONFIG_HOME=" + filepath.Join(s.home, "config"),
		"XDG_CACHE_HOME=" + filepath.Join(s.home, "cache"),
		"XDG_STATE_HOME=" + filepath.Join(s.home, "state"),
		"DISPLAY=",
		"WAYLAND_DISPLAY=",
	}
}

// PIDs are the processes of the bus and of the Secret Service, where it runs.
func (s *Session) PIDs() []int {
	var pids []int
	for _, d := range []*daemontest.Daemon{s.bus, s.secret} {
		if d != nil {
			pids = append(pids, d.PID)
		}
	}
	return pids
}

// Close ends the daemons and removes the home directory. It may be called twice.
func (s *Session) Close() {
	s.secret.Stop()
	s.bus.Stop()
	_ = os.RemoveAll(s.home)
}

func (s *Session) socket() string { return filepath.Join(s.home, "run", "bus") }
