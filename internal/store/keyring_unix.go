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

// systemIndexed: a Secret Service is searched by attributes.
const systemIndexed = false

const noKeyringHint = "start a Secret Service in this session (gnome-keyring, KWallet, KeePassXC)"

// busAddressEnv names the session bus (D-Bus specification, "Well-known Message Bus
// Instances").
const busAddressEnv = "DBUS_SESSION_BUS_ADDRESS"

// errNoBus says that there is no session bus.
var errNoBus = errors.New("there is no session bus: " + busAddressEnv + " is not set, and there is no ")

// findKeyring returns the address of the session bus. It looks where libdbus and systemd
// do: the address in the environment, else the socket of the user's bus. None is started.
func findKeyring() (string, error) {
	if address := os.Getenv(busAddressEnv); address != "" && !strings.HasPrefix(address, "autolaunch:") {
		return address, nil
	}
	return findBus(os.Getenv("XDG_RUNTIME_DIR"), filepath.Join("/run/user", strconv.Itoa(os.Geteuid())))
}

// systemKeyringName names the bus that is used, where there is one.
func systemKeyringName() string {
	address, err := findKeyring()
	if err != nil {
		return "the Secret Service"
	}
	return "the Secret Service at " + secret.Printable(address)
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
	errorNoSession    = "org.freedesktop.Secret.Error.NoSession"
	errorNoSuchObject = "org.freedesktop.Secret.Error.NoSuchObject"
	errorPrefixDBus   = "org.freedesktop.DBus.Error."
)

// isRemote reports whether an error is the one of that name.
func isRemote(err error, name string) bool {
	remote, ok := errors.AsType[dbus.Error](err)
	return ok && remote.Name == name
}

// moved reports whether an error may mean that an object was removed or locked after it was
// found. Services have no one name for an object that is not there.
func moved(err error) bool {
	remote, ok := errors.AsType[dbus.Error](err)
	if !ok {
		return false
	}
	switch remote.Name {
	case errorIsLocked, errorNoSuchObject, errorPrefixDBus + "UnknownObject", errorPrefixDBus + "UnknownMethod",
		errorPrefixDBus + "UnknownInterface":
		return true
	}
	return false
}

// lost reports whether an error means that the connection has ended.
func lost(err error) bool {
	_, isNet := errors.AsType[*net.OpError](err)
	_, isErrno := errors.AsType[syscall.Errno](err)
	return isNet || isErrno || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// systemProblem sorts an error of the Secret Service, the bus or the socket, and returns it
// in words that can be printed.
func systemProblem(err error) (Problem, error) {
	if remote, ok := errors.AsType[dbus.Error](err); ok {
		return remoteProblem(remote.Name), fmt.Errorf("%s: %s", secret.Quote(remote.Name), secret.Quote(remote.Error()))
	}
	switch {
	case errors.Is(err, errNoBus), errors.Is(err, errBusAddress):
		return Unreachable, err
	case lost(err):
		return Unreachable, fmt.Errorf("the session bus does not answer: %w", err)
	case errors.Is(err, errAnswer):
		return Refused, err
	}
	return Refused, errors.New(secret.Quote(err.Error()))
}

// remoteErr sorts an error of the bus or of the Secret Service, if it is one.
func remoteErr(err error) (Problem, bool) {
	remote, ok := errors.AsType[dbus.Error](err)
	if !ok {
		return "", false
	}
	return remoteProblem(remote.Name), true
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
