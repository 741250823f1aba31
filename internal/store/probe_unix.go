//go:build !windows && !darwin

package store

import (
	"errors"

	"github.com/godbus/dbus/v5"
)

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
