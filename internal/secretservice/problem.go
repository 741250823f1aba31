//go:build !windows && !darwin

package secretservice

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/authctl/authctl/internal/secret"
	"github.com/godbus/dbus/v5"
)

// ErrNotFound says that no entry matches.
var ErrNotFound = errors.New("no such entry")

// Problem is why the service cannot be used.
type Problem string

// The problems.
const (
	// Unreachable: there is no bus, or nobody behind it.
	Unreachable Problem = "unreachable"
	// Locked: what is wanted is locked, and was not unlocked.
	Locked Problem = "locked"
	// Refused: the service said no, or something that the specification does not have.
	Refused Problem = "refused"
)

// Error says why the service cannot be used.
type Error struct {
	Problem Problem
	Err     error
}

// Error is the cause, in words that can be printed.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

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

// lost reports whether an error means that the connection has ended. One that has been sorted already
// is what somebody is told: a prompt is not shown twice.
func lost(err error) bool {
	if _, known := errors.AsType[*Error](err); known {
		return false
	}
	_, isNet := errors.AsType[*net.OpError](err)
	_, isErrno := errors.AsType[syscall.Errno](err)
	return isNet || isErrno || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// sorted returns an error of the Secret Service, the bus or the socket as an *Error, in
// words that can be printed.
func sorted(err error) error {
	known, ok := errors.AsType[*Error](err)
	if ok {
		return known
	}
	if remote, ok := errors.AsType[dbus.Error](err); ok {
		text := fmt.Errorf("%s: %s", secret.Quote(remote.Name), secret.Quote(remote.Error()))
		return &Error{remoteProblem(remote.Name), text}
	}
	switch {
	case errors.Is(err, errNoBus), errors.Is(err, errBusAddress):
		return &Error{Unreachable, err}
	case lost(err):
		return &Error{Unreachable, fmt.Errorf("the session bus does not answer: %w", err)}
	case errors.Is(err, errAnswer):
		return &Error{Refused, err}
	}
	return &Error{Refused, errors.New(secret.Quote(err.Error()))}
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
