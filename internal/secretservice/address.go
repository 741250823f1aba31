//go:build !windows && !darwin

package secretservice

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/godbus/dbus/v5"
)

// AddressEnv names the session bus (D-Bus specification, "Well-known Message Bus
// Instances").
const AddressEnv = "DBUS_SESSION_BUS_ADDRESS"

// errNoBus says that there is no session bus.
var errNoBus = errors.New("there is no session bus: " + AddressEnv + " is not set, and there is no ")

// FindBus returns the address of the session bus. It looks where libdbus and systemd do:
// the address in the environment, else the socket of the user's bus. None is started.
func FindBus() (string, error) {
	if address := os.Getenv(AddressEnv); address != "" && !strings.HasPrefix(address, "autolaunch:") {
		return address, nil
	}
	return findBus(os.Getenv("XDG_RUNTIME_DIR"), filepath.Join("/run/user", strconv.Itoa(os.Geteuid())))
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
