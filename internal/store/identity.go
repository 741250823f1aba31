package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"
	"github.com/authctl/authctl/internal/files"
)

// MakeIdentity puts a new key for the file store into a new file at path, as age-keygen
// writes it, with mode 0600; its directory is made with mode 0700 where it is missing. What
// is there already stays: then the error wraps fs.ErrExist. Where it fails, there is no file.
func MakeIdentity(path string, trust files.Trust, now time.Time) error {
	id, err := age.GenerateX25519Identity()
	if err == nil {
		err = trust.MakeDir(filepath.Dir(path))
	}
	if err != nil {
		return err
	}
	text := fmt.Sprintf("# created: %s by authctl store init: what it opens are the tokens that authctl keeps\n"+
		"# public key: %s\n%s\n", now.UTC().Format(time.RFC3339), id.Recipient(), id)
	if err = create(path, text); err == nil {
		err = files.SyncDir(filepath.Dir(path))
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		_ = os.Remove(path)
	}
	return err
}

// CheckKey fetches the key and returns an *UnusableError unless it is an identity.
func (f *File) CheckKey(ctx context.Context) error {
	_, err := f.unlock(ctx)
	return f.store().failed("opening the key", err)
}
