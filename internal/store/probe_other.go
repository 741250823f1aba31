//go:build windows || darwin

package store

// systemLocked knows nothing: the keychain tells it only by asking to be unlocked, and
// the Credential Manager is open while its user is logged on.
func systemLocked() (bool, error) { return false, nil }
