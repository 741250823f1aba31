package secretservicetest

import (
	"errors"
	"os"
	"runtime"
	"testing"

	"github.com/godbus/dbus/v5"
)

func TestSessions(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"one", "two", "three"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Start(t)
			if locked := isLocked(t, s); locked {
				t.Error("the login collection is locked in a new session")
			}
			if err := s.Lock(); err != nil {
				t.Fatal(err)
			}
			if locked := isLocked(t, s); !locked {
				t.Error("the login collection is not locked after Lock")
			}
			if err := s.Restart(Password); err != nil {
				t.Fatal(err)
			}
			if locked := isLocked(t, s); locked {
				t.Error("the login collection is locked after a restart with its password")
			}
			s.Close()
			if _, err := os.Stat(s.Home()); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the home directory is still there: %v", err)
			}
		})
	}
}

func TestLockedSession(t *testing.T) {
	t.Parallel()
	if locked := isLocked(t, StartLocked(t)); !locked {
		t.Error("the login collection is not locked")
	}
}

func TestBusWithoutSecrets(t *testing.T) {
	t.Parallel()
	s := StartBus(t)
	conn, err := dbus.Connect(s.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Object("org.freedesktop.secrets", "/org/freedesktop/secrets").
		Call("org.freedesktop.DBus.Peer.Ping", 0).Err
	if remote, ok := errors.AsType[dbus.Error](err); !ok || remote.Name != "org.freedesktop.DBus.Error.ServiceUnknown" {
		t.Errorf("somebody answers: %v", err)
	}
}

func isLocked(t *testing.T, s *Session) bool {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("there is no such service here")
	}
	conn, err := dbus.Connect(s.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	v, err := conn.Object("org.freedesktop.secrets", "/org/freedesktop/secrets/collection/login").
		GetProperty("org.freedesktop.Secret.Collection.Locked")
	if err != nil {
		t.Fatal(err)
	}
	return v.Value().(bool)
}
