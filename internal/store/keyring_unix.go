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

	"github.com/godbus/dbus/v5"
)

// systemMaxRecord: a Secret Service has no limit of its own.
const systemMaxRecord = 0

const noKeyringHint = "start a Secret Service in this session (gnome-keyring, KWallet, KeePassXC)"

// busAddressEnv names the session bus (D-Bus specification, "Well-known Message Bus
// Instances").
const busAddressEnv = "DBUS_SESSION_BUS_ADDRESS"

// noBusError says that there is no session bus, and where one was looked for.
type noBusError struct{ looked []string }

func (e *noBusError) Error() string {
	return "there is no session bus: " + busAddressEnv + " is not set, and there is no " +
		strings.Join(e.looked, ", no ")
}

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
	return "", &noBusError{looked}
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
		return remoteProblem(remote.Name), fmt.Errorf("%s: %s", quoted(remote.Name), quoted(remote.Error()))
	}
	if _, ok := errors.AsType[*noBusError](err); ok {
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
	return Refused, errors.New(quoted(err.Error()))
}

// remoteProblem sorts the errors of the bus itself (D-Bus specification, "Message
// Bus Messages") and of the Secret Service.
func remoteProblem(name string) Problem {
	if name == errorIsLocked {
		return Locked
	}
	short, ok := strings.CutPrefix(name, errorPrefixDBus)
	switch {
	case !ok:
		return Refused
	case short == "ServiceUnknown", short == "NameHasNoOwner", short == "Disconnected",
		short == "NoServer", short == "NoReply", short == "NoNetwork", strings.HasPrefix(short, "Spawn."):
		return Unreachable
	case short == "Timeout", short == "TimedOut":
		return Locked
	default:
		return Refused
	}
}
