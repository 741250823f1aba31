package store

import (
	"fmt"
	"os"

	"filippo.io/age"
)

// NewKeyFile writes a fresh key for the file store (an X25519 identity as
// age-keygen prints it) to a new file with mode 0600. It replaces nothing.
func NewKeyFile(path string) error {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return fmt.Errorf("making a key for the file store: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("making a key for the file store: %w", err)
	}
	_, err = file.WriteString(id.String() + "\n")
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		_ = file.Close()
		return fmt.Errorf("writing the key of the file store: %w", err)
	}
	return file.Close()
}
