//go:build windows || darwin

package store

// findKeyring finds nothing to look for: security(1) and the Credential Manager are part
// of their systems.
func findKeyring() error { return nil }

// vanished is never so: an entry is found and read in one call.
func vanished(error) bool { return false }

// systemLocked knows nothing: the keychain tells it only by asking to be unlocked, and
// the Credential Manager is open while its user is logged on.
func systemLocked() (bool, error) { return false, nil }
