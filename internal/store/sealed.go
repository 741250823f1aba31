package store

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"
)

// sealedSuffix ends the names of sealed files.
const sealedSuffix = ".age"

// sealedDir is a directory of files sealed with age (https://age-encryption.org/v1),
// one per record, named by the key's digest. Plain text never reaches the disk.
// Errors are the file system's or an *unsafeDirError; reading also fails with an
// error that wraps ErrNotFound.
type sealedDir string

// write seals plain to a file of mode 0600. Readers see the old file or the new one.
// It is not synced: a file that a power cut leaves empty counts as none.
func (d sealedDir) write(digest string, to age.Recipient, plain []byte) (err error) {
	if err := makePrivateDir(string(d), writableByOthers); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(string(d), digest+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	err = seal(tmp, to, plain)
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return replaceFile(tmp.Name(), d.path(digest))
}

func seal(w io.Writer, to age.Recipient, plain []byte) error {
	sealing, err := age.Encrypt(w, to)
	if err != nil {
		return err
	}
	if _, err := sealing.Write(plain); err != nil {
		return err
	}
	return sealing.Close()
}

// read opens the file of digest.
func (d sealedDir) read(digest string, with age.Identity) ([]byte, error) {
	if err := checkPrivateDir(string(d), writableByOthers); err != nil {
		return nil, missing(err)
	}
	sealed, err := os.ReadFile(d.path(digest))
	if err != nil {
		return nil, missing(err)
	}
	plain, err := age.Decrypt(bytes.NewReader(sealed), with)
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		return nil, notFound(d.path(digest) + " is sealed with another key")
	}
	if err != nil {
		return nil, notFound(d.path(digest) + " is damaged")
	}
	data, err := io.ReadAll(io.LimitReader(plain, maxStored+1))
	if err != nil {
		return nil, notFound(d.path(digest) + " is damaged")
	}
	return data, nil
}

// remove removes the file of digest; it is no error when there is none.
func (d sealedDir) remove(digest string) error {
	if err := checkPrivateDir(string(d), writableByOthers); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return removeFile(d.path(digest))
}

// digests returns the digests of what is there.
func (d sealedDir) digests() ([]string, error) {
	if err := checkPrivateDir(string(d), writableByOthers); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	return digestsIn(string(d), sealedSuffix)
}

func (d sealedDir) path(digest string) string { return filepath.Join(string(d), digest+sealedSuffix) }

// missing turns the file system's word for "no such file" into ours.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	return err
}
