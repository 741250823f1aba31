//go:build !windows && !darwin

package store

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/authctl/authctl/internal/secret"
	"github.com/godbus/dbus/v5"
)

// systemMaxRecord: a Secret Service has no limit of its own.
const systemMaxRecord = 0

const noKeyringHint = "start a Secret Service in this session (gnome-keyring, KWallet, KeePassXC)"

// busAddressEnv names the session bus (D-Bus specification, "Well-known Message Bus
// Instances").
const busAddressEnv = "DBUS_SESSION_BUS_ADDRESS"

// errNoBus says that there is no session bus.
var errNoBus = errors.New("there is no session bus: " + busAddressEnv + " is not set, and there is no ")

// findKeyring looks for the session bus. Without one, go-keyring would run
// dbus-launch and leave its daemons behind. It looks where libdbus and systemd do:
// the address in the environment, else the socket of the user's bus. A socket below
// XDG_RUNTIME_DIR is put into the environment, for go-keyring does not look there.
func findKeyring() error {
	if address := os.Getenv(busAddressEnv); address != "" && !strings.HasPrefix(address, "autolaunch:") {
		return nil
	}
	address, err := findBus(os.Getenv("XDG_RUNTIME_DIR"), filepath.Join("/run/user", strconv.Itoa(os.Geteuid())))
	if err != nil {
		return err
	}
	return os.Setenv(busAddressEnv, address)
}

// findBus returns the address of the first bus socket in dirs.
func findBus(dirs ...string) (string, error) {
	var looked []string
	for _, dir := range dirs {
		if !filepath.IsAbs(dir) {
			continue
		}
		path := filepath.Join(dir, "bus")
		if info, err := os.Stat(path); err == nil && info.Mode().Type() == os.ModeSocket {
			return "unix:path=" + dbus.EscapeBusAddressValue(path), nil
		}
		looked = append(looked, path)
	}
	return "", fmt.Errorf("%w%s", errNoBus, strings.Join(looked, ", no "))
}

// The error names of the Secret Service and of D-Bus that tell more than "no".
const (
	errorIsLocked     = "org.freedesktop.Secret.Error.IsLocked"
	errorNoSuchObject = "org.freedesktop.Secret.Error.NoSuchObject"
	errorPrefixDBus   = "org.freedesktop.DBus.Error."
	unlockFailedStart = "failed to unlock correct collection"
)

// vanished reports whether an error may mean that an item was removed after it was found.
// Services have no one name for an object that is not there; to unlock one is no error for
// some, and then go-keyring misses its path among what was unlocked.
func vanished(err error) bool {
	if remote, ok := errors.AsType[dbus.Error](err); ok {
		switch remote.Name {
		case errorNoSuchObject, errorPrefixDBus + "UnknownObject", errorPrefixDBus + "UnknownMethod",
			errorPrefixDBus + "UnknownInterface":
			return true
		}
		return false
	}
	_, item, ok := strings.Cut(err.Error(), unlockFailedStart+" '/org/freedesktop/secrets/collection/")
	return ok && strings.Contains(item, "/")
}

// systemProblem sorts an error of go-keyring, godbus or the socket, and returns it
// in words that can be printed.
func systemProblem(err error) (Problem, error) {
	if remote, ok := errors.AsType[dbus.Error](err); ok {
		return remoteProblem(remote.Name), fmt.Errorf("%s: %s", secret.Quote(remote.Name), secret.Quote(remote.Error()))
	}
	if errors.Is(err, errNoBus) {
		return Unreachable, err
	}
	_, isNet := errors.AsType[*net.OpError](err)
	_, isErrno := errors.AsType[syscall.Errno](err)
	if isNet || isErrno || errors.Is(err, io.EOF) || errors.Is(err, dbus.ErrClosed) {
		return Unreachable, fmt.Errorf("the session bus does not answer: %w", err)
	}
	// go-keyring has no type for this one.
	if strings.HasPrefix(err.Error(), unlockFailedStart) {
		return Locked, errors.New("the collection stayed locked: nobody answered its prompt, or there is none yet")
	}
	return Refused, errors.New(secret.Quote(err.Error()))
}

// remoteProblem sorts the errors of the bus itself (D-Bus specification, "Message
// Bus Messages") and of the Secret Service.
func remoteProblem(name string) Problem {
	switch name {
	case errorIsLocked, errorPrefixDBus + "Timeout", errorPrefixDBus + "TimedOut":
		return Locked
	case errorPrefixDBus + "ServiceUnknown", errorPrefixDBus + "NameHasNoOwner", errorPrefixDBus + "Disconnected",
		errorPrefixDBus + "NoServer", errorPrefixDBus + "NoReply", errorPrefixDBus + "NoNetwork":
		return Unreachable
	}
	if strings.HasPrefix(name, errorPrefixDBus+"Spawn.") {
		return Unreachable
	}
	return Refused
}

// systemLocked reads the property Locked of the collection that go-keyring uses: the
// one named login, else the default one
// (https://specifications.freedesktop.org/secret-service/, Collection). Where there
// is none yet, nothing is locked.
func systemLocked() (bool, error) {
	if err := findKeyring(); err != nil {
		return false, err
	}
	bus, err := dbus.SessionBus()
	if err != nil {
		return false, err
	}
	for _, path := range []dbus.ObjectPath{
		"/org/freedesktop/secrets/collection/login", "/org/freedesktop/secrets/aliases/default",
	} {
		collection := bus.Object("org.freedesktop.secrets", path)
		value, err := collection.GetProperty("org.freedesktop.Secret.Collection.Locked")
		if remote, ok := errors.AsType[dbus.Error](err); ok && remoteProblem(remote.Name) == Refused {
			continue
		}
		locked, _ := value.Value().(bool)
		return locked, err
	}
	return false, nil
}
