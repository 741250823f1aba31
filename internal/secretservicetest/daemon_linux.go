package secretservicetest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/daemontest"
	"github.com/godbus/dbus/v5"
)

const (
	secretsName      = "org.freedesktop.secrets"
	secretsPath      = "/org/freedesktop/secrets"
	serviceInterface = "org.freedesktop.Secret.Service"
	// gnomeInterface makes collections without asking a person for their password.
	gnomeInterface = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface"
)

// busConfig has no service directories, so that the bus starts no program: neither
// a second Secret Service nor a prompter.
const busConfig = `<busconfig><type>session</type><listen>unix:path=%s</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>
`

func (s *Session) startBus() error {
	config := filepath.Join(s.home, "bus.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, busConfig, s.socket()), 0o600); err != nil {
		return err
	}
	cmd := exec.Command("dbus-daemon", "--config-file="+config, "--nofork", "--nopidfile", "--print-address=1")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if s.bus, err = s.start(cmd); err != nil {
		return err
	}
	// The bus prints its address when it listens. If it never does, it is killed,
	// which ends the reading too.
	timer := time.AfterFunc(patience, s.bus.Stop)
	defer timer.Stop()
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		return fmt.Errorf("dbus-daemon ended before it was ready: %w: it printed %q and said %q", err, line, s.log())
	}
	return nil
}

// Restart ends gnome-keyring, if it runs, and starts it again with password. The
// first password is the login collection's from then on; another one leaves the
// collection locked, and none gives no collection a password: then there is none.
func (s *Session) Restart(password string) error {
	conn, err := dbus.Connect(s.Address())
	if err != nil {
		return err
	}
	defer conn.Close()
	if s.secret != nil {
		s.secret.Stop()
		if err := awaitOwner(conn, false); err != nil {
			return err
		}
	}
	cmd := exec.Command("gnome-keyring-daemon", "--foreground", "--components=secrets",
		"--control-directory="+filepath.Join(s.home, "run", "keyring"))
	cmd.Env = append(cmd.Env, "DBUS_SESSION_BUS_ADDRESS="+s.Address())
	if password != "" {
		cmd.Args = append(cmd.Args, "--unlock")
		cmd.Stdin = strings.NewReader(password)
	}
	if s.secret, err = s.start(cmd); err != nil {
		return err
	}
	if err := awaitOwner(conn, true); err != nil {
		return fmt.Errorf("%w: gnome-keyring-daemon said %q", err, s.log())
	}
	return nil
}

// Lock locks collections, as a screen lock may; without a name the login collection.
func (s *Session) Lock(names ...string) error {
	if len(names) == 0 {
		names = []string{"login"}
	}
	return s.call(func(conn *dbus.Conn) error {
		paths := make([]dbus.ObjectPath, len(names))
		for i, name := range names {
			paths[i] = collection(name)
		}
		return conn.Object(secretsName, secretsPath).Call(serviceInterface+".Lock", 0, paths).Err
	})
}

// AddCollection makes a collection, which is unlocked.
func (s *Session) AddCollection(name string) error {
	return s.call(func(conn *dbus.Conn) error {
		service := conn.Object(secretsName, secretsPath)
		var none dbus.Variant
		var session, made dbus.ObjectPath
		err := service.Call(serviceInterface+".OpenSession", 0, "plain", dbus.MakeVariant("")).Store(&none, &session)
		if err != nil {
			return err
		}
		label := map[string]dbus.Variant{"org.freedesktop.Secret.Collection.Label": dbus.MakeVariant(name)}
		password := struct {
			Session           dbus.ObjectPath
			Parameters, Value []byte
			ContentType       string
		}{session, nil, []byte(Password), "text/plain"}
		err = service.Call(gnomeInterface+".CreateWithMasterPassword", 0, label, password).Store(&made)
		if err == nil && made != collection(name) {
			err = fmt.Errorf("the collection %s became %s", name, made)
		}
		return err
	})
}

// SetDefault has new entries go to a collection.
func (s *Session) SetDefault(name string) error {
	return s.call(func(conn *dbus.Conn) error {
		return conn.Object(secretsName, secretsPath).Call(serviceInterface+".SetAlias", 0, "default", collection(name)).Err
	})
}

func collection(name string) dbus.ObjectPath {
	return secretsPath + "/collection/" + dbus.ObjectPath(name)
}

// call does something over a connection of its own.
func (s *Session) call(do func(*dbus.Conn) error) error {
	conn, err := dbus.Connect(s.Address())
	if err != nil {
		return err
	}
	defer conn.Close()
	return do(conn)
}

// StopBus kills the bus, and leaves its socket behind.
func (s *Session) StopBus() { s.bus.Stop() }

// awaitOwner waits until somebody, or nobody, owns the name of the Secret Service.
func awaitOwner(conn *dbus.Conn, owned bool) error {
	changes := make(chan *dbus.Signal, 16)
	conn.Signal(changes)
	err := conn.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.DBus"),
		dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, secretsName))
	if err != nil {
		return err
	}
	end := time.After(patience)
	for {
		var now bool
		err := conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, secretsName).Store(&now)
		if err != nil || now == owned {
			return err
		}
		select {
		case <-changes:
		case <-end:
			return errors.New("the Secret Service did not come or go in time")
		}
	}
}

// start starts a daemon in the session's environment.
func (s *Session) start(cmd *exec.Cmd) (*daemontest.Daemon, error) {
	said, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer said.Close()
	cmd.Stderr = said
	cmd.Env = append(cmd.Env, "PATH="+os.Getenv("PATH"), "LANG=C.UTF-8")
	cmd.Env = append(cmd.Env, s.EnvWithoutAddress()...)
	cmd.Dir = s.home
	return daemontest.Start(cmd)
}

func (s *Session) logFile() string { return filepath.Join(s.home, "daemons.log") }

func (s *Session) log() string {
	said, _ := os.ReadFile(s.logFile())
	return string(said)
}
